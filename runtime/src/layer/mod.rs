//! Layers: what a model is made of.
//!
//! One file holds one layer: its configuration keys and their meaning, its rules (`check`, `output`), its
//! parameters, and its *reference implementation*, the layer written as candle tensor operations. Nothing built
//! in is privileged: a custom layer implements the same trait, [`Layer`], and is called in the same way.
//!
//! | layer | call name | what it does |
//! | --- | --- | --- |
//! | [`Linear`] | `linear` | `y = W x + b` on the last axis |
//! | [`Conv2d`] | `conv2d` | a learned filter that slides over an image |
//! | [`Conv1d`] | `conv1d` | a learned filter that slides along a sequence |
//! | [`ConvTranspose2d`], [`ConvTranspose1d`] | `conv_transpose2d`, `conv_transpose1d` | a learned filter that enlarges an image or a sequence |
//! | [`MaxPool2d`], [`AvgPool2d`] | `max_pool2d`, `avg_pool2d` | the largest or the mean value of each window |
//! | [`MaxPool1d`], [`AvgPool1d`] | `max_pool1d`, `avg_pool1d` | the same for sequences |
//! | [`LpPool2d`], [`LpPool1d`] | `lp_pool2d`, `lp_pool1d` | the p-norm of each window |
//! | [`AdaptiveMaxPool2d`], [`AdaptiveAvgPool2d`] | `adaptive_max_pool2d`, `adaptive_avg_pool2d` | the same for a fixed number of windows |
//! | [`GlobalAvgPool`] | `global_avg_pool` | the mean of each channel |
//! | [`MeanPool`], [`MaxPool`], [`Last`] | `mean_pool`, `max_pool`, `last` | the mean, the largest or the last value along an axis |
//! | [`AttentionPool`] | `attention_pool` | a learned weighted mean of the positions of a sequence |
//! | [`Upsample`] | `upsample` | an image enlarged by repeating or interpolating pixels |
//! | [`PixelShuffle`] | `pixel_shuffle` | channels that become pixels |
//! | [`BatchNorm`] | `batch_norm` | normalizes each channel to mean 0 and variance 1 over the batch |
//! | [`GroupNorm`] | `group_norm` | normalizes each group of channels to mean 0 and variance 1 in each image |
//! | [`InstanceNorm`] | `instance_norm` | normalizes each channel to mean 0 and variance 1 in each image |
//! | [`LayerNorm`] | `layer_norm` | normalizes each vector to mean 0 and variance 1 |
//! | [`RmsNorm`] | `rms_norm` | normalizes each vector to mean square 1 |
//! | [`Relu`], [`LeakyRelu`] | `relu`, `leaky_relu` | `max(x, 0)`, and the same with a small slope below 0 |
//! | [`Gelu`], [`Silu`], [`Mish`], [`Softplus`] | `gelu`, `silu`, `mish`, `softplus` | smooth variants of `relu` |
//! | [`Elu`], [`Selu`] | `elu`, `selu` | exponential below 0 |
//! | [`HardSwish`] | `hard_swish` | `silu` made of straight lines and a parabola |
//! | [`Prelu`] | `prelu` | `leaky_relu` with a learned slope |
//! | [`Tanh`], [`Sigmoid`] | `tanh`, `sigmoid` | squash values into (-1, 1) and (0, 1) |
//! | [`Softmax`] | `softmax` | probabilities along the last axis |
//! | [`LogSoftmax`] | `log_softmax` | the logarithms of these probabilities |
//! | [`LayerScale`] | `layer_scale` | a learned factor for each channel, small at first |
//! | [`Dropout`] | `dropout` | zeroes values at random in training |
//! | [`StochasticDepth`] | `stochastic_depth` | zeroes whole samples at random in training |
//! | [`Embedding`] | `embedding` | a learned vector for each token |
//! | [`PositionEmbedding`] | `position_embedding` | a learned vector for each position |
//! | [`PositionEncoding`] | `position_encoding` | sines and cosines of each position |
//! | [`Rotary`] | `rotary` | rotates queries or keys by their position |
//! | [`SelfAttention`] | `self_attention` | each position attends to the others |
//! | [`Attention`], [`MaskedAttention`] | `attention`, `masked_attention` | attention with given queries, keys and values |
//! | [`PaddingMask`] | `padding_mask` | which tokens are not padding |
//! | [`Lstm`], [`Gru`] | `lstm`, `gru` | recurrent layers, which read a sequence position by position |
//! | [`Flatten`], [`Reshape`] | `flatten`, `reshape` | the same values with other axes |
//! | [`Permute`], [`Transpose`] | `permute`, `transpose` | the axes in another order |
//! | [`Slice`], [`Select`] | `slice`, `select`, `x[2..6]`, `x[3]` | a range of an axis, and one index |
//! | [`Chunk`], [`Split`] | `chunk`, `split` | parts along an axis: `let (a, b) = x.chunk()` |
//! | [`Pad`] | `pad` | adds constant values around an axis |
//! | [`Concat`], [`Stack`] | `concat`, `stack` | joins two values along an axis, or along a new one |
//! | [`Add`], [`Sub`], [`Mul`], [`Div`] | `+`, `-`, `*`, `/` | elementwise, of two values |
//! | [`Affine`], [`Reciprocal`] | `+`, `-`, `*`, `/` | the same with a number |
//! | [`Abs`], [`Square`], [`Sqrt`], [`Exp`], [`Log`], [`Clamp`] | `abs`, `square`, `sqrt`, `exp`, `log`, `clamp` | functions of each element |
//!
//! "How to add" in ARCHITECTURE.md lists the steps for a new one.

mod activation;
mod adaptive_avg_pool2d;
mod adaptive_max_pool2d;
mod add;
mod affine;
mod as_last;
mod attention;
mod attention_pool;
mod avg_pool1d;
mod avg_pool2d;
mod axis;
mod batch_norm;
mod bindings;
mod channel;
mod chunk;
mod clamp;
mod concat;
mod conv1d;
mod conv2d;
mod conv_transpose1d;
mod conv_transpose2d;
mod convolution;
mod deviation;
mod dropout;
mod embedding;
mod flatten;
mod functions;
mod global_avg_pool;
mod group_norm;
mod gru;
mod initializer;
mod instance_norm;
mod kind;
mod last;
mod layer_norm;
mod layer_scale;
mod layout;
mod linear;
mod log_softmax;
mod lp_pool1d;
mod lp_pool2d;
mod lstm;
mod max_pool;
mod max_pool1d;
mod max_pool2d;
mod mean_pool;
pub mod names;
mod pad;
mod padding_mask;
mod pair;
mod part;
mod pass;
mod permute;
mod pixel_shuffle;
mod pooling;
mod position_embedding;
mod position_encoding;
mod prelu;
mod reciprocal;
mod recurrent;
mod reshape;
mod rms_norm;
mod rotary;
mod rule;
mod select;
mod self_attention;
mod slice;
mod softmax;
mod split;
mod stack;
mod stochastic_depth;
mod transposition;
mod upsample;
mod weight_norm;
mod window;

pub use activation::{
    Approximate, Elu, Gelu, HardSwish, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use adaptive_max_pool2d::AdaptiveMaxPool2d;
pub use add::{Add, Div, Mul, Sub};
pub use affine::Affine;
pub use as_last::AsLast;
pub use attention::{Attention, MaskedAttention};
pub use attention_pool::AttentionPool;
pub use avg_pool1d::AvgPool1d;
pub use avg_pool2d::AvgPool2d;
pub use axis::{Axis, ParameterAxes};
pub(crate) use axis::{fingerprint, folded, shape_of};
pub use batch_norm::BatchNorm;
pub use bindings::Bindings;
pub use chunk::Chunk;
pub use clamp::Clamp;
pub use concat::Concat;
pub use conv_transpose1d::ConvTranspose1d;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use functions::{Abs, Exp, Log, Sqrt, Square};
pub use global_avg_pool::GlobalAvgPool;
pub use group_norm::GroupNorm;
pub use gru::Gru;
pub use initializer::Initializer;
pub use instance_norm::InstanceNorm;
pub use kind::LayerKind;
pub use last::Last;
pub use layer_norm::LayerNorm;
pub use layer_scale::LayerScale;
pub use linear::Linear;
pub use log_softmax::LogSoftmax;
pub use lp_pool1d::LpPool1d;
pub use lp_pool2d::LpPool2d;
pub use lstm::Lstm;
pub use max_pool::MaxPool;
pub use max_pool1d::MaxPool1d;
pub use max_pool2d::MaxPool2d;
pub use mean_pool::MeanPool;
pub use pad::Pad;
pub use padding_mask::PaddingMask;
pub use pair::pair;
pub use part::{GraphParameter, Init, NodeParameter, Outputs, Parameter, Role, TiedName};
pub use pass::{Mode, Pass, Statistic};
pub use permute::{Permute, Transpose};
pub use pixel_shuffle::PixelShuffle;
pub use position_embedding::PositionEmbedding;
pub use position_encoding::PositionEncoding;
pub use prelu::Prelu;
pub use reciprocal::Reciprocal;
pub use reshape::Reshape;
pub use rms_norm::RmsNorm;
pub use rotary::Rotary;
pub use select::Select;
pub use self_attention::SelfAttention;
pub use slice::Slice;
pub use softmax::Softmax;
pub use split::Split;
pub use stack::Stack;
pub use stochastic_depth::StochasticDepth;
pub use upsample::{Resample, Upsample};
pub(crate) use weight_norm::check_run_init;

use candle_core::Tensor;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// A layer: a rule for shapes, parameters, and a reference implementation.
///
/// In addition to this trait, a layer has two inherent functions, which the macros call by name in a `const`:
/// `const fn check(&self) -> CheckResult` and `const fn output(&self, input: Shape) -> CheckResult<Shape>`
/// (with one more `Shape` for each further input). A layer that cannot train on a single sample declares so with the
/// shape of its output: [`Shape::for_batches_of`].
///
/// ```
/// use candle_core::Tensor;
/// use serde::{Deserialize, Serialize};
/// use trainspec::prelude::*;
/// use trainspec::layer::{Layer, OutputRule};
/// use trainspec::{Config, Pass, CheckError, Shape, CheckResult};
///
/// /// `y = x * sigmoid(beta * x)` (Ramachandran et al. 2017).
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Swish {
///     /// How sharp the gate is, above 0; 1 by default.
///     pub beta: f64,
/// }
/// // The name under which a model calls it.
/// pub use Swish as swish;
///
/// impl Swish {
///     pub const fn check(&self) -> CheckResult {
///         if self.beta > 0.0 {
///             return Ok(());
///         }
///         Err(CheckError::new("beta is ").float(self.beta).text("; expected a number above 0"))
///     }
///     pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
///         Ok(input)
///     }
/// }
///
/// impl Config for Swish {
///     const NAME: &'static str = "swish";
///     const DEFAULT: Self = Self { beta: 1.0 };
///     const CHECK: fn(&Self) -> CheckResult = Self::check;
/// }
///
/// impl Layer for Swish {
///     const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
///     fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> trainspec::Result<Tensor> {
///         let [x] = inputs else { return Err(trainspec::Error::arity("swish", 1, inputs.len())) };
///         Ok((x * candle_nn::ops::sigmoid(&(x * self.beta)?)?)?)
///     }
/// }
///
/// #[model]
/// pub fn Gated(x: Features<8>) -> Values<1> {
///     x.linear(out = 16).swish(beta = 1.5).linear(out = 1)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "this cannot be called on a value",
    note = "a type becomes a layer by implementing `trainspec::layer::Layer`"
)]
pub trait Layer: Config {
    /// The inherent `output`, for a graph that is built at run time.
    const OUTPUT: OutputRule<Self>;

    /// The axes of its parameters, for checks at compile time: that a layer that is called several times has the same
    /// parameters in each call, and that a parameter that it takes from another layer fits. For a layer without them, the
    /// default, these checks are made when the graph is built.
    const PARAMETERS: ParameterAxes = &[];

    /// Whether a model that returns logits may end in it; [`AsLast::Allowed`] by default.
    const AS_LAST: AsLast = AsLast::Allowed;

    /// The parameters and running statistics for inputs of these shapes, in the order of the file.
    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let _ = inputs;
        Vec::new()
    }

    /// Floating-point operations of the forward pass for one sample; a multiplication and an addition
    /// are two.
    fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        let _ = inputs;
        output.elements() as u64
    }

    /// Whether its parameters of the role [`Role::Embedding`] are tables with a row for each token of its input, of which
    /// it reads only the rows of the tokens in the batch; false by default. Optimizers can then skip the
    /// other rows.
    fn reads_rows(&self) -> bool {
        false
    }

    /// The share `u` of the new value in the running statistics, if each micro-batch in training sets all of them to
    /// `(1 - u) * statistic + u * new`; `None` by default. If it is known, they can be computed for averaged weights:
    /// [`Swa`](crate::optim::Swa).
    fn statistics_update(&self) -> Option<f64> {
        None
    }

    /// The kind of layer that it is, for [advice](crate::advice); [`LayerKind::Other`] by default.
    fn kind(&self) -> LayerKind {
        LayerKind::Other
    }

    /// How the planned engine executes the layer for inputs of these shapes; by default it runs the reference implementation.
    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let _ = inputs;
        Lowering::Fallback
    }

    /// The reference implementation: the layer as candle tensor operations, which candle differentiates.
    ///
    /// # Shapes
    /// Each input and the output have the batch as their first axis, then the axes of their [`Shape`].
    /// Token values are `u32`; real values are of one type, f32 in training and f64 in gradient tests.
    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor>;
}

/// A layer's shape rule, by its number of inputs.
pub enum OutputRule<L> {
    /// `x.layer()`
    One(fn(&L, Shape) -> CheckResult<Shape>),
    /// `x.layer(y)`
    Two(fn(&L, Shape, Shape) -> CheckResult<Shape>),
    /// `x.layer(y, z)`
    Three(fn(&L, Shape, Shape, Shape) -> CheckResult<Shape>),
    /// `x.layer(y, z, w)`
    Four(fn(&L, Shape, Shape, Shape, Shape) -> CheckResult<Shape>),
}

impl<L: Config> OutputRule<L> {
    /// The shape of the layer's output.
    ///
    /// # Errors
    /// If the layer takes another number of inputs, or its shape rule fails. The error names the layer.
    pub fn apply(&self, layer: &L, inputs: &[Shape]) -> Result<Shape> {
        let verdict = match (self, inputs) {
            (Self::One(rule), &[x]) => rule(layer, x),
            (Self::Two(rule), &[x, y]) => rule(layer, x, y),
            (Self::Three(rule), &[x, y, z]) => rule(layer, x, y, z),
            (Self::Four(rule), &[x, y, z, w]) => rule(layer, x, y, z, w),
            (Self::One(_), _) => return Err(Error::arity(L::NAME, 1, inputs.len())),
            (Self::Two(_), _) => return Err(Error::arity(L::NAME, 2, inputs.len())),
            (Self::Three(_), _) => return Err(Error::arity(L::NAME, 3, inputs.len())),
            (Self::Four(_), _) => return Err(Error::arity(L::NAME, 4, inputs.len())),
        };
        verdict.map_err(|problem| problem.of(L::NAME).into())
    }
}

/// The input of a layer with one input.
pub(crate) fn one<'a, L: Config>(inputs: &'a [Tensor], _: &L) -> Result<&'a Tensor> {
    match inputs {
        [x] => Ok(x),
        _ => Err(Error::arity(L::NAME, 1, inputs.len())),
    }
}

/// The two inputs of a layer with two inputs.
pub(crate) fn two<'a, L: Config>(inputs: &'a [Tensor], _: &L) -> Result<(&'a Tensor, &'a Tensor)> {
    match inputs {
        [x, y] => Ok((x, y)),
        _ => Err(Error::arity(L::NAME, 2, inputs.len())),
    }
}
