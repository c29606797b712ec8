//! Tests that span the crates of trainspec; see the files named in `Cargo.toml`.

pub mod promises;
pub mod record;
pub mod run_files;
pub mod small_images;

#[cfg(test)]
mod source;
