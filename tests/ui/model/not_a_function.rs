//! The attribute stands on a struct.

use trainspec::prelude::*;

#[model]
struct Net {
    width: usize,
}

fn main() {}
