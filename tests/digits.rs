//! End to end on real data: a declared model learns to classify digits, and its file predicts.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::data::{Digits8x8, PreparedDataset};
use trainspec::prelude::*;

/// A model that learns fast.
#[model]
fn Fast(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 16, kernel = 3, padding = 1).relu().max_pool2d(kernel = 2).flatten().linear(out = 10)
}

train! {
    Digits {
        model: Fast,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        batch: 32,
        epochs: 20,
        optimizer: AdamW { lr: 5e-3 },
        schedule: [Cosine],
    }
}

#[test]
fn trained_model_file_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let run = Digits::experiment().out(folder.path()).run().unwrap();
    let test = run.outcome.test.clone().unwrap();
    // Random guessing reaches 0.1; a linear classifier of these pixels reaches about 0.92 on the test writers.
    assert!(test.metrics["accuracy"] > 0.9, "{test:?}");
    assert_eq!(test.samples, 360);

    let file = run.folder.unwrap().join("model.safetensors");
    let model = Fast::load(&file).unwrap();
    let data = PreparedDataset::new(Box::new(Digits8x8::embedded().unwrap()), 0).unwrap();
    assert_eq!(data.test().len(), 360);
    let again = Digits::experiment().evaluate(&model, PreparedDataset::test).unwrap();
    assert_eq!(again, test, "the file has the final weights of the run");
}

/// Predicts from a model file in four lines, on unnormalized samples.
#[test]
fn model_file_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let run = Digits::experiment().out(folder.path()).run().unwrap();
    let digits = Digits8x8::embedded().unwrap();
    let (mut pixels, mut right) = (vec![0.0; 360 * 64], Vec::new());
    for (index, pixels) in (1437..1797).zip(pixels.chunks_exact_mut(64)) {
        let mut class = [0];
        digits.sample(index, pixels, &mut class).unwrap();
        right.push(class[0]);
    }

    let model = Fast::load(run.folder.unwrap().join("model.safetensors")).unwrap();
    let logits = model.predict(&pixels).unwrap();

    assert_eq!(logits.len(), 360 * 10);
    let largest = |logits: &[f32]| (0..10).reduce(|a, b| if logits[b] > logits[a] { b } else { a }).unwrap();
    let hits =
        logits.chunks_exact(10).zip(right).filter(|(logits, right)| largest(logits) == *right as usize);
    let accuracy = run.outcome.test.unwrap().metrics["accuracy"];
    assert_eq!(hits.count(), (accuracy * 360.0).round() as usize);
    assert!(model.predict(&pixels[..63]).is_err(), "half a sample");
}

#[test]
fn model_file_of_another_model_is_rejected_with_every_difference() {
    #[model]
    fn Other(image: Image<1, 8, 8>) -> Logits<10> {
        image
            .conv2d(out = 8, kernel = 3, padding = 1)
            .relu()
            .flatten()
            .linear(out = 32)
            .relu()
            .linear(out = 10)
    }
    let folder = tempfile::tempdir().unwrap();
    let run = Digits::experiment().epochs(1).out(folder.path()).run().unwrap();
    let error = Other::load(run.folder.unwrap().join("model.safetensors")).unwrap_err().to_string();
    for part in
        ["`conv2d_1.weight` is F32 [16, 1, 3, 3], expected F32 [8, 1, 3, 3]", "`linear_2.weight` is missing"]
    {
        assert!(error.contains(part), "{error}");
    }
}
