//! Functions of each element without keys: `abs`, `square`, `sqrt`, `exp`, `log`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::unary::Unary;

use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

macro_rules! functions {
    ($($(#[$docs:meta])* $layer:ident, $name:literal, $unary:expr, $forward:expr;)*) => { $(
        $(#[$docs])*
        ///
        /// # Shapes
        /// Any shape of real values, unchanged.
        ///
        /// # Errors
        #[doc = concat!("`", $name, ": the input [8] holds token ids; put `embedding` before it`, at compile time.")]
        ///
        /// # Source
        #[doc = concat!("PyTorch's `", $name, "`.")]
        ///
        /// # Example
        /// ```
        #[doc = concat!("use trainspec::layer::", stringify!($layer), ";")]
        /// use trainspec::Shape;
        ///
        /// let x = Shape::of(&[32, 8, 8]);
        #[doc = concat!("assert_eq!(", stringify!($layer), " {}.output(x), Ok(x));")]
        /// ```
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {}

        impl $layer {
            /// Always succeeds: there is nothing to check.
            pub const fn check(&self) -> CheckResult {
                Ok(())
            }

            /// The input's shape.
            pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
                hold!(rule::reals(input));
                Ok(input)
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self {};
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }

        impl Layer for $layer {
            const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

            fn lowering(&self, _: &[Shape]) -> Lowering {
                Lowering::kernel(kernels::Function($unary))
            }

            fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
                let forward: fn(&Tensor) -> candle_core::Result<Tensor> = $forward;
                Ok(forward(one(inputs, self)?)?)
            }
        }
    )* };
}

functions! {
    /// The absolute value of each element; its derivative at 0 is 0.
    // candle's own derivative at 0 is 1.
    Abs, "abs", Unary::Abs, |x| x * x.sign()?.detach();
    /// The square of each element.
    Square, "square", Unary::Square, Tensor::sqr;
    /// The square root of each element: NaN below 0, and with an infinite derivative at 0.
    Sqrt, "sqrt", Unary::Sqrt, Tensor::sqrt;
    /// The exponential function of each element.
    Exp, "exp", Unary::Exp, Tensor::exp;
    /// The natural logarithm of each element: NaN below 0, and negative infinity at 0.
    Log, "log", Unary::Log, Tensor::log;
}
