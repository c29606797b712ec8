//! What spans the crates of trainspec is tested here; see the files named in `Cargo.toml`.
