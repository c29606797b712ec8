//! Functions of one number, without branches, so that a loop over them becomes SIMD.
//!
//! They are inlined into the loop that calls them, so such a loop belongs into [`simd!`](macro@crate::simd).
//! With NaN they give NaN, and where f32 ends they end in subnormal numbers, then in 0, or in infinity.
//!
//! The largest errors over all f32, against f64, as `cargo run --release --example accuracy` finds them; the unit
//! is that of the last place of the exact result, but for the derivatives, which cross 0: there it is
//! 2^-24 of the sum of the magnitudes of their two terms.
//!
//! | function | error |
//! | --- | --- |
//! | [`exp`] | TODO |
//!
//! [`gelu`] and [`phi`] hold theirs in the whole negative tail, down to the last subnormal number. [`gelu_tanh`] does
//! not: rounding the argument of its exponential costs up to a unit for each unit of that argument.
//!
//! ```
//! use trainspec_kernels::math::{gelu, phi};
//!
//! assert_eq!(phi(0.0), 0.5);
//! assert_eq!(gelu(f32::NEG_INFINITY), 0.0);
//! // From a table; 1 + erf(x / sqrt(2)) would be 0.
//! assert!((phi(-10.0) / 7.619_853e-24 - 1.0).abs() < 3e-7);
//! ```

mod exponential;
mod gated;
mod gaussian;
mod lanes;
mod logistic;
mod normal;
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
pub(crate) use lanes::{LANES, add, each, each_with, each_with_two, few_or, fold, load, put_few, store, zip};
pub use logistic::{sigmoid, sigmoid_slope};
pub use normal::{erf, phi};
pub use tangent::{tanh, tanh_slope};

/// `|x|`, at most `limit`; NaN for NaN.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn size(x: f32, limit: f32) -> f32 {
    let size = x.abs();
    if size > limit { limit } else { size }
}

/// What a function that nears `max(x, 0)` on both sides has besides: `x` above 0, else a 0 with its sign.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn ramp(x: f32) -> f32 {
    if x < 0.0 { -0.0 } else { x }
}
