//! Tests of memory allocation, counted by a custom allocator.

#![allow(
    unreachable_pub,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "declarations stand here as users write them"
)]

mod allocation;
mod inputs;
mod meter;
