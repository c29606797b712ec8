//! exp
#![allow(missing_docs)]
use trainspec::prelude::*;
#[model]
pub fn A(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.25)
        .linear(out = 10)
}
#[model]
pub fn B(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .conv2d(out = 64, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.25)
        .linear(out = 10)
}
#[model]
pub fn C(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .conv2d(out = 64, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.25)
        .linear(out = 10)
}
macro_rules! runs { ($($run:ident $model:ident $epochs:literal $acc:literal),*) => { $(
train! { $run { model: $model, data: Digits8x8::embedded(), loss: CrossEntropy { label_smoothing: 0.05 }, metrics: [Accuracy],
    batch: 64, accumulate: $acc, epochs: $epochs, seed: 42, optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
    schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-5 }], clip: GlobalNorm { max: 1.0 }, early_stop: EarlyStop { monitor: ValLoss, patience: 8 }, } }
)* } }
runs!(RunA A 40 2, RunA1 A 40 1, RunB B 40 1, RunC C 40 1, RunB2 B 40 2, RunBs B 20 1);
fn main() {
    for seed in [42, 1, 2] {
        macro_rules! go { ($($run:ident),*) => { $( {
            let t = std::time::Instant::now();
            let r = $run::training().seed(seed).without_folder().run().unwrap();
            println!("{} seed {seed} epochs {} best {:?} val {:.4} test {:.4} loss {:.4} in {:.1}s", stringify!($run), r.outcome.epochs, r.outcome.best_epoch, r.outcome.validation.unwrap().metrics["accuracy"], r.outcome.test.clone().unwrap().metrics["accuracy"], r.outcome.test.unwrap().loss, t.elapsed().as_secs_f32());
        } )* } }
        go!(RunA, RunA1, RunB, RunC, RunB2, RunBs);
    }
}
