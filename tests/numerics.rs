//! Numerical tests: layers, losses, metrics, optimizers and both engines, checked against independent sources.

#![allow(unreachable_pub, reason = "declarations stand here as users write them")]

mod engines;
mod golden;
mod gradient;
mod groups;
mod losses;
mod metrics;
mod precision;
