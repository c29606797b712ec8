//! Products at the shapes of training steps; an item is a floating-point operation.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use trainspec_kernels::epilogue::{Activation, Epilogue};
use trainspec_kernels::linear::Linear;
use trainspec_kernels::matmul::{Packed, View, WriteMode, product, serial};

fn main() {
    divan::main();
}

/// A product `[rows, depth] x [depth, columns]`, with the letter of BLAS for each operand.
#[derive(Clone, Copy)]
struct Shape(&'static str, [usize; 3]);

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(layout, [rows, depth, columns]) = self;
        write!(f, "{layout} {rows}x{depth}x{columns}")
    }
}

/// Values from -1 to 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|number| ((number * 7919 % 2001) as f32 - 1000.0) / 1000.0).collect()
}

impl Shape {
    fn operations(self) -> ItemsCount {
        ItemsCount::new(2 * self.1.iter().product::<usize>())
    }

    fn run(self, bencher: Bencher<'_, '_>, run: impl Fn(View<'_>, View<'_>, &mut [f32])) {
        let Self(layout, [rows, depth, columns]) = self;
        let (a, b) = (numbers(rows * depth), numbers(depth * columns));
        let a = match &layout[..1] {
            "N" => View::new(&a, rows, depth),
            _ => View::new(&a, depth, rows).transposed(),
        };
        let b = match &layout[1..] {
            "N" => View::new(&b, depth, columns),
            _ => View::new(&b, columns, depth).transposed(),
        };
        let mut c = vec![0.0; rows * columns];
        bencher.counter(self.operations()).bench_local(|| run(black_box(a), black_box(b), &mut c));
    }
}

/// Layers: forward, the gradient of the input, that of the weight.
const LARGE: [Shape; 16] = [
    Shape("NN", [2048, 2048, 2048]),
    Shape("NT", [128, 784, 1024]),
    Shape("NT", [128, 1024, 1024]),
    Shape("NN", [128, 1024, 1024]),
    Shape("TN", [1024, 128, 1024]),
    Shape("NT", [2048, 256, 768]),
    Shape("NT", [2048, 256, 256]),
    Shape("NT", [2048, 256, 1024]),
    Shape("NT", [2048, 1024, 256]),
    Shape("NN", [2048, 1024, 256]),
    Shape("NN", [2048, 256, 1024]),
    Shape("TN", [1024, 2048, 256]),
    Shape("TN", [256, 2048, 1024]),
    Shape("NT", [128, 1024, 10]),
    Shape("NT", [1, 1024, 1024]),
    Shape("NN", [1024, 1024, 1]),
];

const SMALL: [Shape; 11] = [
    Shape("NT", [32, 64, 64]),
    Shape("NT", [32, 64, 10]),
    Shape("NN", [32, 10, 64]),
    Shape("TN", [64, 32, 64]),
    Shape("TN", [10, 32, 64]),
    Shape("NT", [64, 32, 128]),
    Shape("NN", [64, 128, 32]),
    Shape("TN", [128, 64, 32]),
    Shape("NT", [16, 256, 1024]),
    Shape("NN", [16, 1024, 256]),
    Shape("NT", [128, 256, 1]),
];

#[divan::bench(args = LARGE)]
fn all_threads(bencher: Bencher<'_, '_>, shape: Shape) {
    shape.run(bencher, |a, b, c| product(a, b, c, WriteMode::Overwrite));
}

#[divan::bench(args = LARGE.into_iter().chain(SMALL))]
fn one_thread(bencher: Bencher<'_, '_>, shape: Shape) {
    shape.run(bencher, |a, b, c| serial(a, b, c, b.columns, WriteMode::Overwrite));
}

/// A step of an LSTM, with its weight packed before.
#[divan::bench(args = [Shape("NT", [16, 256, 1024]), Shape("NN", [16, 1024, 256])])]
fn packed(bencher: Bencher<'_, '_>, shape: Shape) {
    let Shape(layout, [_, depth, columns]) = shape;
    let b = numbers(depth * columns);
    let view = match layout {
        "NT" => View::new(&b, columns, depth).transposed(),
        _ => View::new(&b, depth, columns),
    };
    let mut room = vec![0.0; Packed::size(depth, columns)];
    let packed = Packed::new(view, &mut room);
    shape.run(bencher, |a, _, c| packed.serial(a, c, columns, WriteMode::Overwrite));
}

/// A layer with its bias and its activation.
#[divan::bench(args = [[32, 64, 64], [128, 784, 1024], [2048, 256, 1024]])]
fn linear_relu(bencher: Bencher<'_, '_>, [rows, inputs, outputs]: [usize; 3]) {
    let linear = Linear { rows, inputs, outputs };
    let (x, weight, bias) = (numbers(rows * inputs), numbers(outputs * inputs), numbers(outputs));
    let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
    let mut y = vec![0.0; rows * outputs];
    bencher
        .counter(ItemsCount::new(2 * rows * inputs * outputs))
        .bench_local(|| linear.forward(black_box(&x), black_box(&weight), Some(&bias), &relu, None, &mut y));
}
