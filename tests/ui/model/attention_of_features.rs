//! Attention is applied to a single feature vector.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.self_attention(heads = 2).linear(out = 1)
    //~ instead: x.reshape(to = [4, 2]).self_attention(heads = 2).flatten().linear(out = 1)
}

fn main() {}
