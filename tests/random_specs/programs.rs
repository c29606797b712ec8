//! Declared programs that together cover every layer, loss, metric and target type, on a few samples each.

use trainspec::data::InMemory;
use trainspec::prelude::*;
use trainspec::{Dataset, Experiment, Kinds, Result, TargetKind};

use super::judge::{AnyProgram, Program};

/// The samples of each data set: 20 for training.
const SAMPLES: usize = 28;

/// Data with fixed splits.
struct Divided<D>(D, Split);

impl<D: Dataset> Dataset for Divided<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn sample(
        &self,
        index: usize,
        input: <D::Input as Kinds>::Row<'_>,
        target: <D::Target as Kinds>::Row<'_>,
    ) -> Result<()> {
        self.0.sample(index, input, target)
    }

    fn split(&self) -> Split {
        self.1.clone()
    }
}

/// The first 20 samples for training, and as many more for validation and test.
fn divided<D>(data: Result<D>, validation: usize, test: usize) -> Result<Divided<D>> {
    let split = Split::Fixed { train: 0..20, validation: 20..20 + validation, test: 24..24 + test };
    Ok(Divided(data?, split))
}

/// Returns pseudo-random values within [-1, 1].
fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + 13) % 101) as f32 / 50.0 - 1.0).collect()
}

fn classes(classes: u32) -> Vec<u32> {
    (0..SAMPLES as u32).map(|i| (i * i + i / 3) % classes).collect()
}

fn tokens(count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i * 31 + i * i) % 7).collect()
}

type Memory<I, T> = Result<Divided<InMemory<I, T>>>;

fn pictures() -> Memory<Image<2, 6, 6>, Class<3>> {
    divided(InMemory::new(noise(SAMPLES * 72), classes(3)), 4, 4)
}

fn points<T: TargetKind>(targets: Vec<T::Element>) -> Result<InMemory<Features<4>, T>> {
    InMemory::new(noise(SAMPLES * 4), targets)
}

fn sides() -> Memory<Features<4>, Class<2>> {
    divided(points(classes(2)), 4, 2)
}

fn thirds() -> Memory<Features<4>, Class<3>> {
    divided(points(classes(3)), 4, 0)
}

/// Every second label is unknown; of those for validation, all but one are.
fn unknown() -> Memory<Features<4>, Class<3>> {
    let label = |(i, class)| if i % 2 == 0 || (20..23).contains(&i) { 9 } else { class };
    divided(points(classes(3).into_iter().enumerate().map(label).collect()), 4, 4)
}

fn heights() -> Memory<Features<4>, Values<1>> {
    divided(points(noise(SAMPLES)), 4, 4)
}

fn pairs() -> Memory<Features<4>, Values<2>> {
    divided(points(noise(SAMPLES * 2)), 1, 1)
}

fn nothing_to_validate() -> Memory<Features<4>, Values<2>> {
    divided(points(noise(SAMPLES * 2)), 0, 0)
}

fn labels() -> Result<InMemory<Features<4>, Labels<3>>> {
    points(noise(SAMPLES * 3).into_iter().map(|x| f32::from(x > 0.0)).collect())
}

fn shares() -> Result<InMemory<Features<4>, Probabilities<3>>> {
    points([0.5, 0.25, 0.25, 0.0, 0.0, 1.0].repeat(SAMPLES / 2))
}

fn texts() -> Memory<Tokens<7, 5>, Tokens<7, 5>> {
    divided(InMemory::new(tokens(SAMPLES * 5), tokens(SAMPLES * 5 + 1)[1..].to_vec()), 4, 4)
}

fn sentences() -> Result<InMemory<Tokens<7, 5>, Class<3>>> {
    InMemory::new(tokens(SAMPLES * 5), classes(3))
}

/// Three training samples.
fn few() -> Memory<Features<4>, Class<3>> {
    let split = Split::Fixed { train: 0..3, validation: 3..5, test: 5..6 };
    Ok(Divided(points(classes(3))?, split))
}

#[model]
fn Deep(image: Image<2, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 4, kernel = 3, padding = 1, groups = 2, bias = false).batch_norm().relu();
    let y = x
        .conv2d(out = 4, kernel = 3, padding = 2, dilation = 2)
        .group_norm(groups = 2)
        .stochastic_depth(p = 0.2);
    let x = (x + y).max_pool2d(kernel = 2);
    x.flatten().dropout(p = 0.25).linear(out = 3)
}

#[model]
fn Pooled(image: Image<2, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 3, kernel = 2, stride = 2, init = Orthogonal { gain: 1.0 }).leaky_relu();
    x.avg_pool2d(kernel = 2, stride = 1).global_avg_pool().linear(out = 3)
}

#[model]
fn Normalized(x: Features<4>) -> Values<2> {
    x.linear(out = 6).layer_norm().gelu().linear(out = 5, bias = false).rms_norm().silu().linear(out = 2)
}

#[model]
fn Gated(x: Features<4>) -> Values<1> {
    let a = x.linear(out = 3).sigmoid();
    let b = x.linear(out = 3).tanh();
    (a - b).concat(a * b).linear(out = 1)
}

#[model]
fn Batched(x: Features<4>) -> Values<2> {
    x.linear(out = 5).batch_norm().relu().linear(out = 2)
}

#[model]
fn Line(x: Features<4>) -> Values<1> {
    x.linear(out = 1)
}

#[model]
fn Tagger(x: Features<4>) -> Logits<3> {
    x.linear(out = 4).softmax().linear(out = 3)
}

#[model]
fn Judge(x: Features<4>) -> Logits<1> {
    x.linear(out = 4).tanh().linear(out = 1)
}

#[model]
fn Spread(x: Features<4>) -> LogProbabilities<3> {
    x.linear(out = 4).relu().linear(out = 3).log_softmax()
}

#[model]
fn Two(x: Features<4>) -> Logits<2> {
    x.linear(out = 4, init = Zeros).tanh().linear(out = 2)
}

#[model]
fn Attentive(tokens: Tokens<7, 5>) -> TokenLogits<7> {
    let x = tokens.embedding(out = 4) + tokens.position_embedding(out = 4);
    let x = x + x.layer_norm().self_attention(heads = 2, causal = true, dropout = 0.1);
    x.layer_norm().linear(out = 7)
}

#[model]
fn Remembering(tokens: Tokens<7, 5>) -> TokenLogits<7> {
    tokens.embedding(out = 3).lstm(out = 4).linear(out = 7)
}

#[model]
fn Reading(tokens: Tokens<7, 5>) -> Logits<3> {
    tokens.embedding(out = 3).gru(out = 4).reshape(to = [20]).linear(out = 3)
}

train! {
    Pictures {
        model: Deep,
        data: pictures(),
        metrics: [Accuracy, TopK { k: 2 }, Precision, Recall, F1 { average: Average::Weighted }, Auroc, ConfusionMatrix],
        batch: 6,
        epochs: 2,
    }
}
train! { Margins { model: Pooled, data: pictures(), loss: Hinge, metrics: [F1], batch: 5, epochs: 2 } }
train! {
    Regression {
        model: Normalized,
        data: pairs(),
        metrics: [MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError, R2],
        batch: 7,
        epochs: 2,
    }
}
train! { Robust { model: Gated, data: heights(), loss: Huber, metrics: [R2], batch: 4, epochs: 2 } }
train! { Smooth { model: Batched, data: nothing_to_validate(), loss: SmoothL1, metrics: [R2], batch: 5, epochs: 2 } }
train! { Absolute { model: Line, data: heights(), loss: MeanAbsoluteError, batch: 20, steps: 3 } }
train! { Tags { model: Tagger, data: labels(), loss: BinaryCrossEntropy, batch: 5, epochs: 2 } }
train! { OneOfTwo { model: Judge, data: sides(), loss: BinaryCrossEntropy, batch: 5, epochs: 2 } }
train! { Sides { model: Judge, data: sides(), loss: Hinge { power: 2 }, batch: 5, epochs: 2 } }
train! { Likely { model: Spread, data: thirds(), loss: NegativeLogLikelihood, batch: 5, epochs: 2 } }
train! { Divergent { model: Spread, data: shares(), loss: KlDivergence, batch: 5, epochs: 2 } }
train! {
    Binary {
        model: Two,
        data: sides(),
        metrics: [F1 { average: Average::Binary }, Auroc, Recall { average: Average::Micro }],
        batch: 5,
        epochs: 2,
    }
}
train! { Texts { model: Attentive, data: texts(), metrics: [Accuracy, Perplexity, TopK { k: 3 }], batch: 4, epochs: 2 } }
train! { Memories { model: Remembering, data: texts(), metrics: [Perplexity, F1], batch: 4, epochs: 2 } }
train! { Sentences { model: Reading, data: sentences(), metrics: [Accuracy, Auroc], batch: 4, epochs: 2 } }
train! {
    Unknown {
        model: Tagger,
        data: unknown(),
        loss: CrossEntropy { ignore_index: Some(9), label_smoothing: 0.1 },
        metrics: [Accuracy, Auroc],
        batch: 4,
        epochs: 2,
    }
}
train! { Few { model: Tagger, data: few(), metrics: [Accuracy, Auroc], batch: 2, epochs: 2 } }

/// All programs.
pub(crate) fn all() -> Vec<Box<dyn AnyProgram>> {
    fn of<M: Model>(training: fn() -> Experiment<M>) -> Box<dyn AnyProgram> {
        Box::new(Program(training))
    }
    vec![
        of(Pictures::experiment),
        of(Margins::experiment),
        of(Regression::experiment),
        of(Robust::experiment),
        of(Smooth::experiment),
        of(Absolute::experiment),
        of(Tags::experiment),
        of(OneOfTwo::experiment),
        of(Sides::experiment),
        of(Likely::experiment),
        of(Divergent::experiment),
        of(Binary::experiment),
        of(Texts::experiment),
        of(Memories::experiment),
        of(Sentences::experiment),
        of(Unknown::experiment),
        of(Few::experiment),
    ]
}
