//! Tests of memory allocation, counted by a custom allocator.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod allocation;
mod inputs;
mod meter;
