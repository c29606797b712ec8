//! Passes over elements, in cache and from memory.

use divan::{Bencher, black_box, counter::ItemsCount};
use trainspec_kernels::element;
use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue, Saved};
use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::philox;
use trainspec_kernels::softmax::Softmax;

fn main() {
    divan::main();
}

const DROPOUT: Dropout =
    Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 10, scale: 1.0 / 0.9, each: 1 };

const ACTIVATIONS: [Activation; 8] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Tanh,
    Activation::Sigmoid,
];

/// Fits in the L1 cache.
const SMALL: usize = 4096;
/// Three of these do not fit in the last-level cache.
const LARGE: usize = 1 << 23;

/// Values from -4 to 4.
fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|n| n.wrapping_mul(2_654_435_769).cast_signed() as f32 / 536_870_912.0).collect()
}

#[divan::bench(args = [16, 64, 4096])]
fn words(bencher: Bencher<'_, '_>, count: usize) {
    let mut words = vec![0; count];
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| philox::fill(black_box(&mut words), [1, 2], [3, 4, 5]));
}

#[divan::bench(args = ACTIVATIONS)]
fn forward(bencher: Bencher<'_, '_>, activation: Activation) {
    let epilogue = Epilogue { activation, ..Epilogue::NONE };
    let (pre, mut y) = (numbers(SMALL), vec![0.0; SMALL]);
    bencher
        .counter(ItemsCount::new(SMALL))
        .bench_local(|| epilogue.forward(0, black_box(&pre), black_box(&mut y)));
}

#[divan::bench(args = ACTIVATIONS)]
fn backward(bencher: Bencher<'_, '_>, activation: Activation) {
    let epilogue = Epilogue { activation, ..Epilogue::NONE };
    let (saved, d, mut d_pre) = (numbers(SMALL), numbers(SMALL), vec![0.0; SMALL]);
    let saved = if epilogue.saved() == Saved::Nothing { &[] } else { &*saved };
    bencher
        .counter(ItemsCount::new(SMALL))
        .bench_local(|| epilogue.backward(0, black_box(saved), black_box(&d), black_box(&mut d_pre)));
}

/// In place, dropout alone, for runs that start inside a block of words or not.
#[divan::bench(args = [(0, 16), (0, 64), (3, 64), (0, SMALL), (3, SMALL)])]
fn dropout(bencher: Bencher<'_, '_>, (first, count): (usize, usize)) {
    let epilogue = Epilogue { dropout: Some(DROPOUT), ..Epilogue::NONE };
    let mut y = numbers(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| epilogue.forward_in_place(black_box(first), black_box(&mut y)));
}

/// In place, `ReLU` alone.
#[divan::bench(args = [10, 16, 31, 32, 64])]
fn short_relu(bencher: Bencher<'_, '_>, count: usize) {
    let epilogue = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
    let mut y = numbers(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| epilogue.forward_in_place(0, black_box(&mut y)));
}

/// In place, `GELU` alone.
#[divan::bench(args = [10, 16, 31, 32, 64])]
fn short_gelu(bencher: Bencher<'_, '_>, count: usize) {
    let epilogue = Epilogue { activation: Activation::Gelu, ..Epilogue::NONE };
    let mut y = numbers(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| epilogue.forward_in_place(0, black_box(&mut y)));
}

/// Dropout and residual, as after the projection of an attention.
#[divan::bench(args = [SMALL])]
fn dropout_and_residual(bencher: Bencher<'_, '_>, count: usize) {
    let residual = numbers(count);
    let epilogue = Epilogue { dropout: Some(DROPOUT), residual: Some(&residual), ..Epilogue::NONE };
    let mut y = numbers(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| epilogue.forward_in_place(0, black_box(&mut y)));
}

/// Rows and classes: of digits, of a language model of characters and of one of tokens, of an attention.
#[divan::bench(args = [(128, 10), (128, 65), (4, 1024), (32, 128)])]
fn softmax_forward(bencher: Bencher<'_, '_>, (rows, classes): (usize, usize)) {
    let softmax = Softmax { rows, classes };
    let (x, mut y) = (numbers(rows * classes), vec![0.0; rows * classes]);
    bencher
        .counter(ItemsCount::new(rows * classes))
        .bench_local(|| softmax.forward(black_box(&x), black_box(&mut y)));
}

#[divan::bench(args = [(128, 10), (128, 65), (4, 1024), (32, 128)])]
fn softmax_backward(bencher: Bencher<'_, '_>, (rows, classes): (usize, usize)) {
    let softmax = Softmax { rows, classes };
    let (y, dy, mut dx) = (numbers(rows * classes), numbers(rows * classes), vec![0.0; rows * classes]);
    bencher.counter(ItemsCount::new(rows * classes)).bench_local(|| {
        softmax.backward(black_box(&y), black_box(&dy), (black_box(&mut dx), WriteMode::Overwrite));
    });
}

/// A sum of two, alone and with a `ReLU`, as where a block of a residual network ends.
#[divan::bench(args = [Activation::Identity, Activation::Relu])]
fn element_add(bencher: Bencher<'_, '_>, activation: Activation) {
    let epilogue = Epilogue { activation, ..Epilogue::NONE };
    let (a, b, mut y) = (numbers(SMALL), numbers(SMALL), vec![0.0; SMALL]);
    bencher
        .counter(ItemsCount::new(SMALL))
        .bench_local(|| element::add(black_box(&a), black_box(&b), black_box(&mut y), &epilogue));
}

#[divan::bench]
fn element_accumulate(bencher: Bencher<'_, '_>) {
    let (from, mut into) = (numbers(SMALL), vec![0.0; SMALL]);
    bencher
        .counter(ItemsCount::new(SMALL))
        .bench_local(|| element::accumulate(black_box(&from), black_box(&mut into), WriteMode::Accumulate));
}

/// Rows of 64 into rows of 128.
#[divan::bench]
fn element_copy_rows(bencher: Bencher<'_, '_>) {
    let (from, mut into) = (numbers(SMALL), vec![0.0; 2 * SMALL]);
    bencher.counter(ItemsCount::new(SMALL)).bench_local(|| {
        element::copy_rows(
            black_box(&from),
            64,
            black_box(&mut into),
            128,
            64,
            SMALL / 64,
            WriteMode::Overwrite,
        );
    });
}

/// Values that do not fit any cache, on all threads.
mod large {
    use super::{
        ACTIVATIONS, Activation, Bencher, DROPOUT, Epilogue, ItemsCount, LARGE, Saved, black_box, numbers,
    };

    /// The floor of what follows: a copy on one thread.
    #[divan::bench(sample_count = 10)]
    fn copy(bencher: Bencher<'_, '_>) {
        let (x, mut y) = (numbers(LARGE), vec![0.0; LARGE]);
        bencher
            .counter(ItemsCount::new(LARGE))
            .bench_local(|| black_box(&mut y).copy_from_slice(black_box(&x)));
    }

    #[divan::bench(args = ACTIVATIONS, sample_count = 10)]
    fn forward(bencher: Bencher<'_, '_>, activation: Activation) {
        let epilogue = Epilogue { activation, ..Epilogue::NONE };
        let (pre, mut y) = (numbers(LARGE), vec![0.0; LARGE]);
        bencher
            .counter(ItemsCount::new(LARGE))
            .bench_local(|| epilogue.forward_all(black_box(&pre), black_box(&mut y)));
    }

    #[divan::bench(args = [Activation::Relu, Activation::Gelu], sample_count = 10)]
    fn backward(bencher: Bencher<'_, '_>, activation: Activation) {
        let epilogue = Epilogue { activation, ..Epilogue::NONE };
        let (saved, mut d) = (numbers(LARGE), numbers(LARGE));
        assert_ne!(epilogue.saved(), Saved::Nothing);
        bencher
            .counter(ItemsCount::new(LARGE))
            .bench_local(|| epilogue.backward_all_in_place(black_box(&saved), black_box(&mut d)));
    }

    #[divan::bench(args = [(true, false), (false, true), (true, true)], sample_count = 20)]
    fn dropout_and_residual(bencher: Bencher<'_, '_>, (drops, adds): (bool, bool)) {
        let residual = numbers(LARGE);
        let epilogue = Epilogue {
            dropout: drops.then_some(DROPOUT),
            residual: adds.then_some(&residual),
            ..Epilogue::NONE
        };
        let (pre, mut y) = (numbers(LARGE), vec![0.0; LARGE]);
        bencher
            .counter(ItemsCount::new(LARGE))
            .bench_local(|| epilogue.forward_all(black_box(&pre), black_box(&mut y)));
    }
}
