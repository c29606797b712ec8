//! The run folder: the files that every run writes.
//!
//! | file | holds |
//! | --- | --- |
//! | `spec.json` | the whole spec with every default, and its hash |
//! | `manifest.json` | where the run comes from, what it ran on, and how it ended |
//! | `metrics.jsonl` | every step and epoch as it happened |
//! | `trace.jsonl` | hashes of the parameters at some steps, and a hash over the whole run so far |
//! | `checkpoints/` | the state of the run at some steps |
//! | `model.safetensors` | the model at the end |
//! | `curves.svg` | loss, metrics and learning rate as a picture |
//! | `lock` | nothing; it is locked while a process is using the folder |
//!
//! All files except the logs are written atomically. [`Folder::resume`] resumes a run; it changes nothing before
//! the run continues.

mod append_log;
mod chart;
mod checkpoint;
mod checkpoint_store;
mod checksums;
mod clock;
mod curves;
mod data_files;
mod diff;
mod difference;
mod environment;
mod folder;
mod links;
mod lock;
mod logs;
mod manifest;
mod metrics;
mod newest;
mod probe;
mod record;
mod replay;
mod restore;
mod resume;
mod start;
mod state;
mod tensors;
mod trace;
mod verify;
mod writer;

pub(crate) use chart::Axis;
pub(crate) use curves::{draw_rates, draw_search};
pub(crate) use data_files::recorded_data_file;
pub use diff::{Comparison, Losses, Results, diff};
pub use difference::Change;
pub use folder::Folder;
pub(crate) use lock::FolderLock;
pub(crate) use newest::newest;
pub(crate) use probe::probe;
pub(crate) use record::{Record, finished_validation};
pub(crate) use restore::newest_checkpoint;
pub use start::Start;
pub use verify::{Difference, Verified};
pub(crate) use verify::{State, Verifier};
