//! A recurrent layer is applied to a feature vector instead of a sequence.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.lstm(out = 4).flatten().linear(out = 1)
    //~ instead: x.reshape(to = [8, 1]).lstm(out = 4).flatten().linear(out = 1)
}

fn main() {}
