//! `a + b`, `a - b`, `a * b`: elementwise operators on values of equal shape.
//!
//! Shapes must be equal and nothing broadcasts: a residual branch of another width is a mistake that
//! broadcasting would hide.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{Layer, OutputRule, two};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

macro_rules! elementwise {
    ($($(#[$docs:meta])* $layer:ident, $name:literal, $operator:literal, $method:ident, $form:expr;)*) => { $(
        $(#[$docs])*
        ///
        /// # Shapes
        /// Both inputs and the output have the same shape; nothing is broadcast.
        ///
        /// # Errors
        /// `` `+` has operands of shapes [4] and [8]; expected equal shapes (no broadcasting) ``, at compile time.
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {}

        impl $layer {
            /// Always succeeds: there is nothing to check.
            pub const fn check(&self) -> CheckResult {
                Ok(())
            }

            /// The common shape.
            pub const fn output(&self, a: Shape, b: Shape) -> CheckResult<Shape> {
                if let Err(problem) = a.reals() {
                    return Err(problem);
                }
                if a.same(b) {
                    return Ok(a);
                }
                Err(CheckError::new("`").text($operator).text("` has operands of shapes ")
                    .shape(a).text(" and ").shape(b).text("; expected equal shapes (no broadcasting)"))
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self {};
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }

        impl Layer for $layer {
            const OUTPUT: OutputRule<Self> = OutputRule::Two(Self::output);

            fn lowering(&self, _: &[Shape]) -> Lowering {
                $form
            }

            fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
                let (a, b) = two(inputs, self)?;
                Ok(a.$method(b)?)
            }
        }
    )* };
}

elementwise! {
    /// `a + b`, as an operator or as `a.add(b)`: the residual connection.
    Add, "add", "+", add, Lowering::Add;
    /// `a - b`, as an operator or as `a.sub(b)`.
    Sub, "sub", "-", sub, Lowering::kernel(kernels::Difference);
    /// `a * b` elementwise, as an operator or as `a.mul(b)`: a gate.
    Mul, "mul", "*", mul, Lowering::kernel(kernels::Product);
}
