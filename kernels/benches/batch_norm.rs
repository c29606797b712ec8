//! Batch normalization at the shapes of the workloads: bytes that a pass must move per second, each of `x`, `y` and
//! the gradients once.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use trainspec_kernels::batch_norm::BatchNorm;
use trainspec_kernels::epilogue::{Activation, Epilogue};
use trainspec_kernels::matmul::WriteMode;

fn main() {
    divan::main();
}

/// `[batch, channels, places]`: two of a small CNN, three of a residual network, and vectors.
const SHAPES: [[usize; 3]; 6] =
    [[64, 32, 784], [64, 64, 196], [64, 16, 1024], [64, 32, 256], [64, 64, 64], [128, 1024, 1]];

struct Data {
    norm: BatchNorm,
    x: Vec<f32>,
    y: Vec<f32>,
    residual: Vec<f32>,
    channels: Vec<f32>,
    statistics: Vec<f32>,
}

impl Data {
    fn new([batch, channels, places]: [usize; 3]) -> Self {
        let count = batch * channels * places;
        let numbers = |key: usize| -> Vec<f32> {
            (0..count).map(|at| ((at * 7919 + key) % 1999) as f32 * 1e-3 - 1.0).collect()
        };
        let mut data = Self {
            norm: BatchNorm { batch, channels, places, eps: 1e-5 },
            x: numbers(1),
            y: numbers(2),
            residual: numbers(3),
            channels: vec![1.0; channels],
            statistics: vec![0.0; 3 * channels],
        };
        data.forward(false);
        data
    }

    fn bytes(&self, passes: usize) -> BytesCount {
        BytesCount::of_many::<f32>(passes * self.x.len())
    }

    fn forward(&mut self, residual: bool) {
        let Self { norm, x, y, channels, statistics, .. } = self;
        let epilogue = if residual {
            let residual = Some(&*self.residual);
            Epilogue { residual, then: Activation::Relu, ..Epilogue::NONE }
        } else {
            Epilogue { activation: Activation::Relu, ..Epilogue::NONE }
        };
        norm.forward(x, channels, channels, &epilogue, statistics, y);
    }
}

#[divan::bench(args = SHAPES)]
fn forward_relu(bencher: Bencher, shape: [usize; 3]) {
    let mut data = Data::new(shape);
    bencher.counter(data.bytes(2)).bench_local(|| black_box(&mut data).forward(false));
}

#[divan::bench(args = SHAPES)]
fn forward_residual_relu(bencher: Bencher, shape: [usize; 3]) {
    let mut data = Data::new(shape);
    bencher.counter(data.bytes(3)).bench_local(|| black_box(&mut data).forward(true));
}

fn backward(bencher: Bencher, shape: [usize; 3], epilogue: &Epilogue<'_>, passes: usize) {
    let data = Data::new(shape);
    let Data { norm, x, y, residual, channels, statistics } = &data;
    let (mut d, mut dx) = (residual.clone(), x.clone());
    let [mut d_weight, mut d_bias] = [channels.clone(), channels.clone()];
    bencher.counter(data.bytes(passes)).bench_local(|| {
        let (to_weight, to_bias) =
            ((&mut *d_weight, WriteMode::Overwrite), (&mut *d_bias, WriteMode::Overwrite));
        let to_x = Some((&mut *dx, WriteMode::Overwrite));
        norm.backward(x, channels, channels, statistics, epilogue, y, &mut d, to_x, to_weight, to_bias);
    });
}

#[divan::bench(args = SHAPES)]
fn backward_plain(bencher: Bencher, shape: [usize; 3]) {
    backward(bencher, shape, &Epilogue::NONE, 3);
}

#[divan::bench(args = SHAPES)]
fn backward_relu(bencher: Bencher, shape: [usize; 3]) {
    backward(bencher, shape, &Epilogue { activation: Activation::Relu, ..Epilogue::NONE }, 5);
}

/// The limit of the machine: a copy of the same size on two threads.
#[divan::bench(args = SHAPES)]
fn floor_copy(bencher: Bencher, shape: [usize; 3]) {
    let mut data = Data::new(shape);
    let size = data.x.len().div_ceil(2);
    bencher.counter(data.bytes(2)).bench_local(|| {
        trainspec_kernels::threads::chunks(&mut data.y, size, |number, y| {
            y.copy_from_slice(&data.x[number * size..][..y.len()]);
        });
    });
}
