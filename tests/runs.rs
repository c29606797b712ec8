//! Tests of whole runs: errors before the first step, recorded files, and behavior under signals, kills and damage.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod advice;
mod bits;
mod command;
mod digits;
mod faults;
mod init_from;
mod interop;
mod random_specs;
mod resume;
mod signals;
mod startup;
mod verify;
