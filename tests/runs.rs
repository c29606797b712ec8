//! What runs do: what is reported before the first step, what is recorded, and what survives signals, kills and damage.

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
