//! Layers that move values without changing them: what they share.

use candle_core::Tensor;
use trainspec_kernels::strided::{Place, Strided};

use crate::error::Result;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Checks that a shape has an axis.
pub(super) const fn axis_of(input: Shape, axis: usize) -> CheckResult {
    if axis < input.rank() {
        return Ok(());
    }
    Err(CheckError::new("axis is ")
        .number(axis)
        .text("; expected an axis of ")
        .shape(input)
        .text(", counted from 0"))
}

/// The elements of an axis from `start` to before `end`.
pub(super) fn range(inputs: &[Shape], axis: usize, start: usize, end: usize) -> Lowering {
    let Some(input) = inputs.first().filter(|input| axis < input.rank()) else { return Lowering::Fallback };
    let (all, mut lengths) = (Place::rows(input.axes()), input.axes().to_vec());
    lengths[axis] = end.min(lengths[axis]).saturating_sub(start);
    let strided = Strided::new(&lengths, all.from(start * all.stride(axis)), Place::rows(&lengths));
    Lowering::kernel(kernels::Copied::new(strided, input.elements(), lengths.iter().product(), None))
}

/// The axes in another order.
pub(super) fn permuted(inputs: &[Shape], order: &[usize]) -> Lowering {
    let Some(input) = inputs.first().filter(|input| input.rank() == order.len()) else {
        return Lowering::Fallback;
    };
    let all = Place::rows(input.axes());
    let lengths: Vec<_> = order.iter().map(|&axis| input.axis(axis)).collect();
    let strides: Vec<_> = order.iter().map(|&axis| all.stride(axis)).collect();
    let strided = Strided::new(&lengths, Place::new(0, &strides), Place::rows(&lengths));
    Lowering::kernel(kernels::Copied::new(strided, input.elements(), input.elements(), None))
}

/// Values added around those of an axis.
pub(super) fn padded(inputs: &[Shape], axis: usize, (before, after): (usize, usize), value: f32) -> Lowering {
    let Some(input) = inputs.first().filter(|input| axis < input.rank()) else { return Lowering::Fallback };
    let mut lengths = input.axes().to_vec();
    lengths[axis] += before + after;
    let all = Place::rows(&lengths);
    let into = all.from(before * all.stride(axis));
    let strided = Strided::new(input.axes(), Place::rows(input.axes()), into);
    Lowering::kernel(kernels::Copied::new(strided, input.elements(), lengths.iter().product(), Some(value)))
}

/// The reference form of [`permuted`].
pub(super) fn permute(x: &Tensor, order: &[usize]) -> Result<Tensor> {
    let order: Vec<_> = std::iter::once(0).chain(order.iter().map(|axis| axis + 1)).collect();
    Ok(x.permute(order)?.contiguous()?)
}

/// Serializes an array of any length, which serde does not support, as a list.
pub(super) mod lengths {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<const COUNT: usize, S: Serializer>(
        lengths: &[usize; COUNT],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        lengths.as_slice().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, const COUNT: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[usize; COUNT], D::Error> {
        let lengths = Vec::<usize>::deserialize(deserializer)?;
        let count = lengths.len();
        lengths
            .try_into()
            .map_err(|_| Error::custom(format_args!("the list has {count} numbers; expected {COUNT}")))
    }
}
