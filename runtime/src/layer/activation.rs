//! Activations: functions of each element, which kernels apply to their results.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use candle_core::Tensor;
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};
use trainspec_kernels::epilogue::Activation;

use super::rule::{self, hold};
use super::{AsLast, Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// The formula by which [`Gelu`] is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximate {
    /// With the error function: exact.
    #[default]
    None,
    /// With the hyperbolic tangent, as in GPT-2; the error is at most 5e-4.
    Tanh,
}

/// The table of activations. `check` are the rules of the keys, `flops` the operations for each element, `lowering` the kernel's
/// function, and `forward` the reference implementation.
macro_rules! activations {
    ($(
        $(#[$docs:meta])*
        $layer:ident = $name:literal {
            $($(#[$key_docs:meta])* $key:ident: $type:ty = $default:expr,)*
        }
        errors $errors:literal;
        source $source:literal;
        kind $kind:ident;
        $(as_last $as_last:ident;)?
        flops $flops:literal;
        |$this:ident| check $check:expr, lowering $lowering:expr, forward |$x:ident| $forward:expr;
    )*) => { $(
        $(#[$docs])*
        ///
        /// # Shapes
        /// Any shape of real values, unchanged.
        ///
        /// # Errors
        #[doc = $errors]
        ///
        /// # Source
        #[doc = $source]
        ///
        /// # Example
        /// ```
        #[doc = concat!("use trainspec::layer::", stringify!($layer), ";")]
        /// use trainspec::{Config, Shape};
        ///
        /// let x = Shape::of(&[32, 8, 8]);
        #[doc = concat!("assert_eq!(", stringify!($layer), "::DEFAULT.output(x), Ok(x));")]
        /// ```
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            $($(#[$key_docs])* pub $key: $type,)*
        }

        impl $layer {
            /// The rules of the keys.
            pub const fn check(&self) -> CheckResult {
                let $this = self;
                $check
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self { $($key: $default,)* };
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }

        impl Layer for $layer {
            const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
            $(const AS_LAST: AsLast = AsLast::$as_last;)?

            fn flops(&self, _: &[Shape], output: Shape) -> u64 {
                rule::operations(&[$flops, output.elements()])
            }

            fn kind(&self) -> LayerKind {
                LayerKind::$kind
            }

            fn lowering(&self, _: &[Shape]) -> Lowering {
                let $this = self;
                Lowering::Activation($lowering)
            }

            fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
                let ($this, $x) = (self, one(inputs, self)?);
                $forward
            }
        }
    )* };
}

activations! {
    /// The rectified linear unit, `y = max(x, 0)`.
    ///
    /// The gradient at 0 is 0, as in PyTorch. NaN stays NaN.
    Relu = "relu" {}
    errors "Only for an input of tokens, at compile time.";
    source "Nair & Hinton 2010.";
    kind Rectifier;
    flops 1;
    |_layer| check Ok(()), lowering Activation::Relu, forward |x| {
        // Not candle's own `relu`, whose gradient at 0 is 1. "Not at most 0" is true of NaN.
        Ok(x.le(0.0)?.where_cond(&x.zeros_like()?, x)?)
    };

    /// The leaky rectified linear unit: `y = x` above 0, `y = slope * x` elsewhere.
    ///
    /// The gradient at 0 is `slope`, as in PyTorch. With a learned slope it is [`Prelu`](super::Prelu).
    LeakyRelu = "leaky_relu" {
        /// The slope below 0, any finite number; 0.01 by default.
        slope: f64 = 0.01,
    }
    errors "`leaky_relu: slope is NaN; expected a finite number`, at compile time.";
    source "Maas et al. 2013.";
    kind Activation;
    flops 2;
    |layer| check rule::finite("slope", layer.slope),
    lowering Activation::LeakyRelu { slope: layer.slope as f32 },
    forward |x| Ok(x.gt(0.0)?.where_cond(x, &x.affine(layer.slope, 0.0)?)?);

    /// The exponential linear unit: `y = x` above 0, `y = alpha * (exp(x) - 1)` elsewhere.
    Elu = "elu" {
        /// Minus the limit far below 0, any finite number; 1 by default.
        alpha: f64 = 1.0,
    }
    errors "`elu: alpha is NaN; expected a finite number`, at compile time.";
    source "Clevert et al. 2016.";
    kind Activation;
    flops 4;
    |layer| check rule::finite("alpha", layer.alpha),
    lowering Activation::Elu { alpha: layer.alpha as f32, scale: 1.0 },
    forward |x| elu(x, layer.alpha);

    /// The scaled exponential linear unit, `y = 1.0507 elu(x)` with `alpha = 1.67326`, under which the values of a deep network of
    /// `linear` layers keep mean 0 and variance 1.
    ///
    /// This holds for weights of variance `1 / inputs`, which `init = Lecun` gives.
    Selu = "selu" {}
    errors "Only for an input of tokens, at compile time.";
    source "Klambauer et al. 2017, whose constants have 16 digits.";
    kind Activation;
    flops 5;
    |_layer| check Ok(()),
    lowering Activation::Elu { alpha: SELU_ALPHA as f32, scale: SELU_SCALE as f32 },
    forward |x| Ok(elu(x, SELU_ALPHA)?.affine(SELU_SCALE, 0.0)?);

    /// The softplus, `y = ln(1 + exp(x))`: a smooth variant of `relu`, above 0 everywhere.
    Softplus = "softplus" {}
    errors "Only for an input of tokens, at compile time.";
    source "Dugas et al. 2001.";
    kind Activation;
    flops 4;
    |_layer| check Ok(()), lowering Activation::Softplus, forward |x| softplus(x);

    /// The Gaussian error linear unit, `y = x * P(z <= x)` for a standard normal `z`.
    ///
    /// That is `y = x (1 + erf(x / sqrt 2)) / 2`, or, with `approximate = Approximate::Tanh`,
    /// `y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`.
    Gelu = "gelu" {
        /// The formula; [`Approximate::None`], the exact one, by default.
        approximate: Approximate = Approximate::None,
    }
    errors "Only for an input of tokens, at compile time.";
    source "Hendrycks & Gimpel 2016.";
    kind Activation;
    // the error function, or the polynomial and the tangent, count as few; then a product and a sum
    flops 8;
    |layer| check {
        let _ = layer;
        Ok(())
    },
    lowering match layer.approximate {
        Approximate::None => Activation::Gelu,
        Approximate::Tanh => Activation::GeluTanh,
    },
    forward |x| {
        // Not candle's own `gelu` and `gelu_erf`, whose gradients use constants rounded to six digits.
        let gate = match layer.approximate {
            Approximate::None => x.affine(FRAC_1_SQRT_2, 0.0)?.erf()?,
            Approximate::Tanh => {
                /// The input beyond which `(1 + tanh(…)) / 2` is exactly 0 or 1 in f64.
                const END: f64 = 11.0;
                let root = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
                // The square of a value far beyond the limit is infinite, and the gradient would be 0 times infinity.
                let near = x.clamp(-END, END)?;
                (near.sqr()?.affine(0.044_715 * root, root)? * near)?.tanh()?
            }
        };
        Ok((gate.affine(0.5, 0.5)? * x)?)
    };

    /// The sigmoid-weighted linear unit, `y = x / (1 + exp(-x))`, also called swish.
    Silu = "silu" {}
    errors "Only for an input of tokens, at compile time.";
    source "Elfwing et al. 2018; Ramachandran et al. 2017.";
    kind Activation;
    // negation, exponential, sum and quotient
    flops 4;
    |_layer| check Ok(()), lowering Activation::Silu, forward |x| {
        // Not candle's own `silu`, whose gradient, `s (1 - x s) + x s` with `s = sigmoid(x)`, loses precision as x grows,
        // and is 0 from 3e7 on.
        Ok((x * sigmoid(x)?)?)
    };

    /// Mish, `y = x tanh(ln(1 + exp(x)))`.
    Mish = "mish" {}
    errors "Only for an input of tokens, at compile time.";
    source "Misra 2019.";
    kind Activation;
    flops 8;
    |_layer| check Ok(()), lowering Activation::Mish, forward |x| Ok((x * softplus(x)?.tanh()?)?);

    /// The hard variant of [`Silu`], `y = x max(0, min(x + 3, 6)) / 6`.
    ///
    /// The gradient is 0 at -3 and 1 at 3.
    HardSwish = "hard_swish" {}
    errors "Only for an input of tokens, at compile time.";
    source "Howard et al. 2019.";
    kind Activation;
    flops 5;
    |_layer| check Ok(()), lowering Activation::HardSwish, forward |x| {
        let inner = (x * x.affine(1.0 / 6.0, 0.5)?)?;
        let y = x.ge(3.0)?.where_cond(x, &inner)?;
        Ok(x.le(-3.0)?.where_cond(&x.zeros_like()?, &y)?)
    };

    /// The elementwise hyperbolic tangent, with values in (-1, 1).
    Tanh = "tanh" {}
    errors "Only for an input of tokens, at compile time.";
    source "LeCun et al. 1998 on why it learns better than `sigmoid`.";
    kind Activation;
    flops 1;
    |_layer| check Ok(()), lowering Activation::Tanh, forward |x| Ok(x.tanh()?);

    /// The logistic function, `y = 1 / (1 + exp(-x))`, with values in (0, 1).
    ///
    /// Do not use it before a loss that takes logits: such a loss applies it itself, more accurately.
    Sigmoid = "sigmoid" {}
    errors "Only for an input of tokens, at compile time.";
    source "Rumelhart et al. 1986.";
    kind Activation;
    as_last Probabilities;
    // negation, exponential, sum and quotient
    flops 4;
    |_layer| check Ok(()), lowering Activation::Sigmoid, forward |x| Ok(sigmoid(x)?);
}

const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// `x` where it is above 0, else 0; and `x` where it is not. An operation that is not selected, but computed and differentiated, is
/// computed of these: of a large value it would be infinite, and its gradient 0 times infinity.
fn sides(x: &Tensor) -> Result<[Tensor; 2]> {
    let (is_above, zeros) = (x.gt(0.0)?, x.zeros_like()?);
    Ok([is_above.where_cond(x, &zeros)?, is_above.where_cond(&zeros, x)?])
}

/// `x` above 0, else `alpha (exp(x) - 1)`.
fn elu(x: &Tensor, alpha: f64) -> Result<Tensor> {
    let [above, below] = sides(x)?;
    let below = below.exp()?.affine(alpha, -alpha)?;
    Ok(x.gt(0.0)?.where_cond(&above, &below)?)
}

/// `max(x, 0) + ln(1 + exp(-|x|))`
fn softplus(x: &Tensor) -> Result<Tensor> {
    let [above, below] = sides(x)?;
    let rest = |x: Tensor| x.exp()?.affine(1.0, 1.0)?.log();
    let above = (&above + rest(above.neg()?)?)?;
    Ok(x.gt(0.0)?.where_cond(&above, &rest(below)?)?)
}

// Not in the table: rustc shows where these are defined if a call has too many values, and would show the whole table.
impl Relu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl LeakyRelu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Elu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Selu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Softplus {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Gelu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Silu {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Mish {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl HardSwish {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Tanh {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

impl Sigmoid {
    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        unchanged(input)
    }
}

/// The shape of an input of real values.
const fn unchanged(input: Shape) -> CheckResult<Shape> {
    hold!(rule::reals(input));
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_shapes<L: Layer>(output: fn(&L, Shape) -> CheckResult<Shape>) {
        assert!((L::CHECK)(&L::DEFAULT).is_ok(), "{}", L::NAME);
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(output(&L::DEFAULT, Shape::of(axes)), Ok(Shape::of(axes)), "{}", L::NAME);
        }
        assert!(output(&L::DEFAULT, Shape::of(&[3, 0])).is_err(), "{}", L::NAME);
        assert!(output(&L::DEFAULT, Shape::tokens(5, 4)).is_err(), "{}", L::NAME);
    }

    #[test]
    fn every_real_shape_is_accepted() {
        check_shapes(Relu::output);
        check_shapes(LeakyRelu::output);
        check_shapes(Elu::output);
        check_shapes(Selu::output);
        check_shapes(Softplus::output);
        check_shapes(Gelu::output);
        check_shapes(Silu::output);
        check_shapes(Mish::output);
        check_shapes(HardSwish::output);
        check_shapes(Tanh::output);
        check_shapes(Sigmoid::output);
    }

    #[test]
    fn keys_must_be_finite() {
        assert!(LeakyRelu { slope: -1.0 }.check().is_ok());
        assert!(LeakyRelu { slope: f64::INFINITY }.check().is_err());
        let problem = LeakyRelu { slope: f64::NAN }.check().unwrap_err();
        assert_eq!(problem.as_str(), "slope is NaN; expected a finite number");
        assert!(Elu { alpha: f64::NAN }.check().is_err());
    }

    #[test]
    fn keys_serialize_as_strings() {
        let json = serde_json::to_string(&Gelu { approximate: Approximate::Tanh }).unwrap();
        assert_eq!(json, r#"{"approximate":"tanh"}"#);
    }
}
