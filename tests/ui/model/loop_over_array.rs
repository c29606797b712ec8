//! A loop iterates over an array.
//~ about: The body of a model

use trainspec::prelude::*;

const WIDTHS: [usize; 2] = [8, 16];

#[model]
fn Net(x: Features<8>) -> Values<16> {
    let mut x = x;
    for width in WIDTHS {
    //~ instead: for i in 0..2 {
        x = x.linear(out = width);
        //~ instead: x = x.linear(out = WIDTHS[i]);
    }
    x
}

fn main() {}
