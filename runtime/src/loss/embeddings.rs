//! Distances between the embeddings of a sample, for the losses that compare them.

use candle_core::{D, Tensor};

use crate::error::Result;

/// Returns embedding `place` of `[batch, count, size]`, as `[batch, size]`.
pub(super) fn embedding(all: &Tensor, place: usize) -> Result<Tensor> {
    Ok(all.narrow(1, place, 1)?.squeeze(1)?)
}

/// Computes the cosine of the angle between vectors along the last axis. As in PyTorch's `CosineEmbeddingLoss`, 1e-12 is added to
/// each sum of squares.
pub(super) fn cosine(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let squares = |x: &Tensor| x.sqr()?.sum(D::Minus1)?.affine(1.0, 1e-12);
    let product = a.broadcast_mul(b)?.sum(D::Minus1)?;
    Ok(product.broadcast_div(&squares(a)?.broadcast_mul(&squares(b)?)?.sqrt()?)?)
}

/// Computes the Euclidean distance of vectors along the last axis. As in PyTorch's `PairwiseDistance`, 1e-6 is added to each difference, so
/// that the slope is finite at 0.
pub(super) fn distance(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok((a - b)?.affine(1.0, 1e-6)?.sqr()?.sum(D::Minus1)?.sqrt()?)
}

/// Converts classes of two to 1 for class 0 and -1 for class 1.
pub(super) fn signs(classes: &Tensor, like: &Tensor) -> Result<Tensor> {
    Ok(classes.to_dtype(like.dtype())?.affine(-2.0, 1.0)?)
}
