//! One element at a time, in f64.

use super::{Activation, Dropout};
use crate::math::reference::{Mills, density, inner, mish_gate, sigmoid, softplus};
use crate::philox;

pub(super) fn value(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::LeakyRelu { slope } if x <= 0.0 => f64::from(slope) * x,
        Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } => x,
        Activation::Gelu => x * phi(x),
        Activation::GeluTanh => x * sigmoid(inner(x).0),
        Activation::Silu => x * sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Elu { alpha, scale } => {
            f64::from(scale) * if x > 0.0 { x } else { f64::from(alpha) * x.exp_m1() }
        }
        Activation::Softplus => softplus(x),
        Activation::Mish => x * mish_gate(x)[0],
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
    }
}

pub(super) fn slope(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::LeakyRelu { slope } if x <= 0.0 => f64::from(slope),
        Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } => 1.0,
        Activation::Gelu => phi(x) + x * density(x),
        Activation::GeluTanh => {
            let (inner, slope) = inner(x);
            sigmoid(inner) + x * sigmoid(inner) * sigmoid(-inner) * slope
        }
        Activation::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
        Activation::Tanh => 1.0 - x.tanh() * x.tanh(),
        Activation::Sigmoid => sigmoid(x) * sigmoid(-x),
        Activation::Elu { alpha, scale } => {
            f64::from(scale) * if x > 0.0 { 1.0 } else { f64::from(alpha) * x.exp() }
        }
        Activation::Softplus => sigmoid(x),
        Activation::Mish => {
            let [gate, rest] = mish_gate(x);
            gate + x * rest * (1.0 + gate) * sigmoid(x)
        }
        Activation::HardSwish if x <= -3.0 => 0.0,
        Activation::HardSwish if x >= 3.0 => 1.0,
        Activation::HardSwish => x / 3.0 + 0.5,
    }
}

pub(super) fn factor(dropout: Option<Dropout>, number: usize) -> f64 {
    let Some(dropout) = dropout else { return 1.0 };
    let number = number / dropout.each;
    let [one, two, three] = dropout.place;
    let words = philox::block([(number / 4) as u32, one, two, three], dropout.key);
    if words[number % 4] < dropout.threshold { 0.0 } else { f64::from(dropout.scale) }
}

fn phi(x: f64) -> f64 {
    thread_local! {
        static MILLS: Mills = Mills::new();
    }
    MILLS.with(|mills| mills.phi(x))
}
