//! Trains a small convolutional network on the UCI handwritten digits.
//!
//! `cargo run --release -p trainspec-examples --bin digits`

use trainspec::prelude::*;

/// Three convolutions and a small head for 8x8 gray digits.
#[model]
pub fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .conv2d(out = 64, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .conv2d(out = 64, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.5)
        .linear(out = 10)
}

train! {
    /// Classifies handwritten digits.
    pub Digits {
        model: DigitNet,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.1 },
        metrics: [Accuracy],
        batch: 32,
        epochs: 30,
        seed: 42,
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
        schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-5 }],
        clip: GlobalNorm { max: 1.0 },
        precision: F32,
        early_stop: EarlyStop { monitor: ValLoss, patience: 10 },
        checkpoint: Checkpoint { every: Epochs(1), keep: 3 },
    }
}

fn main() -> trainspec::Result<()> {
    Digits::main()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_to_be_advised() {
        assert_eq!(Digits::experiment().check().expect("a run that can start").advice, []);
    }

    /// The accuracy in the README: 97.5 % on digits by writers who are not in the training data.
    #[test]
    fn digits_of_unseen_writers_are_read() {
        let folder = tempfile::tempdir().expect("a folder for the run");
        let run = Digits::experiment().out(folder.path()).run().expect("a run to the end");
        let test = run.outcome.test.expect("a test part");
        assert_eq!(test.samples, 360);
        assert!(test.metrics["accuracy"] >= 0.975, "{test:?}");
    }
}
