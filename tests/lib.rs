//! What spans the crates of trainspec is tested here; see the files named in `Cargo.toml`.

pub mod blots;
pub mod promises;
pub mod record;
pub mod run_files;

#[cfg(test)]
mod source;
