//! A loop over an array.

use trainspec::prelude::*;

const WIDTHS: [usize; 2] = [8, 16];

#[model]
fn Net(x: Features<8>) -> Values<16> {
    let mut x = x;
    for width in WIDTHS {
        x = x.linear(out = width);
    }
    x
}

fn main() {}
