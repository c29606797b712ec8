//! The kernels of the layers of this crate: what each needs, and how it is called.
//!
//! The arithmetic is in `trainspec-kernels`; a file here adapts it to a [`Plan`](crate::plan::Plan).

mod affine;
mod attention;
mod attention_pool;
mod batch_norm;
mod broadcast;
mod channel_factor;
mod concat;
mod copied;
mod difference;
mod embedding;
mod function;
mod group_norm;
mod padding_mask;
mod pool;
mod product;
mod recurrent;
mod rotary;
mod row_norm;
mod self_attention;
mod softmax;
mod upsample;

pub(crate) use affine::{Affine, Conv2d, ConvTranspose2d, Linear, WeightNorm};
pub(crate) use attention::Attention;
pub(crate) use attention_pool::AttentionPool;
pub(crate) use batch_norm::BatchNorm;
pub(crate) use broadcast::Broadcast;
pub(crate) use channel_factor::ChannelFactor;
pub(crate) use concat::Concat;
pub(crate) use copied::Copied;
pub(crate) use difference::Difference;
pub(crate) use embedding::{Embedding, PositionEmbedding, PositionEncoding, check_tokens};
pub(crate) use function::Function;
pub(crate) use group_norm::GroupNorm;
pub(crate) use padding_mask::PaddingMask;
pub(crate) use pool::{
    AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, AxisLast, AxisMax, AxisMean, GlobalAveragePool,
    MaxPool, PowerPool, along,
};
pub(crate) use product::Product;
pub(crate) use recurrent::{Recurrent, Stack};
pub(crate) use rotary::Rotary;
pub(crate) use row_norm::{LayerNorm, RmsNorm};
pub(crate) use self_attention::SelfAttention;
pub(crate) use softmax::Softmax;
pub(crate) use upsample::{PixelShuffle, Upsample};

use trainspec_kernels::matmul::WriteMode;

/// The values of a parameter, if the layer has it.
fn parameter(parameters: &[Vec<f32>], place: usize) -> Option<&[f32]> {
    parameters.get(place).map(Vec::as_slice)
}

/// The destination of a parameter's gradient, if the layer has it.
fn gradient<'a>(
    gradients: &'a mut [&mut [f32]],
    place: usize,
    onto: WriteMode,
) -> Option<(&'a mut [f32], WriteMode)> {
    gradients.get_mut(place).map(|gradient| (&mut **gradient, onto))
}
