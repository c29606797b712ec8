//! The call name of a model would be a Rust keyword.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Crate(x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {
    let _ = Crate::graph();
    //~ instead: let _ = Net::graph();
}
