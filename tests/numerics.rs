//! Numerical tests: layers, losses, metrics, optimizers and both engines, checked against independent sources.

#![allow(
    unreachable_pub,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "declarations stand here as users write them"
)]

mod engines;
mod golden;
mod gradient;
mod groups;
mod losses;
mod metrics;
mod precision;
mod sharing;
