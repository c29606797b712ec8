//! Branch-free scalar functions, so that loops over them vectorize.
//!
//! They are inlined into the calling loop, which belongs in [`simd!`](macro@crate::simd).
//! NaN yields NaN. At the limits of f32 they return subnormal numbers, then 0, or infinity.
//!
//! The largest errors against f64, measured by the example `accuracy` over all f32 with magnitudes from 2^-27 to 256, and
//! every 101st block of 4096 of those beyond, where the functions are linear or constant. The unit is the ulp of
//! the exact result. For the derivatives which cross 0, marked by a star, it is 2^-24 of the sum of the
//! magnitudes of their two terms.
//!
//! | function | error | of its derivative |
//! | --- | --- | --- |
//! | [`exp`] | 0.91 | |
//! | [`erf`] | 1.60 | |
//! | [`phi`] | 6.10 | |
//! | [`sigmoid`] | 2.41 | [`sigmoid_slope`] 4.22 |
//! | [`tanh`] | 2.50 | [`tanh_slope`] 4.22 |
//! | [`silu`] | 3.35 | [`silu_slope`] 4.79* |
//! | [`gelu`] | 6.09 | [`gelu_slope`] 5.08* |
//! | [`gelu_tanh`] | 215 | [`gelu_tanh_slope`] 221* |
//! | [`exp_m1`] up to 0 | 1.00 | |
//! | [`softplus`] | 2.00 | |
//! | [`mish`] | 4.50 | [`mish_slope`] 4.70* |
//!
//! [`ln`] has 0.99, measured by its own test over every 3001st positive f32 and every 13th from 0.5 to 2.
//!
//! So [`gelu`], [`phi`], [`silu`] and [`sigmoid`] stay accurate in the entire negative tail, down to the last subnormal
//! number. [`gelu_tanh`] does not: rounding the argument of its exponential costs up to 3 of 2^-24 of the result for
//! each unit of that argument, which is 1.7 at -1, 11 at -4 and 87 at -10.
//!
//! ```
//! use trainspec_kernels::math::{gelu, phi};
//!
//! assert_eq!(phi(0.0), 0.5);
//! assert_eq!(gelu(f32::NEG_INFINITY), 0.0);
//! // From a table; 1 + erf(x / sqrt(2)) would be 0.
//! assert!((phi(-10.0) / 7.619_853e-24 - 1.0).abs() < 3e-7);
//! ```
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

mod exponential;
mod gated;
mod gaussian;
mod lanes;
mod logarithm;
mod logistic;
mod normal;
mod power;
mod smooth;
mod tangent;

#[cfg(test)]
mod comparison;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;

#[cfg(test)]
use crate::{math, simd};

pub use exponential::exp;
pub use gated::{silu, silu_slope};
pub use gaussian::{gelu, gelu_slope, gelu_tanh, gelu_tanh_slope};
pub(crate) use lanes::{
    LANES, each, each_with, each_with_two, few_or, fold, load, load_each, parts, put_few, store, zip,
};
pub use logarithm::ln;
pub(crate) use logarithm::ln_1p;
pub use logistic::{sigmoid, sigmoid_slope};
pub use normal::{erf, phi};
pub(crate) use power::power;
pub use smooth::{exp_m1, mish, mish_slope, softplus};
pub use tangent::{tanh, tanh_slope};

/// `|x|`, at most `limit`; NaN for NaN.
#[inline(always)]
fn size(x: f32, limit: f32) -> f32 {
    let size = x.abs();
    if size > limit { limit } else { size }
}

/// The asymptote of functions that approach `max(x, 0)` on both sides: `x` above 0, else a 0 with its sign.
#[inline(always)]
fn ramp(x: f32) -> f32 {
    if x < 0.0 { -0.0 } else { x }
}
