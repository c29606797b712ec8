//! A model that no other could call.

use trainspec::prelude::*;

#[model]
fn Crate(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {
    let _ = Crate::graph();
}
