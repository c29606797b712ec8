//! The losses of a fixed run, recorded for each processor architecture: a change of a kernel, an optimizer or a random stream
//! that alters them is detected.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use trainspec::data::Digits8x8;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec_kernels::simd::{Level, at_level};

#[model]
fn Digit(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 8, kernel = 3, padding = 1, bias = false).batch_norm().relu();
    let x = x.max_pool2d(kernel = 2).flatten().dropout(p = 0.2);
    x.linear(out = 32).gelu().layer_norm().linear(out = 10)
}

train! {
    /// A hundred steps on the planned engine.
    Hundred {
        model: Digit,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.05 },
        batch: 32,
        steps: 100,
        seed: 7,
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
        schedule: [Warmup { steps: 10 }, Cosine],
        clip: GlobalNorm { max: 1.0 },
    }
}

/// Whether to rewrite the recorded files: `OLD=overwrite cargo test -p trainspec-tests --test runs verify`.
pub(super) fn is_overwritten() -> bool {
    std::env::var("OLD").is_ok_and(|wish| wish == "overwrite")
}

pub(super) fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("old")
}

/// A line for each step: its number, the bits of the loss, and the loss in decimal.
fn losses() -> String {
    let mut text = String::new();
    let mut look = |event: &Event<'_>| {
        if let Event::Step(report) = event {
            writeln!(text, "{:3} {:016x} {}", report.step, report.loss.to_bits(), report.loss).unwrap();
        }
        Ok(())
    };
    Hundred::experiment().without_folder().run_with(&mut look).unwrap();
    text
}

/// On every SIMD level and on all threads.
#[test]
#[allow(clippy::print_stderr)]
fn hundred_losses_match_recorded_values() {
    let path = kept().join(format!("losses.{}.txt", std::env::consts::ARCH));
    let found = losses();
    for &level in Level::available() {
        assert_eq!(at_level(level, losses), found, "at {level:?}");
    }
    if is_overwritten() {
        fs::write(&path, found).unwrap();
    } else if let Ok(expected) = fs::read_to_string(&path) {
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{}", path.display());
        }
        assert_eq!(expected.lines().count(), 100);
    } else {
        eprintln!("skipped: {} does not exist; `OLD=overwrite` writes it on such a machine", path.display());
    }
}
