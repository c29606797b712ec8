//! Activations as types, so that each has its own compiled loop.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use crate::math;

/// A scalar function, and its derivative.
pub(super) trait Function: Copy {
    fn value(self, x: f32) -> f32;
    /// The derivative at the input `x`, or for the types named so, at the output `x`.
    fn slope(self, x: f32) -> f32;
}

macro_rules! function {
    ($name:ident, $value:expr, $slope:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name;

        impl Function for $name {
            #[inline(always)]
            fn value(self, x: f32) -> f32 {
                $value(x)
            }

            #[inline(always)]
            fn slope(self, x: f32) -> f32 {
                $slope(x)
            }
        }
    };
}

// NaN is not below 0, and propagates. The output is 0 where the input is not above 0, so that this is `relu'` from either.
function!(Relu, |x| if x <= 0.0 { 0.0 } else { x }, |x| if x <= 0.0 { 0.0 } else { 1.0 });
function!(Gelu, math::gelu, math::gelu_slope);
function!(GeluTanh, math::gelu_tanh, math::gelu_tanh_slope);
function!(Silu, math::silu, math::silu_slope);
function!(Tanh, math::tanh, math::tanh_slope);
function!(Sigmoid, math::sigmoid, math::sigmoid_slope);
function!(TanhOfOutput, math::tanh, |y: f32| (-y).mul_add(y, 1.0));
function!(SigmoidOfOutput, math::sigmoid, |y: f32| y * (1.0 - y));

function!(Softplus, math::softplus, math::sigmoid);
function!(Mish, math::mish, math::mish_slope);
function!(HardSwish, hard_swish, |x: f32| {
    let inner = x.mul_add(1.0 / 3.0, 0.5);
    let inner = if x <= -3.0 { 0.0 } else { inner };
    if x >= 3.0 { 1.0 } else { inner }
});

#[inline(always)]
fn hard_swish(x: f32) -> f32 {
    // Not from -infinity, times 0.
    let x = if x < -3.0 { -3.0 } else { x };
    let gate = if x > 3.0 { 6.0 } else { x + 3.0 };
    x * (gate * (1.0 / 6.0))
}

#[derive(Clone, Copy)]
pub(super) struct Elu {
    pub(super) alpha: f32,
    pub(super) scale: f32,
}

impl Function for Elu {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        let below = self.alpha * math::exp_m1(x);
        self.scale * if x > 0.0 { x } else { below }
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        let below = self.alpha * math::exp(x);
        self.scale * if x > 0.0 { 1.0 } else { below }
    }
}

#[derive(Clone, Copy)]
pub(super) struct LeakyRelu {
    pub(super) slope: f32,
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        x * self.slope(x)
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        if x <= 0.0 { self.slope } else { 1.0 }
    }
}
