//! A small training program with everything that has state: dropout, batch norm, momentum, accumulation, noise, an
//! average of the weights, mixed samples.

use trainspec::data::Digits8x8;
use trainspec::prelude::*;

/// A small network for digits.
#[model]
pub fn Small(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 8, kernel = 3, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.2)
        .linear(out = 10)
}

train! {
    /// Classifies handwritten digits, in a few seconds.
    pub SmallDigits {
        model: Small,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.05 },
        metrics: [Accuracy],
        batch: 32,
        accumulate: 2,
        epochs: 2,
        seed: 11,
        optimizer: Sgd { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 1e-3 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-4 }],
        clip: GlobalNorm { max: 1.0 },
        gradient_noise: GradientNoise { eta: 1e-5 },
        constrain: MaxNorm { max: 2.0 },
        ema: Ema { decay: 0.9, warmup: true },
        mix: CutMix { p: 0.25 },
        early_stop: EarlyStop { monitor: ValMetric("accuracy"), patience: 2 },
        checkpoint: Checkpoint { every: Steps(10), keep: 2 },
    }
}

fn main() -> trainspec::Result<()> {
    SmallDigits::main()
}
