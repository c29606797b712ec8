//! Layer and root mean square normalization at the shape of a small transformer, group normalization at those of a
//! residual network: bytes that a pass must move per second, each array once.

use divan::Bencher;
use divan::counter::BytesCount;
use trainspec_kernels::group_norm::GroupNorm;
use trainspec_kernels::layer_norm::{LayerNorm, RmsNorm};
use trainspec_kernels::matmul::WriteMode;

fn main() {
    divan::main();
}

const SHAPES: [[usize; 2]; 2] = [[2048, 256], [32, 64]];

fn numbers(count: usize, key: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919 + key) % 1999) as f32 * 1e-3 - 1.0).collect()
}

fn bytes(passes: usize, count: usize) -> BytesCount {
    BytesCount::of_many::<f32>(passes * count)
}

#[divan::bench(args = SHAPES)]
fn layer_forward(bencher: Bencher, [rows, features]: [usize; 2]) {
    let norm = LayerNorm { rows, features, eps: 1e-5 };
    let (x, weight) = (numbers(rows * features, 1), numbers(features, 2));
    let (mut statistics, mut y) = (vec![0.0; 3 * rows], x.clone());
    bencher.counter(bytes(2, x.len())).bench_local(|| {
        norm.forward(&x, Some(&weight), Some(&weight), &mut statistics, &mut y);
    });
}

#[divan::bench(args = SHAPES)]
fn layer_backward(bencher: Bencher, [rows, features]: [usize; 2]) {
    let norm = LayerNorm { rows, features, eps: 1e-5 };
    let (x, weight, dy) = (numbers(rows * features, 1), numbers(features, 2), numbers(rows * features, 3));
    let (mut statistics, mut dx) = (vec![0.0; 3 * rows], x.clone());
    norm.forward(&x, Some(&weight), Some(&weight), &mut statistics, &mut dx);
    let (mut d_weight, mut d_bias) = (weight.clone(), weight.clone());
    bencher.counter(bytes(3, x.len())).bench_local(|| {
        let [to_x, to_weight, to_bias] =
            [&mut dx, &mut d_weight, &mut d_bias].map(|d| Some((&mut **d, WriteMode::Overwrite)));
        norm.backward(&x, Some(&weight), &statistics, &dy, to_x, to_weight, to_bias);
    });
}

#[divan::bench(args = SHAPES)]
fn rms_forward(bencher: Bencher, [rows, features]: [usize; 2]) {
    let norm = RmsNorm { rows, features, eps: 1e-5 };
    let (x, weight) = (numbers(rows * features, 1), numbers(features, 2));
    let (mut statistics, mut y) = (vec![0.0; rows], x.clone());
    bencher.counter(bytes(2, x.len())).bench_local(|| norm.forward(&x, &weight, &mut statistics, &mut y));
}

#[divan::bench(args = SHAPES)]
fn rms_backward(bencher: Bencher, [rows, features]: [usize; 2]) {
    let norm = RmsNorm { rows, features, eps: 1e-5 };
    let (x, weight, dy) = (numbers(rows * features, 1), numbers(features, 2), numbers(rows * features, 3));
    let (mut statistics, mut dx) = (vec![0.0; rows], x.clone());
    norm.forward(&x, &weight, &mut statistics, &mut dx);
    let mut d_weight = weight.clone();
    bencher.counter(bytes(3, x.len())).bench_local(|| {
        let [to_x, to_weight] = [&mut dx, &mut d_weight].map(|d| (&mut **d, WriteMode::Overwrite));
        norm.backward(&x, &weight, &statistics, &dy, Some(to_x), to_weight);
    });
}

/// `[batch, channels, places, groups]`
const GROUPS: [[usize; 4]; 2] = [[64, 16, 1024, 4], [64, 64, 64, 8]];

#[divan::bench(args = GROUPS)]
fn group_forward(bencher: Bencher, [batch, channels, places, groups]: [usize; 4]) {
    let norm = GroupNorm { batch, channels, places, groups, eps: 1e-5 };
    let (x, weight) = (numbers(batch * channels * places, 1), numbers(channels, 2));
    let (mut statistics, mut y) = (vec![0.0; 3 * batch * groups], x.clone());
    bencher.counter(bytes(2, x.len())).bench_local(|| {
        norm.forward(&x, &weight, &weight, &mut statistics, &mut y);
    });
}

#[divan::bench(args = GROUPS)]
fn group_backward(bencher: Bencher, [batch, channels, places, groups]: [usize; 4]) {
    let norm = GroupNorm { batch, channels, places, groups, eps: 1e-5 };
    let count = batch * channels * places;
    let (x, weight, dy) = (numbers(count, 1), numbers(channels, 2), numbers(count, 3));
    let (mut statistics, mut dx) = (vec![0.0; 3 * batch * groups], x.clone());
    norm.forward(&x, &weight, &weight, &mut statistics, &mut dx);
    let (mut d_weight, mut d_bias) = (weight.clone(), weight.clone());
    bencher.counter(bytes(3, x.len())).bench_local(|| {
        let [to_x, to_weight, to_bias] =
            [&mut dx, &mut d_weight, &mut d_bias].map(|d| (&mut **d, WriteMode::Overwrite));
        norm.backward(&x, &weight, &statistics, &dy, Some(to_x), to_weight, to_bias);
    });
}
