//! A final evaluation that fails.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Error, Experiment, Result, TrainedModel};
use trainspec_tests::run_files::{files, only, scratch};
use trainspec_tests::small_images;

static BROKEN: AtomicBool = AtomicBool::new(false);

/// [`small_images::SmallImages`] whose samples can no longer be read once they are broken.
struct SmallImages;

impl Dataset for SmallImages {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        small_images::SmallImages.len()
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        if BROKEN.load(Ordering::Relaxed) {
            return Err(Error::Dataset("the disk is gone".to_owned()));
        }
        small_images::SmallImages.sample(index, input, target)
    }

    fn split(&self) -> Split {
        small_images::SmallImages.split()
    }
}

#[model]
fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    image.conv2d(out = 3, kernel = 3, bias = false).batch_norm().relu().flatten().linear(out = 3)
}

train! {
    /// Ends with the weights of an early epoch; saves no checkpoint.
    Plain {
        model: Net,
        data: SmallImages,
        batch: 4,
        epochs: 4,
        optimizer: Sgd { lr: 3.0 },
        early_stop: EarlyStop { patience: 9 },
        ema: Ema { decay: 0.5 },
    }
}

/// The final weights of a run (best, averaged or last) are on disk when something fails after its last step.
#[test]
fn failed_final_evaluation_keeps_weights() {
    let training = |keys: &[(&str, &str)]| -> Experiment<Net> {
        keys.iter().fold(Plain::experiment(), |training, (key, value)| training.set(key, value).unwrap())
    };
    let mut models = Vec::new();
    for keys in [
        [("early_stop", "null"), ("ema", "null")],
        [("early_stop", "null"), ("ema", "{}")],
        [("early_stop.patience", "9"), ("ema", "null")],
    ] {
        let out = scratch();
        let whole = files(&training(&keys).out(out.path().join("whole")).run().unwrap().folder.unwrap());
        let mut end = |event: &Event<'_>| {
            if let Event::End(_) = event {
                BROKEN.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        let failed = training(&keys).out(out.path()).run_with(&mut end);
        BROKEN.store(false, Ordering::Relaxed);
        let problem = failed.unwrap_err().to_string();
        assert_eq!(problem, "data: the disk is gone");
        let run = only(&out.path().join("plain")).unwrap();
        let left = files(&run);
        for name in ["model.safetensors", "metrics.jsonl", "trace.jsonl", "curves.svg"] {
            assert!(left.get(name) == whole.get(name), "{keys:?}: {name}");
        }
        assert!(TrainedModel::<Net>::load(run.join("model.safetensors")).is_ok());
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["exit"], "failed: data: the disk is gone");
        models.push(whole["model.safetensors"].clone());
    }
    assert!(models[0] != models[1] && models[0] != models[2], "they end with other weights");
}
