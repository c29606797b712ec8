//! A model whose call name would be a word of Rust, so that no other model could call it.
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
