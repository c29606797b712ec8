//! One element at a time.

use super::{Activation, Dropout};
use crate::philox;

pub(super) fn value(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::LeakyRelu { slope } if x <= 0.0 => slope * x,
        Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } => x,
        Activation::Gelu => x * normal(x),
        Activation::GeluTanh => x * sigmoid(2.0 * inner(x)),
        Activation::Silu => x * sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
    }
}

pub(super) fn slope(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::LeakyRelu { slope } if x <= 0.0 => slope,
        Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } => 1.0,
        Activation::Gelu => normal(x) + x * (-0.5 * x * x).exp() * 0.398_942_3,
        Activation::GeluTanh => {
            let s = sigmoid(2.0 * inner(x));
            s + x * s * (1.0 - s) * 2.0 * 0.797_884_6 * (1.0 + 3.0 * 0.044_715 * x * x)
        }
        Activation::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        Activation::Tanh => 1.0 - x.tanh() * x.tanh(),
        Activation::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
    }
}

pub(super) fn factor(dropout: Option<Dropout>, number: usize) -> f32 {
    let Some(dropout) = dropout else { return 1.0 };
    let [one, two, three] = dropout.place;
    let words = philox::block([(number / 4) as u32, one, two, three], dropout.key);
    if words[number % 4] < dropout.threshold { 0.0 } else { dropout.scale }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn inner(x: f32) -> f32 {
    0.797_884_6 * (x + 0.044_715 * x * x * x)
}

/// Abramowitz and Stegun 7.1.26: off by at most 1.5e-7.
fn normal(x: f32) -> f32 {
    let a = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let tail = t
        * (0.254_829_6 + t * (-0.284_496_7 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))))
        * (-a * a).exp()
        * 0.5;
    if x > 0.0 { 1.0 - tail } else { tail }
}
