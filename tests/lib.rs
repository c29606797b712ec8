//! Tests that span the crates of trainspec; see the files named in `Cargo.toml`.

pub mod blots;
pub mod promises;
pub mod record;
pub mod run_files;

#[cfg(test)]
mod source;
