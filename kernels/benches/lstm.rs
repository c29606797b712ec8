//! A training step of an LSTM; an item is a floating-point operation of its products.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use trainspec_kernels::lstm::{Cell, Gradients, Lstm, Weights};
use trainspec_kernels::matmul::WriteMode;

fn main() {
    divan::main();
}

const LSTM: Lstm = Lstm { batch: 32, length: 64, inputs: 64, hidden: 256 };

/// Values from -`bound` to `bound`.
fn numbers(count: usize, bound: f32) -> Vec<f32> {
    (0..count).map(|number| bound * ((number * 7919 % 2001) as f32 - 1000.0) / 1000.0).collect()
}

/// Operations of the products of forward.
fn operations() -> usize {
    let Lstm { batch, length, inputs, hidden } = LSTM;
    2 * batch * length * 4 * hidden * (inputs + hidden)
}

/// Inputs, both weights, and a bias.
fn values() -> [Vec<f32>; 4] {
    let Lstm { batch, length, inputs, hidden } = LSTM;
    [
        numbers(batch * length * inputs, 1.0),
        numbers(4 * hidden * inputs, 0.06),
        numbers(4 * hidden * hidden, 0.06),
        numbers(4 * hidden, 0.1),
    ]
}

#[divan::bench]
fn forward(bencher: Bencher<'_, '_>) {
    let [x, input, hidden, bias] = values();
    let weights = Weights { input: &input, hidden: &hidden, biases: Some([&bias, &bias]) };
    let mut y = vec![0.0; LSTM.batch * LSTM.length * LSTM.hidden];
    let mut saved = vec![0.0; LSTM.saved()];
    bencher
        .counter(ItemsCount::new(operations()))
        .bench_local(|| LSTM.forward(black_box(&x), &weights, &mut y, &mut saved));
}

#[divan::bench]
fn infer(bencher: Bencher<'_, '_>) {
    let [x, input, hidden, bias] = values();
    let weights = Weights { input: &input, hidden: &hidden, biases: Some([&bias, &bias]) };
    let mut y = vec![0.0; LSTM.batch * LSTM.length * LSTM.hidden];
    bencher
        .counter(ItemsCount::new(operations()))
        .bench_local(|| LSTM.infer(black_box(&x), &weights, &mut y));
}

/// Forward and backward.
#[divan::bench]
fn train(bencher: Bencher<'_, '_>) {
    let [x, input, hidden, bias] = values();
    let weights = Weights { input: &input, hidden: &hidden, biases: Some([&bias, &bias]) };
    let mut y = vec![0.0; LSTM.batch * LSTM.length * LSTM.hidden];
    let dy = numbers(y.len(), 1.0);
    let mut saved = vec![0.0; LSTM.saved()];
    let [mut dx, mut d_input, mut d_hidden, mut d_first] = values();
    let mut d_second = d_first.clone();
    bencher.counter(ItemsCount::new(3 * operations())).bench_local(|| {
        LSTM.forward(black_box(&x), &weights, &mut y, &mut saved);
        let gradients = Gradients {
            input: (&mut d_input, WriteMode::Overwrite),
            hidden: (&mut d_hidden, WriteMode::Overwrite),
            biases: Some([(&mut d_first, WriteMode::Overwrite), (&mut d_second, WriteMode::Overwrite)]),
        };
        LSTM.backward(&x, &weights, &y, &mut saved, &dy, Some((&mut dx, WriteMode::Overwrite)), gradients);
    });
}
