//! The results of kernels for values around the smallest normal number, with flushing: the same bits at every level and on every
//! number of threads, and none is subnormal.

use super::{flushed, in_callers_mode};
use crate::attention::Attention;
use crate::batch_norm::BatchNorm;
use crate::conv2d::Conv2d;
use crate::cross_entropy::CrossEntropy;
use crate::element;
use crate::epilogue::{Activation, Epilogue, Saved};
use crate::group_norm::GroupNorm;
use crate::layer_norm::{LayerNorm, RmsNorm};
use crate::linear::Linear;
use crate::matmul::WriteMode;
use crate::philox;
use crate::pool::Pool;
use crate::simd::{self, Level};
use crate::softmax::Softmax;
use crate::update::{Slots, for_each_block};

/// Numbers below `size` in magnitude, of which some are 10 to 10^12 times smaller, and some 0.
fn numbers(count: usize, key: u32, size: f32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    let number = |word: u32| {
        let unit = (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32;
        match word % 8 {
            0 => 0.0,
            part @ 1..=3 => unit * size * 10.0_f32.powi(-4 * part.cast_signed()),
            4 => unit * size * 0.1,
            _ => unit * size,
        }
    };
    in_callers_mode(|| words.into_iter().map(number).collect())
}

/// The results of many kernels on elements of that size, by name.
#[allow(clippy::too_many_lines, reason = "one kernel after the other")]
fn results(size: f32) -> Vec<(&'static str, Vec<f32>)> {
    let mut results = Vec::new();
    let x = numbers(64 * 96, 1, size);
    let weight = numbers(96 * 96, 2, 1.0);
    let bias = numbers(96, 3, size);
    let ones = vec![1.0; 96];

    let linear = Linear { rows: 64, inputs: 96, outputs: 96 };
    let mut y = vec![0.0; 64 * 96];
    linear.forward(&x, &weight, Some(&bias), &Epilogue::NONE, None, &mut y);
    results.push(("linear", y.clone()));
    linear.backward_input(&x, &weight, (&mut y, WriteMode::Overwrite));
    results.push(("linear's input", y.clone()));
    let (mut d_weight, mut d_bias) = (vec![0.0; 96 * 96], vec![0.0; 96]);
    linear.backward_weight(
        &x,
        &x,
        (&mut d_weight, WriteMode::Overwrite),
        Some((&mut d_bias, WriteMode::Overwrite)),
    );
    results.push(("linear's weight", d_weight));
    results.push(("linear's bias", d_bias));

    // With direct sums, and with minimal filtering.
    for (channels, out, side, stride) in [(4, 8, 9, 2), (32, 32, 16, 1)] {
        let conv = Conv2d {
            batch: 2,
            channels,
            height: side,
            width: side,
            out,
            kernel: [3; 2],
            stride: [stride; 2],
            padding: [[1; 2]; 2],
            dilation: [1; 2],
            groups: 1,
        };
        let x = numbers(2 * channels * side * side, 4, size);
        let weight = numbers(out * channels * 9, 5, 1.0);
        let mut y = vec![0.0; 2 * out * conv.out_height() * conv.out_width()];
        conv.forward(&x, &weight, None, &Epilogue::NONE, None, &mut y);
        results.push(("conv2d", y.clone()));
        let d = numbers(y.len(), 6, size);
        let mut dx = vec![0.0; x.len()];
        conv.backward_input(&d, &weight, (&mut dx, WriteMode::Overwrite));
        results.push(("conv2d's input", dx));
        let mut d_weight = vec![0.0; weight.len()];
        conv.backward_weight(&x, &d, (&mut d_weight, WriteMode::Overwrite), None);
        results.push(("conv2d's weight", d_weight));
    }

    let norm = LayerNorm { rows: 64, features: 96, eps: 1e-5 };
    let mut statistics = vec![0.0; 3 * 64];
    norm.forward(&x, Some(&ones), Some(&bias), &mut statistics, &mut y);
    results.push(("layer norm", y.clone()));
    norm.backward(&x, Some(&ones), &statistics, &x, Some((&mut y, WriteMode::Overwrite)), None, None);
    results.push(("layer norm's input", y.clone()));
    let norm = RmsNorm { rows: 64, features: 96, eps: 1e-5 };
    norm.forward(&x, &ones, &mut statistics[..64], &mut y);
    results.push(("rms norm", y.clone()));
    let norm = GroupNorm { batch: 8, channels: 96, places: 8, groups: 4, eps: 1e-5 };
    norm.forward(&x, &ones, &bias, &mut statistics[..3 * 32], &mut y);
    results.push(("group norm", y.clone()));
    let norm = BatchNorm { batch: 64, channels: 96, places: 1, eps: 1e-5 };
    let mut statistics = vec![0.0; 3 * 96];
    norm.forward(&x, &ones, &bias, &Epilogue::NONE, &mut statistics, &mut y);
    results.push(("batch norm", y.clone()));

    let softmax = Softmax { rows: 64, classes: 96 };
    softmax.forward(&x, &mut y);
    results.push(("softmax", y.clone()));
    let probabilities = y.clone();
    softmax.backward(&probabilities, &x, (&mut y, WriteMode::Overwrite));
    results.push(("softmax's input", y.clone()));

    let attention = Attention { batch: 2, length: 16, heads: 2, width: 32, causal: true, dropout: None };
    let (mut mixed, mut log_sums) = (vec![0.0; 2 * 16 * 64], vec![0.0; 2 * 2 * 16]);
    attention.forward(&x[..2 * 16 * 192], &mut mixed, &mut log_sums);
    results.push(("attention", mixed.clone()));
    let mut d = vec![0.0; 2 * 16 * 192];
    attention.backward(&x[..2 * 16 * 192], &mixed, &log_sums, &x[..2 * 16 * 64], &mut d);
    results.push(("attention's input", d));

    for activation in [
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Elu { alpha: 1.0, scale: 1.0 },
        Activation::Softplus,
        Activation::Mish,
        Activation::HardSwish,
    ] {
        let epilogue = Epilogue { activation, ..Epilogue::NONE };
        epilogue.forward_all(&x, &mut y);
        results.push(("activation", y.clone()));
        let saved = if epilogue.saved() == Saved::Output { y.clone() } else { x.clone() };
        epilogue.backward_all(&saved, &x, &mut y);
        results.push(("activation's input", y.clone()));
    }

    let pool = Pool { planes: 24, height: 16, width: 16, kernel: [2; 2], stride: [2; 2], padding: [0; 2] };
    let mut pooled = vec![0.0; 24 * 64];
    pool.average_forward(&x, &mut pooled);
    results.push(("average pool", pooled.clone()));
    let mut winners = vec![0; 24 * 64];
    pool.max_forward(&x, &mut pooled, Some(&mut winners));
    results.push(("max pool", pooled));
    results.push(("max pool's places", winners.iter().map(|&winner| winner as f32).collect()));

    let targets: Vec<u32> = (0..64).collect();
    let loss = CrossEntropy { rows: 64, classes: 96, label_smoothing: 0.1, weights: &[], ignored: None };
    let sum = loss.forward_backward(&x, &targets, &mut y);
    results.push(("cross entropy", vec![sum as f32]));
    results.push(("cross entropy's input", y.clone()));

    element::accumulate(&x, &mut y, WriteMode::Accumulate);
    results.push(("sum", y.clone()));

    let (mut weights, mut state) = (vec![x.clone()], vec![vec![x.clone(), x.clone()]]);
    for_each_block(&mut weights, [x].as_slice(), &mut state, |_, weights, gradients, state| {
        <[f32; 2]>::update_block(weights, gradients, 0.5, state, |w, g, [m, v]| {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            w - 0.1 * *m / (v.sqrt() + 1e-8)
        });
    });
    results.push(("weights", weights.concat()));
    results.push(("state", state.concat().concat()));
    results
}

/// Names of results that are copied, not computed, so that such small values keep their bits.
const CHOSEN: [&str; 3] = ["activation", "activation's input", "max pool"];

#[test]
fn subnormal_flushing_does_not_depend_on_simd_level_or_threads() {
    for size in [1.0, 1e-19, 1e-37, 1e-38, 1e-40, 1e-44] {
        let expected = flushed(|| results(size));
        for (name, values) in &expected {
            let subnormal = values.iter().find(|value| value.is_subnormal());
            assert!(CHOSEN.contains(name) || subnormal.is_none(), "{name} of {size}: {subnormal:?}");
        }
        let check = |what: &str, found: &[(&'static str, Vec<f32>)]| {
            for ((name, expected), (_, found)) in expected.iter().zip(found) {
                let places = expected.iter().zip(found).position(|(a, b)| a.to_bits() != b.to_bits());
                let pair = places.map(|place| (expected[place], found[place]));
                assert!(pair.is_none(), "{name} of {size}, {what}: {pair:?}");
            }
        };
        for &level in Level::available() {
            check(&format!("{level:?}"), &simd::at_level(level, || flushed(|| results(size))));
        }
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            check(&format!("{threads} threads"), &pool.install(|| flushed(|| results(size))));
        }
    }
}
