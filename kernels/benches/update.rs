//! The cost of the end of a step: the norm of all gradients, and the optimizer pass.
//!
//! `W6` is 25 million values in 48 tensors, limited by memory; `W0` is 4,810 values in 4 tensors, in cache.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use trainspec_kernels::grad_norm::global_norm_of;
use trainspec_kernels::update::{Slots, for_each_block};

fn main() {
    // A training step runs in its pool, and so does this.
    rayon::ThreadPoolBuilder::new().use_current_thread().build_global().expect("no other pool");
    divan::main();
}

/// The lengths of the tensors.
#[derive(Clone, Copy, Debug)]
enum Model {
    W0,
    W6,
}

const MODELS: [Model; 2] = [Model::W0, Model::W6];

impl Model {
    fn lengths(self) -> Vec<usize> {
        match self {
            Self::W0 => vec![64 * 64, 64, 64 * 10, 10],
            Self::W6 => [1024 * 1024, 768, 1_000_000, 32_000].repeat(12),
        }
    }

    fn tensors(self, value: f32) -> Vec<Vec<f32>> {
        self.lengths().into_iter().map(|length| vec![value; length]).collect()
    }

    fn bytes(self, streams: usize) -> BytesCount {
        BytesCount::of_many::<f32>(streams * self.lengths().into_iter().sum::<usize>())
    }
}

#[divan::bench(args = MODELS)]
fn norm(bencher: Bencher<'_, '_>, model: Model) {
    let gradients = model.tensors(0.1);
    bencher.counter(model.bytes(1)).bench_local(|| global_norm_of(black_box(&gradients)));
}

/// Reads weight, gradient and two moments; writes all but the gradient.
#[divan::bench(args = MODELS)]
fn adam_w(bencher: Bencher<'_, '_>, model: Model) {
    let (mut weights, gradients) = (model.tensors(1.0), model.tensors(0.1));
    let mut state: Vec<_> = model.lengths().into_iter().map(|length| vec![vec![0.1; length]; 2]).collect();
    let [b1_rest, b2, b2_rest, keep, size, root, eps] =
        black_box([0.1_f32, 0.999, 0.001, 0.9999, 0.01, 0.9, 1e-8]);
    bencher.counter(model.bytes(7)).bench_local(|| {
        for_each_block(&mut weights, gradients.as_slice(), &mut state, |_, weights, gradients, state| {
            <[f32; 2]>::update_block(weights, gradients, 0.5, state, |w, g, [m, v]| {
                *m = if b1_rest < 0.5 { *m + b1_rest * (g - *m) } else { g - (g - *m) * (1.0 - b1_rest) };
                *v = b2 * *v + b2_rest * g * g;
                w * keep - (size * *m) / (v.sqrt() / root + eps)
            });
        });
    });
}

/// Reads weight, gradient and velocity; writes all but the gradient.
#[divan::bench(args = MODELS)]
fn sgd(bencher: Bencher<'_, '_>, model: Model) {
    let (mut weights, gradients) = (model.tensors(1.0), model.tensors(0.1));
    let mut state: Vec<_> = model.lengths().into_iter().map(|length| vec![vec![0.1; length]]).collect();
    let [momentum, lr] = black_box([0.9_f32, 0.01]);
    bencher.counter(model.bytes(5)).bench_local(|| {
        for_each_block(&mut weights, gradients.as_slice(), &mut state, |_, weights, gradients, state| {
            <[f32; 1]>::update_block(weights, gradients, 0.5, state, |w, g, [v]| {
                *v = momentum * *v + g;
                w - lr * *v
            });
        });
    });
}
