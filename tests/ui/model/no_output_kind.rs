//! A model that does not say what it gives.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) {
    x.relu()
}

fn main() {}
