//! Losses with their gradients at the shapes of the workloads: values per second.

use divan::Bencher;
use divan::counter::ItemsCount;
use trainspec_kernels::class_loss::{ClassLoss, Layout};
use trainspec_kernels::cosine_loss::CosineLoss;
use trainspec_kernels::cross_entropy::CrossEntropy;
use trainspec_kernels::gaussian_loss::GaussianLoss;
use trainspec_kernels::pointwise_loss::{Function, PointwiseLoss};
use trainspec_kernels::squared_error::SquaredError;

fn main() {
    divan::main();
}

fn numbers(count: usize, key: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919 + key) % 1999) as f32 * 1e-3 - 1.0).collect()
}

/// `[rows, classes]`
const SHAPES: [[usize; 2]; 4] = [[32, 10], [128, 10], [2048, 65], [2048, 1000]];

#[divan::bench(args = SHAPES, consts = [false, true])]
fn cross_entropy<const SMOOTH: bool>(bencher: Bencher, [rows, classes]: [usize; 2]) {
    let loss =
        CrossEntropy { label_smoothing: if SMOOTH { 0.1 } else { 0.0 }, ..CrossEntropy::new(rows, classes) };
    let logits = numbers(rows * classes, 1);
    let targets: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
    let mut d = logits.clone();
    bencher
        .counter(ItemsCount::new(logits.len()))
        .bench_local(|| loss.forward_backward(&logits, &targets, &mut d));
}

#[divan::bench(args = SHAPES)]
fn cross_entropy_alone(bencher: Bencher, [rows, classes]: [usize; 2]) {
    let loss = CrossEntropy::new(rows, classes);
    let logits = numbers(rows * classes, 1);
    let targets: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
    bencher.counter(ItemsCount::new(logits.len())).bench_local(|| loss.forward(&logits, &targets));
}

#[divan::bench(args = [[32, 4], [1024, 256]])]
fn squared_error(bencher: Bencher, [rows, columns]: [usize; 2]) {
    let loss = SquaredError { rows, columns };
    let (y, t) = (numbers(rows * columns, 1), numbers(rows * columns, 2));
    let mut dy = y.clone();
    bencher.counter(ItemsCount::new(y.len())).bench_local(|| loss.forward_backward(&y, &t, &mut dy));
}

/// `[samples, classes, pixels]`: a small segmentation, one of many classes, and the focal loss of rows.
#[divan::bench(args = [[8, 3, 64 * 64], [8, 21, 128 * 128]], consts = [false, true])]
fn class_loss_of_maps<const FOCAL: bool>(bencher: Bencher, shape: [usize; 3]) {
    class_loss(bencher, Layout::ClassesFirst, shape, if FOCAL { 2.0 } else { 0.0 });
}

#[divan::bench(args = [[1, 10, 128], [1, 65, 2048], [1, 1000, 2048]])]
fn focal_of_rows(bencher: Bencher, shape: [usize; 3]) {
    class_loss(bencher, Layout::ClassesLast, shape, 2.0);
}

fn class_loss(bencher: Bencher, layout: Layout, shape: [usize; 3], gamma: f32) {
    let [samples, classes, places] = shape;
    let loss = ClassLoss { gamma, ..ClassLoss::new(layout, shape) };
    let logits = numbers(samples * classes * places, 1);
    let targets: Vec<u32> = (0..samples * places).map(|place| (place % classes) as u32).collect();
    let mut d = logits.clone();
    bencher
        .counter(ItemsCount::new(logits.len()))
        .bench_local(|| loss.forward_backward(&logits, &targets, &mut d));
}

#[divan::bench(args = [[128, 1], [1024, 256]])]
fn gaussian_loss(bencher: Bencher, [rows, columns]: [usize; 2]) {
    let loss = GaussianLoss { rows, columns, floor: -14.0, scale: 1.0 };
    let (y, t) = (numbers(2 * rows * columns, 1), numbers(rows * columns, 2));
    let mut dy = y.clone();
    bencher.counter(ItemsCount::new(y.len())).bench_local(|| loss.forward_backward(&y, &t, &mut dy));
}

#[divan::bench(args = [[128, 1], [1024, 256]])]
fn poisson(bencher: Bencher, [rows, columns]: [usize; 2]) {
    let loss = PointwiseLoss { function: Function::Poisson, scale: 1.0 };
    let (y, t) = (numbers(rows * columns, 1), numbers(rows * columns, 2));
    let mut dy = y.clone();
    bencher.counter(ItemsCount::new(y.len())).bench_local(|| loss.forward_backward(&y, &t, &mut dy));
}

#[divan::bench(args = [[128, 64], [1024, 256]])]
fn cosine_loss(bencher: Bencher, [rows, size]: [usize; 2]) {
    let loss = CosineLoss { rows, size, margin: 0.0 };
    let y = numbers(2 * rows * size, 1);
    let targets: Vec<u32> = (0..rows).map(|row| row as u32 % 2).collect();
    let mut dy = y.clone();
    bencher.counter(ItemsCount::new(y.len())).bench_local(|| loss.forward_backward(&y, &targets, &mut dy));
}
