//! Whatever is in a file from outside, it is read or refused: no panic, no allocation beyond its size times a constant, nothing done
//! outside of the run folder.
//!
//! `FUZZ_SECONDS=60` tries each kind of input for so long, with other cases each time; without it there are some thousands, always
//! the same. A failure names the `FUZZ_SEED` that has it again. Every campaign prints a line of JSON with its figures, and appends it to the file that
//! `RELIABILITY_OUT` names. The cases come from changes to good files (`edit.rs`), so that they get past the first check; there
//! are no targets for cargo-fuzz, which needs a nightly compiler.
//!
//! Seen to fail: with a row of any length, a buffer of the size that an IDX header tells, links in a run folder that are followed, a
//! header's names listed whole, a file that never ends, a list of sums whose names are not compared whole.

#![allow(missing_docs, clippy::unwrap_used)]

mod campaign;
mod checkpoint;
mod edit;
mod model_file;
mod settings;
mod tables;
