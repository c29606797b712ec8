//! Tests of the declarations: the model language, custom parts, and the message for each mistake.

#![allow(
    unreachable_pub,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "declarations stand here as users write them"
)]

mod errors;
mod extend;
mod hygiene;
mod language;
mod own_project;
mod samples;
mod ui;
