//! trainspec
#![forbid(unsafe_code)]

mod config;
pub mod data;
pub mod engine;
mod error;
pub mod graph;
pub mod layer;
pub mod loss;
pub mod metric;
pub mod optim;
pub mod rng;
pub mod schedule;
mod shape;

pub use config::{Config, Setting};
pub use engine::Pass;
pub use error::{Error, Result};
pub use shape::*;
