//! `a + b`, `a - b`, `a * b`, `a / b`: elementwise operators on two values.
//!
//! The result has the shape of one of the values. The other one has the same shape, or the length 1 along some axes, along
//! which it is repeated: `[3, 8, 8] * [3, 1, 1]`. Nothing else broadcasts: not a value with fewer axes, and not two values
//! that would both be repeated. Those are usually mistakes, such as a residual branch of another width.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::broadcast::Operator;

use super::{Layer, OutputRule, two};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

macro_rules! elementwise {
    ($($(#[$docs:meta])* $layer:ident, $name:literal, $operator:literal, $method:ident, $broadcast:ident, $kernel:expr, $form:expr;)*) => { $(
        $(#[$docs])*
        ///
        /// # Shapes
        /// Both inputs and the output have the same shape; or one input has the length 1 along some axes, and is repeated
        /// there: `[3, 8, 8]` and `[3, 1, 1]`.
        ///
        /// # Errors
        /// `` `+` has operands of shapes [4] and [8]; expected equal shapes, or one with axes of length 1 ``, at compile time.
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {}

        impl $layer {
            /// Always succeeds: there is nothing to check.
            pub const fn check(&self) -> CheckResult {
                Ok(())
            }

            /// The common shape, or that of the value that is not repeated.
            pub const fn output(&self, a: Shape, b: Shape) -> CheckResult<Shape> {
                if let Err(problem) = a.reals() {
                    return Err(problem);
                }
                joint(a, b, $operator)
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self {};
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }

        impl Layer for $layer {
            const OUTPUT: OutputRule<Self> = OutputRule::Two(Self::output);

            fn flops(&self, _: &[Shape], output: Shape) -> u64 {
                output.elements() as u64
            }

            fn lowering(&self, inputs: &[Shape]) -> Lowering {
                match inputs {
                    &[a, b] if !a.same(b) => Lowering::kernel(kernels::Broadcast::new($kernel, a, b)),
                    _ => $form(inputs),
                }
            }

            fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
                let (a, b) = two(inputs, self)?;
                Ok(if a.dims() == b.dims() { a.$method(b)? } else { a.$broadcast(b)? })
            }
        }
    )* };
}

/// The shape of the result, which is that of one operand; the other one is equal, or repeated along axes of length 1.
const fn joint(a: Shape, b: Shape, operator: &str) -> CheckResult<Shape> {
    if a.same(b) || repeats(b, a) {
        return Ok(a);
    }
    if repeats(a, b) {
        return Ok(b);
    }
    let problem = CheckError::new("`").text(operator).text("` has operands of shapes ");
    let problem = problem.shape(a).text(" and ").shape(b);
    Err(if a.rank() == b.rank() {
        problem.text("; expected equal shapes, or one with axes of length 1")
    } else {
        problem.text("; expected equal shapes, or as many axes with a length of 1 in one of them")
    })
}

/// Whether `small` is repeated along axes of length 1 to the shape `full`.
const fn repeats(small: Shape, full: Shape) -> bool {
    if small.rank() != full.rank() || small.vocabulary().is_some() || full.vocabulary().is_some() {
        return false;
    }
    let mut i = 0;
    while i < full.rank() {
        if small.axis(i) != 1 && small.axis(i) != full.axis(i) {
            return false;
        }
        i += 1;
    }
    true
}

elementwise! {
    /// `a + b`, as an operator or as `a.add(b)`: the residual connection.
    Add, "add", "+", add, broadcast_add, Operator::Add, |_: &[Shape]| Lowering::Add;
    /// `a - b`, as an operator or as `a.sub(b)`.
    Sub, "sub", "-", sub, broadcast_sub, Operator::Sub, |_: &[Shape]| Lowering::kernel(kernels::Difference);
    /// `a * b` elementwise, as an operator or as `a.mul(b)`: a gate.
    Mul, "mul", "*", mul, broadcast_mul, Operator::Mul, |_: &[Shape]| Lowering::kernel(kernels::Product);
    /// `a / b` elementwise, as an operator or as `a.div(b)`; infinite or NaN where `b` is 0.
    Div, "div", "/", div, broadcast_div, Operator::Div, |inputs: &[Shape]| match inputs {
        &[a, b] => Lowering::kernel(kernels::Broadcast::new(Operator::Div, a, b)),
        _ => Lowering::Fallback,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operand_has_the_shape_of_the_result() {
        let shape = Shape::of;
        let add = |a: &[usize], b: &[usize]| Add {}.output(shape(a), shape(b));
        assert_eq!(add(&[3, 8], &[3, 8]), Ok(shape(&[3, 8])));
        assert_eq!(add(&[3, 8, 8], &[3, 1, 1]), Ok(shape(&[3, 8, 8])));
        assert_eq!(add(&[1, 8], &[3, 8]), Ok(shape(&[3, 8])));
        assert_eq!(
            add(&[4], &[8]).unwrap_err().as_str(),
            "`+` has operands of shapes [4] and [8]; expected equal shapes, or one with axes of length 1"
        );
        assert!(add(&[3, 1], &[1, 4]).is_err());
        assert!(add(&[3, 8], &[8]).is_err());
        assert!(Add {}.output(Shape::tokens(5, 1), shape(&[8])).is_err());
        assert!(Add {}.output(shape(&[8]), Shape::tokens(5, 1)).is_err());
    }
}
