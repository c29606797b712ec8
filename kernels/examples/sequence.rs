//! How long the kernels over sequences take, against their arithmetic: the least of many short runs.
//!
//! `cargo run --release -p trainspec-kernels --example sequence`

use std::time::Instant;

use trainspec_kernels::attention::Attention;
use trainspec_kernels::epilogue::Dropout;

fn main() {
    attention();
}

fn attention() {
    let dropout = Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 10, scale: 1.0 / 0.9 };
    for (batch, length, causal) in [(16, 128, true), (16, 128, false), (2, 1024, true)] {
        let attention = Attention { batch, length, heads: 4, width: 64, causal, dropout: Some(dropout) };
        let size = batch * length * 4 * 64;
        let qkv = numbers(3 * size);
        let (mut y, mut log_sums) = (vec![0.0; size], vec![0.0; batch * 4 * length]);
        let mut dqkv = vec![0.0; 3 * size];
        let dy = numbers(size);
        // Two products of the whole table forward, five backward.
        let products = 2.0 * (size * length) as f64 * if causal { 0.5 } else { 1.0 };
        let name = format!("attention {batch} x {length}, causal {causal}");
        time(&format!("{name}: forward"), 2.0 * products, || attention.forward(&qkv, &mut y, &mut log_sums));
        time(&format!("{name}: backward"), 5.0 * products, || {
            attention.backward(&qkv, &y, &log_sums, &dy, &mut dqkv);
        });
    }
}

/// Numbers from -1 to 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|n| n.wrapping_mul(2_654_435_769).cast_signed() as f32 / 2_147_483_648.0).collect()
}

/// Prints the least time of `run`, and what rate of arithmetic that is.
fn time(name: &str, operations: f64, mut run: impl FnMut()) {
    run();
    let begin = Instant::now();
    let mut least = f64::INFINITY;
    while begin.elapsed().as_secs_f64() < 1.0 {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
    }
    println!("{name}: {:.3} ms, {:.1} GFLOP/s", least * 1e3, operations / least * 1e-9);
}
