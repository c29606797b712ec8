//! Random models: layers drawn from a seed, each fitting the shapes before it.

use serde::{Deserialize, Serialize};
use trainspec::graph::{Graph, Module, Scope};
use trainspec::layer::{
    Approximate, AvgPool2d, BatchNorm, Concat, Conv2d, Dropout, Embedding, Flatten, Gelu, GlobalAvgPool,
    GroupNorm, Gru, LayerNorm, LeakyRelu, Linear, Lstm, MaxPool2d, PositionEmbedding, Relu, Reshape, RmsNorm,
    SelfAttention, Sigmoid, Silu, Softmax, StochasticDepth, Tanh,
};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{CheckResult, Config, Result, Shape, Value};

use super::fallback::{Bowl, Wave};

/// The number of classes of every random model.
pub(crate) const CLASSES: usize = 5;

/// The smallest number of values that are normalized together. Of one or two values, normalization leaves hardly more than a
/// sign: the gradient is near 0, a difference of large terms, and is not a useful comparison of the engines.
const LEAST: usize = 4;

/// The input of a random model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    Image,
    Sequence,
    Features,
    Tokens,
}

impl Input {
    pub(crate) const ALL: [Self; 4] = [Self::Image, Self::Sequence, Self::Features, Self::Tokens];
}

/// A model of random layers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RandomModel {
    pub(crate) input: Input,
    pub(crate) seed: u64,
    pub(crate) layers: usize,
    /// The fixed structure of the model instead of random layers.
    pub(crate) knot: Option<Knot>,
}

/// Connections of layers that are not drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Knot {
    /// A layer whose output is not used.
    DeadBranch,
    /// The output is also the input of another layer.
    OutputTakenTwice,
    /// Nothing to train.
    NoParameters,
    /// The output is the input.
    Nothing,
    /// The output is the input under another shape.
    Alias,
    /// A residual around a kernel with an epilogue.
    Residual,
    /// The same value in both branches, one of them a fallback.
    IslandAround,
}

impl Knot {
    pub(crate) const ALL: [Self; 7] = [
        Self::DeadBranch,
        Self::OutputTakenTwice,
        Self::NoParameters,
        Self::Nothing,
        Self::Alias,
        Self::Residual,
        Self::IslandAround,
    ];

    fn tie(self, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
        let linear = Linear { out: CLASSES, ..Linear::DEFAULT };
        match self {
            Self::DeadBranch => {
                let dead = scope.call(linear, &[x])?;
                scope.call(BatchNorm::DEFAULT, &[dead])?;
                scope.call(linear, &[x])
            }
            Self::OutputTakenTwice => {
                let y = scope.call(linear, &[x])?;
                scope.call(Relu {}, &[y])?;
                Ok(y)
            }
            Self::NoParameters => scope.call(Relu {}, &[x]),
            Self::Nothing => Ok(x),
            Self::Alias => scope.call(Flatten {}, &[x]),
            Self::Residual => {
                let x = scope.call(linear, &[x])?;
                let y = scope.call(linear, &[x])?;
                let y = scope.call(Gelu::DEFAULT, &[y])?;
                let x = scope.add(x, y)?;
                let y = scope.call(BatchNorm::DEFAULT, &[x])?;
                let y = scope.call(Relu {}, &[y])?;
                scope.add(y, x)
            }
            Self::IslandAround => {
                let x = scope.call(linear, &[x])?;
                let y = scope.call(Wave { frequency: 0.5 }, &[x])?;
                scope.add(x, y)
            }
        }
    }
}

impl Config for RandomModel {
    const NAME: &'static str = "random_model";
    const DEFAULT: Self = Self { input: Input::Features, seed: 0, layers: 0, knot: None };
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

/// Draws a sequence of numbers.
struct Dice {
    words: std::vec::IntoIter<u32>,
}

impl Dice {
    fn new(seed: u64, what: &str) -> Self {
        let words = Stream::new(seed, Purpose::Split, what).words(StepIndex::default(), 4096);
        Self { words: words.into_iter() }
    }

    /// Returns a number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.words.next().map_or(0, |word| word as usize % count.max(1))
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

impl RandomModel {
    /// Returns the shape of one sample.
    pub(crate) fn shape(self) -> Shape {
        if self.knot.is_some() {
            return Shape::of(&[CLASSES]);
        }
        let mut dice = Dice::new(self.seed, "shape");
        match self.input {
            Input::Image => Shape::of(&[1 + dice.below(4), 3 + dice.below(8), 3 + dice.below(8)]),
            Input::Sequence => Shape::of(&[1 + dice.below(9), 2 * (1 + dice.below(6))]),
            Input::Features => Shape::of(&[1 + dice.below(40)]),
            Input::Tokens => Shape::tokens(7, 1 + dice.below(9)),
        }
    }

    pub(crate) fn graph(self) -> Graph {
        Graph::of(&self, &[self.shape()]).expect("each layer fits the shapes before it")
    }
}

impl Module for RandomModel {
    const IS_MODEL: bool = true;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Value> {
        let mut dice = Dice::new(self.seed, "layers");
        let mut x = inputs[0];
        if let Some(knot) = self.knot {
            return knot.tie(scope, x);
        }
        if self.input == Input::Tokens {
            let out = 2 * (1 + dice.below(5));
            let vectors = scope.call(Embedding { out, ..Embedding::DEFAULT }, &[x])?;
            let places = scope.call(PositionEmbedding { out, ..PositionEmbedding::DEFAULT }, &[x])?;
            x = scope.add(vectors, places)?;
        }
        let mut seen = vec![x];
        for _ in 0..self.layers {
            x = match x.shape().rank() {
                3 => image(&mut dice, scope, x)?,
                2 => sequence(&mut dice, scope, x)?,
                _ => features(&mut dice, scope, x)?,
            };
            if dice.below(5) == 0 {
                x = branches(&mut dice, scope, x)?;
            }
            // Sometimes a value is combined with an earlier one, or with itself.
            let alike: Vec<Value> =
                seen.iter().copied().chain([x]).filter(|other| other.shape() == x.shape()).collect();
            if dice.below(3) == 0 {
                let other = dice.one_of(&alike);
                x = match dice.below(6) {
                    0 => scope.mul(x, other)?,
                    1 => scope.sub(other, x)?,
                    2 => scope.call(Concat { axis: 0 }, &[x, other])?,
                    3 => scope.add(other, x)?,
                    _ => scope.add(x, other)?,
                };
            }
            seen.push(x);
        }
        let x = scope.call(Flatten {}, &[x])?;
        scope.call(Linear { out: CLASSES, ..Linear::DEFAULT }, &[x])
    }
}

/// Two parallel branches that end in a sum.
fn branches(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let (rank, out, kernel) = (x.shape().rank(), 1 + dice.below(5), dice.one_of(&[1, 3]));
    let way = |dice: &mut Dice, scope: &mut Scope<'_>| {
        let bias = dice.below(2) == 0;
        let y = match rank {
            3 => scope.call(Conv2d { out, kernel, padding: kernel / 2, bias, ..Conv2d::DEFAULT }, &[x])?,
            _ => scope.call(Linear { out, bias, ..Linear::DEFAULT }, &[x])?,
        };
        match dice.below(5) {
            0 => scope.call(BatchNorm::DEFAULT, &[y]),
            1 => scope.call(Dropout { p: 0.3 }, &[y]),
            2 => scope.call(Tanh {}, &[y]),
            3 => scope.call(StochasticDepth { p: 0.3 }, &[y]),
            _ => Ok(y),
        }
    };
    let (a, b) = (way(dice, scope)?, way(dice, scope)?);
    let sum = if dice.below(2) == 0 { scope.add(a, b)? } else { scope.add(b, a)? };
    if dice.below(2) == 0 { scope.call(Relu {}, &[sum]) } else { Ok(sum) }
}

/// An element-wise function.
fn pointwise(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    match dice.below(12) {
        0 => scope.call(LeakyRelu::DEFAULT, &[x]),
        1 => scope.call(Gelu::DEFAULT, &[x]),
        2 => scope.call(Gelu { approximate: Approximate::Tanh }, &[x]),
        3 => scope.call(Silu {}, &[x]),
        4 => scope.call(Tanh {}, &[x]),
        5 => scope.call(Sigmoid {}, &[x]),
        6 => scope.call(Dropout { p: 0.3 }, &[x]),
        // A layer without a lowering.
        7 => scope.call(Wave { frequency: 1.5 }, &[x]),
        // A layer with a custom kernel.
        8 => scope.call(Bowl {}, &[x]),
        9 => scope.call(StochasticDepth { p: 0.3 }, &[x]),
        _ => scope.call(Relu {}, &[x]),
    }
}

fn image(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let &[channels, height, width] = x.shape().axes() else { return Ok(x) };
    let fits = |window: usize| height >= window && width >= window;
    match dice.below(12) {
        0..=2 if fits(3) => {
            let groups = if channels.is_multiple_of(2) { dice.one_of(&[1, 2]) } else { 1 };
            let layer = Conv2d {
                out: 2 * (1 + dice.below(4)),
                kernel: 3,
                stride: dice.one_of(&[1, 1, 2, 3]),
                padding: dice.one_of(&[0, 1, 1, 2]),
                dilation: if fits(5) { dice.one_of(&[1, 1, 2]) } else { 1 },
                groups,
                bias: dice.below(2) == 0,
                ..Conv2d::DEFAULT
            };
            scope.call(layer, &[x])
        }
        3 => scope.call(Conv2d { out: 1 + dice.below(5), kernel: 1, ..Conv2d::DEFAULT }, &[x]),
        4 | 5 => scope.call(BatchNorm::DEFAULT, &[x]),
        6 if height * width >= LEAST => {
            let groups = if channels.is_multiple_of(2) { 2 } else { 1 };
            scope.call(GroupNorm { groups, ..GroupNorm::DEFAULT }, &[x])
        }
        7 if fits(2) => {
            let layer = MaxPool2d { kernel: 2, stride: dice.one_of(&[0, 1]), padding: dice.one_of(&[0, 1]) };
            scope.call(layer, &[x])
        }
        8 if fits(3) => scope.call(AvgPool2d { kernel: 3, stride: 2, padding: 1 }, &[x]),
        9 if dice.below(3) == 0 => scope.call(GlobalAvgPool {}, &[x]),
        10 if dice.below(3) == 0 => scope.call(Reshape { to: [channels, height * width] }, &[x]),
        _ => pointwise(dice, scope, x),
    }
}

fn sequence(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let features = x.shape().last();
    match dice.below(12) {
        0 | 1 => scope
            .call(Linear { out: 2 * (1 + dice.below(8)), bias: dice.below(3) > 0, ..Linear::DEFAULT }, &[x]),
        2 if features >= LEAST => {
            scope.call(LayerNorm { affine: dice.below(3) > 0, ..LayerNorm::DEFAULT }, &[x])
        }
        3 if features >= LEAST => scope.call(RmsNorm::DEFAULT, &[x]),
        4 | 5 if features.is_multiple_of(2) => {
            let layer = SelfAttention {
                heads: dice.one_of(&[1, 2]),
                causal: dice.below(2) == 0,
                dropout: dice.one_of(&[0.0, 0.2]),
                bias: dice.below(3) > 0,
                ..SelfAttention::DEFAULT
            };
            scope.call(layer, &[x])
        }
        6 => scope.call(Lstm { out: 1 + dice.below(6), bias: dice.below(2) == 0, ..Lstm::DEFAULT }, &[x]),
        7 => scope.call(Gru { out: 1 + dice.below(6), bias: dice.below(2) == 0, ..Gru::DEFAULT }, &[x]),
        8 => scope.call(Softmax {}, &[x]),
        9 => scope.call(BatchNorm::DEFAULT, &[x]),
        _ => pointwise(dice, scope, x),
    }
}

fn features(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    match dice.below(8) {
        0..=2 => {
            scope.call(Linear { out: 1 + dice.below(24), bias: dice.below(3) > 0, ..Linear::DEFAULT }, &[x])
        }
        3 => scope.call(BatchNorm::DEFAULT, &[x]),
        4 if x.shape().last() >= LEAST => scope.call(LayerNorm::DEFAULT, &[x]),
        _ => pointwise(dice, scope, x),
    }
}
