//! What a user can write: the model language, parts of one's own, and the message for each mistake.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod errors;
mod extend;
mod hygiene;
mod language;
mod own_project;
mod samples;
mod ui;
