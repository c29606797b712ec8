//! Declarations where trainspec is renamed, in a strict crate: the prelude is not imported, and every lint is an error.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    let_underscore,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_crate_dependencies,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

use ::ts::prelude::{
    Accuracy, AdamW, Cosine, CrossEntropy, Digits8x8, Features, Image, Logits, TopK, Values, Warmup, dropout,
    flatten, linear, model, relu, train,
};

/// A sub-model with keys.
#[model(crate = ::ts)]
pub fn Part(
    x: Features<64>,
    /// The width inside.
    width: usize,
    #[default(true)] deep: bool,
    #[default(1)] r#loop: usize,
) -> Values<16> {
    let mut y = x.linear(out = width).relu();
    for i in 1..=r#loop {
        y = y.linear(out = width * i);
    }
    if deep {
        y = y.relu();
    }
    let r#match = y.linear(out = 16);
    r#match + r#match
}

/// The model of the run.
#[model(crate = ::ts)]
pub fn Net<const WIDTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().part(width = WIDTH, r#loop = 2).dropout(p = 0.1).linear(out = 10)
}

train! {
    /// A run with keys of every form.
    pub Run {
        crate: ::ts,
        model: Net<8>,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.1 },
        metrics: [Accuracy, TopK { k: 2 }],
        batch: 64,
        epochs: 2,
        optimizer: AdamW { lr: 1e-3 },
        schedule: [Warmup { steps: 2 }, Cosine],
    }
}

/// Two runs in one module.
pub mod private {
    use ::ts::prelude::*;

    train! {
        pub(crate) Second {
            crate: ::ts,
            model: super::Net<4>,
            data: Digits8x8::embedded(),
            epochs: 1,
        }
    }

    train! {
        Third {
            crate: ::ts,
            model: super::Net<4>,
            data: Digits8x8::embedded(),
            epochs: 1,
        }
    }

    /// Returns whether the private runs succeed.
    #[must_use]
    pub fn are_well() -> bool {
        Second::experiment().settings().is_ok() && Third::experiment().settings().is_ok()
    }
}
