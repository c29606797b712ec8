//! What is allocated, counted by an allocator of this process.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod allocation;
mod inputs;
mod meter;
