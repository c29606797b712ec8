//! Random models: layers drawn from a seed, each fitting the shapes before it.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec::graph::{Bound, Graph, Module, Scope};
use trainspec::layer::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, Approximate, Attention, AttentionPool, AvgPool1d, AvgPool2d,
    BatchNorm, Chunk, Concat, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Dropout, Elu, Embedding, Exp,
    Flatten, Gelu, GlobalAvgPool, GroupNorm, Gru, HardSwish, Init, InstanceNorm, Last, Layer, LayerNorm,
    LayerScale, LeakyRelu, Linear, Lstm, MaskedAttention, MaxPool, MaxPool1d, MaxPool2d, MeanPool, Mish,
    OutputRule, Pad, PaddingMask, Parameter, Pass, Permute, PixelShuffle, PositionEmbedding,
    PositionEncoding, Prelu, Relu, Resample, Reshape, RmsNorm, Role, Rotary, SelfAttention, Selu, Sigmoid,
    Silu, Slice, Softmax, Softplus, Split, Square, StochasticDepth, Tanh, Transpose, Upsample, pair,
};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{CheckResult, Config, Result, Shape, Value};

use super::fallback::{Bowl, Wave};

/// The number of classes of every random model.
pub(crate) const CLASSES: usize = 5;

/// The number of different tokens of a random model.
const TOKENS: usize = 7;

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
            Input::Tokens => Shape::tokens(TOKENS, 1 + dice.below(9)),
        }
    }

    pub(crate) fn graph(self) -> Graph {
        Graph::of(&self, &[self.shape()]).expect("each layer fits the shapes before it")
    }
}

impl Module for RandomModel {
    const IS_MODEL: bool = true;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
        let mut dice = Dice::new(self.seed, "layers");
        let mut x = inputs[0];
        if let Some(knot) = self.knot {
            return Ok(vec![knot.tie(scope, x)?]);
        }
        let (mut table, mut mask) = (None, None);
        if self.input == Input::Tokens {
            mask = Some(scope.call(PaddingMask { padding: 3 }, &[x])?);
            let out = 2 * (1 + dice.below(5));
            let layer = scope.declare(None, Embedding { out, ..Embedding::DEFAULT }, &[])?;
            let vectors = scope.apply(&layer, &[x])?;
            table = Some(layer);
            let places = scope.call(PositionEmbedding { out, ..PositionEmbedding::DEFAULT }, &[x])?;
            x = scope.add(vectors, places)?;
        }
        // Drawn apart, so that the other draws do not depend on these.
        let mut shared = Dice::new(self.seed, "shared");
        let mut attending = Dice::new(self.seed, "attention");
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
            if shared.below(5) == 0 {
                x = repeated(&mut shared, scope, x)?;
            }
            if shared.below(4) == 0 {
                x = arithmetic(&mut shared, scope, x)?;
            }
            if attending.below(5) == 0 {
                x = later(&mut attending, scope, x)?;
            }
            if attending.below(3) == 0 && x.shape().rank() == 2 {
                x = attention(&mut attending, scope, x, mask)?;
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
        if let (Some(table), true) = (table, shared.below(2) == 0) {
            x = tied(&mut shared, scope, &table, x)?;
        }
        let x = scope.call(Flatten {}, &[x])?;
        Ok(vec![scope.call(Linear { out: CLASSES, ..Linear::DEFAULT }, &[x])?])
    }
}

/// Numbers, functions of each element, and parts of a value that are put together again.
fn arithmetic(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let (rank, first, last) = (x.shape().rank(), x.shape().axis(0), x.shape().last());
    match dice.below(10) {
        0 => {
            let y = scope.mul_number(x, -0.5)?;
            scope.add_number(y, 0.25)
        }
        // A gate of one value for each element of the first axis, or one for all.
        1 | 2 => {
            let gate = scope.slice(x, first - 1, first)?;
            let gate = scope.call(Sigmoid {}, &[gate])?;
            if dice.below(2) == 0 { scope.mul(x, gate) } else { scope.sub(gate, x) }
        }
        3 if rank == 2 => {
            let gate = scope.call(Linear { out: 1, ..Linear::DEFAULT }, &[x])?;
            scope.add(x, gate)
        }
        4 => {
            let square = scope.call(Square {}, &[x])?;
            let below = scope.add_number(square, 1.0)?;
            if dice.below(2) == 0 { scope.div(x, below) } else { scope.number_div(below, 2.0) }
        }
        5 => {
            let layer = scope.call(Tanh {}, &[x])?;
            scope.call(Exp {}, &[layer])
        }
        6 if first > 1 => {
            let part = |part| Split { sizes: [1, first - 1], axis: 0, parts: 2, part };
            let (a, b) = (scope.call(part(0), &[x])?, scope.call(part(1), &[x])?);
            scope.call(Concat { axis: 0 }, &[b, a])
        }
        7 if rank == 2 => {
            let turned = scope.call(Transpose { axes: [0, 1] }, &[x])?;
            let turned = scope.call(Linear { out: first, ..Linear::DEFAULT }, &[turned])?;
            scope.call(Permute { axes: [1, 0] }, &[turned])
        }
        8 => {
            let axis = rank - 1;
            let y = scope.call(Pad { axis, before: 1, after: 1, value: 0.5 }, &[x])?;
            scope.call(Slice { axis, start: dice.below(3), end: usize::MAX }, &[y])
        }
        9 if last.is_multiple_of(2) => {
            let part = |part| Chunk { axis: rank - 1, parts: 2, part };
            let (a, b) = (scope.call(part(0), &[x])?, scope.call(part(1), &[x])?);
            scope.mul(a, b)
        }
        _ => scope.neg(x),
    }
}

/// Activations and normalizations, and recurrent layers of several runs.
fn later(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let (rank, out) = (x.shape().rank(), 1 + dice.below(4));
    let bias = dice.below(2) == 0;
    match dice.below(12) {
        0 => scope.call(Elu { alpha: 0.7 }, &[x]),
        1 => scope.call(Selu {}, &[x]),
        2 => scope.call(Softplus {}, &[x]),
        3 => scope.call(Mish {}, &[x]),
        4 => scope.call(HardSwish {}, &[x]),
        5 => scope.call(Prelu { per_channel: bias, ..Prelu::DEFAULT }, &[x]),
        6 => scope.call(LayerScale { value: 0.5 }, &[x]),
        7 if rank > 1 && x.shape().elements() >= LEAST * x.shape().axis(0) => {
            scope.call(InstanceNorm { affine: bias, ..InstanceNorm::DEFAULT }, &[x])
        }
        8 | 9 if rank == 2 => {
            let (layers, last) = (dice.one_of(&[1, 2]), dice.below(3) == 0);
            let layer = Lstm { out, bias, layers, bidirectional: layers == 1 || bias, last, ..Lstm::DEFAULT };
            scope.call(layer, &[x])
        }
        _ if rank == 2 => {
            let (layers, bidirectional) = (dice.one_of(&[1, 2]), dice.below(2) == 0);
            scope.call(Gru { out, bias, layers, bidirectional, ..Gru::DEFAULT }, &[x])
        }
        _ => scope.call(Mish {}, &[x]),
    }
}

/// Attention of the positions to each other, to an earlier value's positions, or to those that are not padding.
fn attention(dice: &mut Dice, scope: &mut Scope<'_>, x: Value, mask: Option<Value>) -> Result<Value> {
    let length = x.shape().axis(0);
    let kv_heads = dice.one_of(&[1, 2]);
    let (heads, width) = (kv_heads * dice.one_of(&[1, 2]), 2 * (1 + dice.below(2)));
    let linear = |heads: usize| Linear { out: heads * width, ..Linear::DEFAULT };
    let mut q = scope.call(linear(heads), &[x])?;
    let mut k = scope.call(linear(kv_heads), &[x])?;
    if dice.below(2) == 0 {
        let interleaved = dice.below(2) == 0;
        let rotary = |heads| Rotary { heads, interleaved, ..Rotary::DEFAULT };
        (q, k) = (scope.call(rotary(heads), &[q])?, scope.call(rotary(kv_heads), &[k])?);
    }
    if dice.below(3) == 0 {
        let out = kv_heads * width;
        let places = scope.call(PositionEncoding { out, ..PositionEncoding::DEFAULT }, &[k])?;
        k = scope.add(k, places)?;
    }
    let v = if dice.below(3) == 0 { k } else { scope.call(linear(kv_heads), &[x])? };
    let dropout = dice.one_of(&[0.0, 0.2]);
    let fits = mask.filter(|mask| mask.shape().axis(0) == length);
    let y = match (dice.below(3), fits) {
        (0, Some(mask)) => {
            let causal = dice.below(2) == 0;
            scope.call(MaskedAttention { heads, kv_heads, causal, dropout }, &[q, k, v, mask])?
        }
        // Fewer queries than keys.
        (1, _) if length > 1 => {
            let q = scope.slice(q, 0, length - 1)?;
            scope.call(Attention { heads, kv_heads, causal: false, dropout }, &[q, k, v])?
        }
        _ => scope.call(Attention { heads, kv_heads, causal: true, dropout }, &[q, k, v])?,
    };
    scope.call(Linear { out: x.shape().last(), ..Linear::DEFAULT }, &[y])
}

/// A layer or a model that is called two or three times.
fn repeated(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let (rank, first, last) = (x.shape().rank(), x.shape().axis(0), x.shape().last());
    let out = if rank == 3 { first } else { last };
    let bias = dice.below(2) == 0;
    let conv = Conv2d { out, kernel: 3, padding: 1, bias, ..Conv2d::DEFAULT };
    match (dice.below(5), rank) {
        (0 | 1, 3) => again(dice, scope, conv, x),
        (0, 2) => again(dice, scope, Gru { out, bias, ..Gru::DEFAULT }, x),
        (0 | 1, _) => again(dice, scope, Linear { out, bias, ..Linear::DEFAULT }, x),
        (2, _) => {
            // With a layer in between: a second normalization of a constant feature amplifies a rounding 300 times.
            let norm = scope.declare(None, BatchNorm::DEFAULT, &[])?;
            let y = scope.apply(&norm, &[x])?;
            let y = scope.call(Linear { out: last, ..Linear::DEFAULT }, &[y])?;
            scope.apply(&norm, &[y])
        }
        // A layer without a planned form, whose parameters the engine passes to candle.
        (3, _) if rank < 3 => again(dice, scope, Scaled {}, x),
        _ => again(dice, scope, Block { out }, x),
    }
}

/// Calls of a layer, with an activation after some of them.
fn again<M: Module>(dice: &mut Dice, scope: &mut Scope<'_>, module: M, x: Value) -> Result<Value> {
    let layer = scope.declare(None, module, &[])?;
    let mut y = scope.apply(&layer, &[x])?;
    for _ in 0..=dice.below(2) {
        if dice.below(2) == 0 {
            y = scope.call(Tanh {}, &[y])?;
        }
        y = scope.apply(&layer, &[y])?;
    }
    Ok(y)
}

/// A projection to the width of a table, and one to its tokens with the table itself.
fn tied(dice: &mut Dice, scope: &mut Scope<'_>, table: &Bound<Embedding>, x: Value) -> Result<Value> {
    let width = table.module().out;
    let x = scope.call(Linear { out: width, ..Linear::DEFAULT }, &[x])?;
    let head = Linear { out: TOKENS, bias: dice.below(2) == 0, ..Linear::DEFAULT };
    let ties = [scope.tie("weight", table, "weight")];
    scope.call_tied(None, head, &[x], &ties)
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
    match dice.below(17) {
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
        12 if height * width <= 100 => {
            let groups = if channels.is_multiple_of(2) { dice.one_of(&[1, 2]) } else { 1 };
            let layer = ConvTranspose2d {
                out: 2 * (1 + dice.below(3)),
                kernel: dice.one_of(&[2, 3, pair(1, 3), pair(4, 2)]),
                stride: dice.one_of(&[1, 2, pair(1, 2), pair(2, 1)]),
                bias: dice.below(2) == 0,
                groups,
                ..ConvTranspose2d::DEFAULT
            };
            scope.call(layer, &[x])
        }
        14 => {
            let out = pair(1 + dice.below(4), 1 + dice.below(4));
            if dice.below(2) == 0 {
                scope.call(AdaptiveAvgPool2d { out }, &[x])
            } else {
                scope.call(AdaptiveMaxPool2d { out }, &[x])
            }
        }
        15 if height * width <= 30 => {
            let mode = dice.one_of(&[Resample::Nearest, Resample::Bilinear]);
            scope.call(Upsample { scale: dice.one_of(&[1, 2, pair(1, 2), pair(3, 1)]), mode }, &[x])
        }
        16 if channels.is_multiple_of(4) => scope.call(PixelShuffle { scale: 2 }, &[x]),
        13 if fits(3) => {
            let stride = dice.one_of(&[1, pair(1, 2)]);
            let layer = Conv2d {
                out: 1 + dice.below(5),
                kernel: dice.one_of(&[pair(1, 3), pair(3, 1), pair(2, 3)]),
                stride,
                weight_norm: stride == 1 && channels >= LEAST,
                padding: dice.one_of(&[0, pair(1, 0), pair(0, 2)]),
                ..Conv2d::DEFAULT
            };
            scope.call(layer, &[x])
        }
        _ => pointwise(dice, scope, x),
    }
}

/// A layer on a sequence with its channels first.
fn signal(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let &[channels, length] = x.shape().axes() else { return Ok(x) };
    let groups = if channels.is_multiple_of(2) { dice.one_of(&[1, 2]) } else { 1 };
    let (out, bias) = (2 * (1 + dice.below(4)), dice.below(2) == 0);
    match dice.below(5) {
        0 => {
            let (dilation, stride) = (dice.one_of(&[1, 2, 4]), dice.one_of(&[1, 1, 2]));
            let layer =
                Conv1d { out, kernel: 3, dilation, stride, groups, causal: true, bias, ..Conv1d::DEFAULT };
            scope.call(layer, &[x])
        }
        1 => {
            let stride = dice.one_of(&[1, 2, 3]);
            let conv = Conv1d { out, kernel: 3, stride, padding: 1, groups, bias, ..Conv1d::DEFAULT };
            scope.call(Conv1d { weight_norm: stride == 2 && channels >= LEAST, ..conv }, &[x])
        }
        2 if length <= 20 => {
            let (kernel, stride) = (dice.one_of(&[2, 3, 4]), dice.one_of(&[1, 2]));
            scope
                .call(ConvTranspose1d { out, kernel, stride, groups, bias, ..ConvTranspose1d::DEFAULT }, &[x])
        }
        3 if length >= 2 => {
            scope.call(MaxPool1d { kernel: 2, stride: dice.one_of(&[0, 1]), padding: 1 }, &[x])
        }
        _ => scope.call(AvgPool1d { kernel: 3, stride: 2, padding: 1 }, &[x]),
    }
}

fn sequence(dice: &mut Dice, scope: &mut Scope<'_>, x: Value) -> Result<Value> {
    let features = x.shape().last();
    match dice.below(16) {
        12 | 13 => signal(dice, scope, x),
        14 if dice.below(3) == 0 => {
            let axis = dice.below(2);
            match dice.below(4) {
                0 => scope.call(MeanPool { axis }, &[x]),
                3 if axis == 0 => scope.call(AttentionPool::DEFAULT, &[x]),
                1 => scope.call(MaxPool { axis }, &[x]),
                _ => scope.call(Last { axis }, &[x]),
            }
        }
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
            let (out, bias) = (1 + dice.below(24), dice.below(3) > 0);
            scope.call(
                Linear { out, bias, weight_norm: !bias && x.shape().last() >= LEAST, ..Linear::DEFAULT },
                &[x],
            )
        }
        3 => scope.call(BatchNorm::DEFAULT, &[x]),
        4 if x.shape().last() >= LEAST => scope.call(LayerNorm::DEFAULT, &[x]),
        _ => pointwise(dice, scope, x),
    }
}

/// A model with a bound layer of its own, a dropout, and numbered layers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Block {
    out: usize,
}

impl Config for Block {
    const NAME: &'static str = "block";
    const DEFAULT: Self = Self { out: 0 };
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Module for Block {
    const IS_MODEL: bool = true;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
        let out = self.out;
        let x = inputs[0];
        if x.shape().rank() == 3 {
            let conv = Conv2d { out, kernel: 1, ..Conv2d::DEFAULT };
            let inner = scope.declare(Some("inner"), conv, &[])?;
            let y = scope.apply(&inner, &[x])?;
            let y = scope.call(Relu {}, &[y])?;
            let y = scope.apply(&inner, &[y])?;
            return Ok(vec![scope.add(x, y)?]);
        }
        let inner = scope.declare(Some("inner"), Linear { out, ..Linear::DEFAULT }, &[])?;
        let y = scope.apply(&inner, &[x])?;
        let y = scope.call(Dropout { p: 0.3 }, &[y])?;
        let y = scope.apply(&inner, &[y])?;
        let y = scope.call(Linear { out, ..Linear::DEFAULT }, &[y])?;
        Ok(vec![scope.add(x, y)?])
    }
}

/// `y = weight * x` for each feature, without a planned form.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Scaled {}

impl Config for Scaled {
    const NAME: &'static str = "scaled";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Layer for Scaled {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input| Ok(input));

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        vec![Parameter::new("weight", &[inputs[0].last()], Role::Norm, Init::Ones)]
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        Ok(inputs[0].broadcast_mul(pass.parameter("weight")?)?)
    }
}
