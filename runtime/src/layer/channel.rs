//! Parameters with one element for each channel.

use candle_core::Tensor;

use super::rule::{self, hold};
use crate::error::Result;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// The channels of a value: the first axis of an image, and the last axis of every other value.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    pub(super) count: usize,
    /// The consecutive elements of a channel.
    inner: usize,
}

impl Channels {
    pub(super) const fn of(input: Shape) -> CheckResult<Self> {
        if input.rank() != 3 {
            return Ok(Self { count: hold!(rule::vectors(input)), inner: 1 });
        }
        hold!(rule::image(input));
        Ok(Self { count: input.axis(0), inner: input.axis(1).saturating_mul(input.axis(2)) })
    }

    /// Those of the first of several inputs.
    pub(super) fn of_first(inputs: &[Shape]) -> Option<Self> {
        Self::of(*inputs.first()?).ok()
    }

    /// All elements as one channel.
    pub(super) fn joined(input: Shape) -> Self {
        Self { count: 1, inner: input.elements() }
    }

    /// A factor for each channel, or only for those elements that are below 0.
    pub(super) fn factor(self, only_below: bool) -> Lowering {
        let Self { count: channels, inner } = self;
        let sizes = trainspec_kernels::channel_factor::ChannelFactor { channels, inner, only_below };
        Lowering::kernel(kernels::ChannelFactor(sizes))
    }
}

/// `x` times one factor for each channel, or one for all.
pub(super) fn multiplied(x: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let factors = if x.rank() == 4 { factors.reshape((1, (), 1, 1))? } else { factors.clone() };
    Ok(x.broadcast_mul(&factors)?)
}
