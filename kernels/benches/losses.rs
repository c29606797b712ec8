//! Losses with their gradients at the shapes of the workloads: values per second.

use divan::Bencher;
use divan::counter::ItemsCount;
use trainspec_kernels::cross_entropy::CrossEntropy;
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
