//! The run folder: what every run leaves behind.
//!
//! | file | holds |
//! | --- | --- |
//! | `spec.json` | the whole spec with every default, and its hash |
//! | `manifest.json` | where the run comes from, what it ran on, and how it ended |
//! | `metrics.jsonl` | every step and epoch as it happened |
//! | `checkpoints/` | the state of the run at some steps |
//! | `model.safetensors` | the model at the end |
//! | `curves.svg` | loss, metrics and learning rate as a picture |
//!
//! A file that is not a log is there whole or not at all.

mod chart;
mod checkpoint;
mod curves;
mod folder;
mod manifest;
mod metrics;
mod start;
mod whole;

pub(crate) use chart::Axis;
pub(crate) use curves::{draw_rates, draw_search};
pub use folder::Folder;
pub use start::Start;
pub(crate) use whole::{pretty, write_whole};
