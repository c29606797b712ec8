//! Convolution and pooling at the shapes of a small CNN and of ResNet-20, batches of 64, of `MobileNetV2`, `ResNeXt` and a temporal
//! convolutional network, batches of 32; an item is a flop, so that `Gitem/s` are GFLOP/s.
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p trainspec-kernels --bench conv2d` for one core.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use trainspec_kernels::conv2d::Conv2d;
use trainspec_kernels::epilogue::{Activation, Epilogue};
use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::pool::Pool;

fn main() {
    divan::main();
}

const fn conv(channels: usize, side: usize, out: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d {
        batch: 64,
        channels,
        height: side,
        width: side,
        out,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [[kernel / 2; 2]; 2],
        dilation: [1; 2],
        groups: 1,
    }
}

/// A depthwise convolution of `MobileNetV2`.
const fn depthwise(channels: usize, side: usize, stride: usize) -> Conv2d {
    Conv2d { batch: 32, groups: channels, ..conv(channels, side, channels, 3, stride) }
}

/// A causal convolution of 64 channels and 256 positions.
const fn causal(dilation: usize) -> Conv2d {
    Conv2d {
        batch: 32,
        height: 1,
        width: 256,
        kernel: [1, 3],
        padding: [[0, 0], [2 * dilation, 0]],
        dilation: [1, dilation],
        ..conv(64, 1, 64, 3, 1)
    }
}

const SHAPES: [(&str, Conv2d); 20] = [
    ("cnn 1x28 -> 32", conv(1, 28, 32, 3, 1)),
    ("cnn 32x14 -> 64", conv(32, 14, 64, 3, 1)),
    ("resnet 3x32 -> 16", conv(3, 32, 16, 3, 1)),
    ("resnet 16x32 -> 16", conv(16, 32, 16, 3, 1)),
    ("resnet 32x16 -> 32", conv(32, 16, 32, 3, 1)),
    ("resnet 64x8 -> 64", conv(64, 8, 64, 3, 1)),
    ("128x8 -> 128", conv(128, 8, 128, 3, 1)),
    ("resnet 16x32 -> 32, stride 2", conv(16, 32, 32, 3, 2)),
    ("resnet 32x16 -> 64, stride 2", conv(32, 16, 64, 3, 2)),
    ("resnet 1x1 16x32 -> 32, stride 2", conv(16, 32, 32, 1, 2)),
    ("depthwise 64x16", Conv2d { groups: 64, ..conv(64, 16, 64, 3, 1) }),
    ("mobile 32x112", depthwise(32, 112, 1)),
    ("mobile 96x112, stride 2", depthwise(96, 112, 2)),
    ("mobile 144x56", depthwise(144, 56, 1)),
    ("mobile 192x28", depthwise(192, 28, 1)),
    ("mobile 384x14", depthwise(384, 14, 1)),
    ("mobile 960x7", depthwise(960, 7, 1)),
    ("groups 128x28 by 32", Conv2d { batch: 32, groups: 32, ..conv(128, 28, 128, 3, 1) }),
    ("causal 64x256", causal(1)),
    ("causal 64x256, dilation 8", causal(8)),
];

const NAMES: [&str; 20] = {
    let mut names = [""; 20];
    let mut at = 0;
    while at < 20 {
        names[at] = SHAPES[at].0;
        at += 1;
    }
    names
};

/// Values from -1 to 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|n| n.wrapping_mul(2_654_435_769).cast_signed() as f32 / 2_147_483_648.0).collect()
}

struct Case {
    conv: Conv2d,
    flops: ItemsCount,
    x: Vec<f32>,
    weight: Vec<f32>,
    d_pre: Vec<f32>,
}

fn case(name: &str) -> Case {
    let (_, conv) = SHAPES.into_iter().find(|shape| shape.0 == name).expect("a shape");
    let places = conv.batch * conv.out_height() * conv.out_width();
    let taps = conv.channels / conv.groups * conv.kernel[0] * conv.kernel[1];
    Case {
        conv,
        flops: ItemsCount::new(2 * places * conv.out * taps),
        x: numbers(conv.batch * conv.channels * conv.height * conv.width),
        weight: numbers(conv.out * taps),
        d_pre: numbers(places * conv.out),
    }
}

#[divan::bench(args = NAMES)]
fn forward(bencher: Bencher<'_, '_>, name: &str) {
    let Case { conv, flops, x, weight, d_pre: mut y } = case(name);
    bencher.counter(flops).bench_local(|| {
        conv.forward(black_box(&x), &weight, None, &Epilogue::NONE, None, &mut y);
    });
}

#[divan::bench(args = NAMES)]
fn backward_input(bencher: Bencher<'_, '_>, name: &str) {
    let Case { conv, flops, x: mut dx, weight, d_pre } = case(name);
    bencher.counter(flops).bench_local(|| {
        conv.backward_input(black_box(&d_pre), &weight, (&mut dx, WriteMode::Overwrite));
    });
}

#[divan::bench(args = NAMES)]
fn backward_weight(bencher: Bencher<'_, '_>, name: &str) {
    let Case { conv, flops, x, mut weight, d_pre } = case(name);
    let mut d_bias = vec![0.0; conv.out];
    bencher.counter(flops).bench_local(|| {
        let d_bias = Some((&mut d_bias[..], WriteMode::Overwrite));
        conv.backward_weight(black_box(&x), &d_pre, (&mut weight, WriteMode::Overwrite), d_bias);
    });
}

#[divan::bench]
fn forward_with_bias_and_relu(bencher: Bencher<'_, '_>) {
    let Case { conv, flops, x, weight, d_pre: mut y } = case("cnn 32x14 -> 64");
    let bias = numbers(conv.out);
    let epilogue = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
    bencher.counter(flops).bench_local(|| {
        conv.forward(black_box(&x), &weight, Some(&bias), &epilogue, None, &mut y);
    });
}

const POOLS: [Pool; 2] = [
    Pool { planes: 64 * 32, height: 28, width: 28, kernel: [2; 2], stride: [2; 2], padding: [0; 2] },
    Pool { planes: 64 * 64, height: 14, width: 14, kernel: [2; 2], stride: [2; 2], padding: [0; 2] },
];

/// The pooling of a number, with inputs, outputs and how many bytes both have.
fn pool(number: usize) -> (Pool, Vec<f32>, Vec<f32>, usize) {
    let pool = POOLS[number];
    let x = numbers(pool.planes * pool.height * pool.width);
    let y = numbers(pool.planes * pool.out_height() * pool.out_width());
    let bytes = 4 * (x.len() + y.len());
    (pool, x, y, bytes)
}

#[divan::bench(args = [0, 1])]
fn max_forward(bencher: Bencher<'_, '_>, number: usize) {
    let (pool, x, mut y, bytes) = pool(number);
    let mut winners = vec![0; y.len()];
    let bytes = BytesCount::new(bytes + 4 * y.len());
    bencher.counter(bytes).bench_local(|| pool.max_forward(black_box(&x), &mut y, Some(&mut winners)));
}

#[divan::bench(args = [0, 1])]
fn max_backward(bencher: Bencher<'_, '_>, number: usize) {
    let (pool, mut x, mut y, bytes) = pool(number);
    let mut winners = vec![0; y.len()];
    pool.max_forward(&x, &mut y, Some(&mut winners));
    let bytes = BytesCount::new(bytes + 4 * y.len());
    bencher
        .counter(bytes)
        .bench_local(|| pool.max_backward(&winners, black_box(&y), (&mut x, WriteMode::Overwrite)));
}

#[divan::bench(args = [0, 1])]
fn average_forward(bencher: Bencher<'_, '_>, number: usize) {
    let (pool, x, mut y, bytes) = pool(number);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| pool.average_forward(black_box(&x), &mut y));
}

#[divan::bench(args = [0, 1])]
fn average_backward(bencher: Bencher<'_, '_>, number: usize) {
    let (pool, mut x, y, bytes) = pool(number);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| pool.average_backward(black_box(&y), (&mut x, WriteMode::Overwrite)));
}
