//! An external file with any content is read or rejected: without a panic, without an allocation beyond its size times a
//! constant, without a change outside the run folder.
//!
//! `FUZZ_SECONDS=60` tests each kind of input for this long, with other cases each time; without it there are a few thousand
//! fixed cases. A failure names the `FUZZ_SEED` that reproduces it. Every campaign prints a line of JSON with its figures, and
//! appends it to the file that `RELIABILITY_OUT` names. The cases are changes to valid files (`edit.rs`), so that they pass the
//! first check. cargo-fuzz is not used, since it needs a nightly compiler.
//!
//! Seen to fail: with a row of unlimited length, a buffer of the size in an IDX header, links in a run folder that are
//! followed, an error that lists all names of a header, an endless file, a checksum list whose names are compared in part.

#![allow(missing_docs, clippy::unwrap_used)]

mod campaign;
mod checkpoint;
mod edit;
mod model_file;
mod settings;
mod sources;
mod tables;
