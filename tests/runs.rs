//! Tests of whole runs: errors before the first step, recorded files, and behavior under signals, kills and damage.

#![allow(
    unreachable_pub,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "declarations stand here as users write them"
)]

mod advice;
mod bits;
mod command;
mod data_files;
mod digits;
mod faults;
mod folds;
mod init_from;
mod interop;
mod literature;
mod model_keys;
mod random_specs;
mod resume;
mod several;
mod signals;
mod startup;
mod targets;
mod verify;
mod world;
