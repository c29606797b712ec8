//! Values of keys that cross-key rules read: lengths, monitors, penalties, and the facts that a configuration reports.

mod advice;
mod augments;
mod bounds;
mod facts;
mod interval;
mod monitor;
mod penalties;

pub use advice::{Advice, Finding};
pub(crate) use augments::augmented_input;
pub use augments::{Moves, Takes};
pub(crate) use bounds::not_negative;
pub use facts::{Facts, Label};
pub(crate) use facts::{Length, Scaling};
pub use interval::Interval;
pub(crate) use interval::{lasting, length};
pub use monitor::Monitor;
pub use penalties::{Decay, Penalties};
