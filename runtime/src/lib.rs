//! Declare a model and a training run; get a checked, reproducible training program.
#![forbid(unsafe_code)]
// Only the command line speaks to the terminal.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod cli;
mod config;
pub mod data;
pub mod engine;
mod error;
#[cfg(test)]
mod fixture;
pub mod graph;
mod hash;
mod human;
pub mod layer;
pub mod loss;
pub mod metric;
mod model;
pub mod optim;
pub mod prelude;
pub mod rng;
pub mod run;
pub mod schedule;
mod shape;
pub mod spec;
mod table;
pub mod train;
mod trained;
mod training;

pub use config::{Config, Setting};
pub use data::Dataset;
pub use error::{Error, Result};
pub use graph::Value;
pub use layer::Pass;
pub use model::Model;
pub use shape::{
    Class, Element, Features, Fits, Image, InputKind, Kind, Logits, OutputKind, Problem, Shape, TargetKind,
    TokenLogits, Tokens, Values, Verdict,
};
pub use trained::Trained;
pub use training::{Run, Training};
pub use trainspec_macros::{model, train};
