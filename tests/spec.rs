//! Tests of the declarations: the model language, custom parts, and the message for each mistake.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod errors;
mod extend;
mod hygiene;
mod language;
mod own_project;
mod samples;
mod ui;
