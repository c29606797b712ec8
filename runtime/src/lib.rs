//! Declare a model and a training run; get a checked, reproducible training program.
//!
//! ```no_run
//! use trainspec::prelude::*;
//!
//! #[model]
//! pub fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
//!     image
//!         .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
//!         .batch_norm()
//!         .relu()
//!         .max_pool2d(kernel = 2)
//!         .flatten()
//!         .dropout(p = 0.25)
//!         .linear(out = 10)
//! }
//!
//! train! {
//!     pub Digits {
//!         model: DigitNet,
//!         data: Digits8x8::embedded(),
//!         metrics: [Accuracy],
//!         batch: 64,
//!         epochs: 40,
//!         optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
//!         schedule: [Warmup { steps: 50 }, Cosine],
//!     }
//! }
//!
//! fn main() -> trainspec::Result<()> {
//!     Digits::main()
//! }
//! ```
//!
#![doc = include_str!("docs/project.md")]
//! # Where to read on
//!
//! - [`model`](macro@model) says what a model's body may hold; [`layer`] lists the layers and how to bring your own.
//! - [`train!`](macro@train) says how a run is declared; [`spec::Spec`] lists its keys.
//! - [`loss`], [`metric`], [`optim`] and [`schedule`] hold what the keys take; [`data`] holds data sets.
//! - [`Experiment`] is a run as a value, [`TrainedModel`] a model that predicts.
#![forbid(unsafe_code)]
// Only the command line speaks to the terminal.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod advice;
pub mod cli;
mod config;
pub mod data;
pub mod engine;
mod error;
mod experiment;
mod files;
#[cfg(test)]
mod fixture;
mod format;
pub mod graph;
mod inference;
pub mod interrupt;
mod keys;
pub mod layer;
pub mod loss;
pub mod metric;
mod model;
mod model_file;
pub mod op;
pub mod optim;
pub mod plan;
pub mod prelude;
pub mod rng;
pub mod run_dir;
pub mod schedule;
mod shape;
mod similar;
pub mod spec;
pub mod summary;
pub mod trainer;

// Messages name them by their shortest path.
pub use config::{Config, Setting};
pub use data::Dataset;
pub use error::{Error, Result};
pub use experiment::{Check, Experiment, Replayed, Run, Work};
pub use graph::Value;
pub use inference::{Load, TrainedModel};
pub use keys::{Facts, Label};
pub use layer::Pass;
pub use loss::TargetKind;
pub use model::{Blank, Fits, Model};
pub use shape::{
    CheckError, CheckResult, Class, Element, Features, Image, InputKind, Kind, Labels, LogProbabilities,
    Logits, OutputKind, Probabilities, Shape, TokenLogits, Tokens, Values,
};
#[doc(hidden)]
pub use spec::check::{Callable, Checked, Configuration, DeclaredModel, judged};
#[doc = include_str!("docs/model.md")]
pub use trainspec_macros::model;
#[doc = include_str!("docs/train.md")]
pub use trainspec_macros::train;
