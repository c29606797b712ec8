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
//! | `lock` | nothing; it is locked while a process is at work in the folder |
//!
//! A file that is not a log is there whole or not at all. [`Folder::resume`] takes a run up again.

mod chart;
mod checkpoint;
mod curves;
mod difference;
mod folder;
mod links;
mod lock;
mod manifest;
mod metrics;
mod newest;
mod replay;
mod restore;
mod resume;
mod start;
mod state;
mod sums;
mod whole;

pub(crate) use chart::Axis;
pub(crate) use curves::{draw_rates, draw_search};
pub use folder::Folder;
pub(crate) use newest::newest;
pub use start::Start;
pub(crate) use whole::{pretty, write_whole};
