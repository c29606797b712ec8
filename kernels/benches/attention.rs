//! Attention at the shape of a small transformer; an item is a floating-point operation of its products, those of tiles
//! that are skipped among them.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use trainspec_kernels::attention::Attention;

fn main() {
    divan::main();
}

fn attention(causal: bool) -> Attention {
    Attention { batch: 16, length: 128, heads: 4, width: 64, causal, dropout: None }
}

/// Values from -1 to 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|number| ((number * 7919 % 2001) as f32 - 1000.0) / 1000.0).collect()
}

/// The number of outputs.
fn outputs(attention: &Attention) -> usize {
    attention.batch * attention.length * attention.heads * attention.width
}

#[divan::bench(args = [true, false])]
fn forward(bencher: Bencher<'_, '_>, causal: bool) {
    let attention = attention(causal);
    let count = outputs(&attention);
    let (qkv, mut y) = (numbers(3 * count), vec![0.0; count]);
    let mut log_sums = vec![0.0; count / attention.width];
    bencher
        .counter(ItemsCount::new(4 * count * attention.length))
        .bench_local(|| attention.forward(black_box(&qkv), &mut y, &mut log_sums));
}

#[divan::bench(args = [true, false])]
fn backward(bencher: Bencher<'_, '_>, causal: bool) {
    let attention = attention(causal);
    let count = outputs(&attention);
    let (qkv, mut y) = (numbers(3 * count), vec![0.0; count]);
    let mut log_sums = vec![0.0; count / attention.width];
    attention.forward(&qkv, &mut y, &mut log_sums);
    let (dy, mut dqkv) = (numbers(count), vec![0.0; 3 * count]);
    bencher
        .counter(ItemsCount::new(10 * count * attention.length))
        .bench_local(|| attention.backward(black_box(&qkv), &y, &log_sums, &dy, &mut dqkv));
}
