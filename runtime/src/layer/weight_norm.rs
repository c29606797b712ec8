//! Weight normalization: what the layers with the key `weight_norm` share.

use candle_core::Tensor;
use trainspec_kernels::weight_norm::WeightNorm;

use super::{GraphParameter, Init, Initializer, Parameter, Role};
use crate::error::{Error, Result};
use crate::layer::Pass;
use crate::op::{Kernel, Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Checks that the directions are initialized to more than 0.
pub(super) const fn check(is_normalized: bool, init: Initializer) -> CheckResult {
    if is_normalized && matches!(init, Initializer::Zeros) {
        return Err(CheckError::new(
            "init is Zeros, but with `weight_norm = true` each output needs a direction; use another `init`",
        ));
    }
    Ok(())
}

/// Checks the same for the run's `init`, which the layers use that set none.
pub(crate) fn check_run_init(init: Initializer, parameters: &[GraphParameter]) -> Result<()> {
    let normalized = parameters.iter().find(|parameter| parameter.init == Init::RowNorms);
    match normalized.filter(|_| init == Initializer::Zeros) {
        None => Ok(()),
        Some(lengths) => Err(Error::Setting {
            key: "init".to_owned(),
            problem: format!(
                "it is `Zeros`, but with `weight_norm = true` each output needs a direction: `{}`; use another `init`, or set one for that \
                 layer",
                lengths.path
            ),
        }),
    }
}

/// A weight as one parameter, or as two: `weight_g`, the lengths of its rows, and `weight_v`, which has their directions.
pub(super) fn parameters(weight: Parameter, is_normalized: bool) -> Vec<Parameter> {
    if !is_normalized {
        return vec![weight];
    }
    let mut axes = [1; Shape::MAX_RANK];
    if let (Some(rows), Some(&outputs)) = (axes.first_mut(), weight.shape.axes().first()) {
        *rows = outputs;
    }
    let axes = axes.split_at(weight.shape.rank()).0;
    let lengths = Parameter::new("weight_g", axes, Role::Norm, Init::RowNorms);
    let directions = Parameter { name: "weight_v", torch: "parametrizations.weight.original1", ..weight };
    vec![lengths.named_in_torch("parametrizations.weight.original0"), directions]
}

/// The weight that a reference implementation uses.
pub(super) fn weight(pass: &Pass<'_>, is_normalized: bool) -> Result<Tensor> {
    if !is_normalized {
        return Ok(pass.parameter("weight")?.clone());
    }
    let (lengths, directions) = (pass.parameter("weight_g")?, pass.parameter("weight_v")?);
    let outputs = directions.dim(0)?;
    let rows = directions.reshape((outputs, ()))?;
    let squares = rows.sqr()?.sum_keepdim(1)?;
    // The root of 0 has an infinite slope.
    let squares = squares.eq(0.0)?.where_cond(&squares.ones_like()?, &squares)?;
    let factors = lengths.reshape((outputs, 1))?.div(&squares.sqrt()?)?;
    Ok(rows.broadcast_mul(&factors)?.reshape(directions.shape())?)
}

/// The kernel of a map with a weight of `rows` outputs, each of `columns` elements.
pub(super) fn lowering<A: kernels::Affine + Kernel + 'static>(
    map: A,
    is_normalized: bool,
    [rows, columns]: [usize; 2],
) -> Lowering {
    if is_normalized {
        Lowering::kernel(kernels::WeightNorm { map, weight: WeightNorm { rows, columns } })
    } else {
        Lowering::kernel(map)
    }
}
