//! Declare a model and a training run, and get a type-checked, reproducible training program.
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
//! # Further reading
//!
//! - [`model`](macro@model) describes what a model's body can contain; [`layer`] lists the layers and how to write your own.
//! - [`train!`](macro@train) describes how to declare a run; [`spec::Spec`] lists its keys.
//! - [`loss`], [`metric`], [`optim`] and [`schedule`] contain the values of the keys; [`data`] contains data sets.
//! - [`Experiment`] is a run as a value, [`TrainedModel`] a model that predicts.
#![forbid(unsafe_code)]
// Only the command line writes to the terminal.
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
pub mod world;

// Compiler messages use the shortest path.
pub use config::{Config, Setting};
pub use data::Dataset;
pub use error::{Error, Result, TensorError};
pub use experiment::{Check, CrossValidation, Estimate, Experiment, FoldResult, Folds, Replayed, Run, Work};
pub use graph::Value;
pub use inference::{Load, TrainedModel};
pub use keys::{Facts, Label};
pub use layer::Pass;
pub use loss::{TargetKind, TargetKinds};
pub use model::{Blank, Fits, Model};
pub use shape::{
    CheckError, CheckResult, Class, ClassMap, Element, Embeddings, Features, Few, Gaussians, Image,
    InputKind, InputKinds, Kind, Kinds, Labels, LogProbabilities, LogitMap, Logits, OutputKind, OutputKinds,
    Probabilities, Series, Shape, TokenLogits, Tokens, Values,
};
#[doc(hidden)]
pub use spec::check::{
    Callable, Checked, Configuration, DeclaredModel, OneValue, Parted, check_returned, one_value, parted,
};
#[doc = include_str!("docs/model.md")]
pub use trainspec_macros::model;
#[doc = include_str!("docs/train.md")]
pub use trainspec_macros::train;
