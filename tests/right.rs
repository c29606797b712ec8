//! The corrections of `docs/errors.md`, compiled. `build.rs` generates them from the UI cases.

#![allow(warnings, clippy::all, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/right.rs"));

fn main() {}
