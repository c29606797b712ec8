//! A function is declared in a model body.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    const fn width() -> usize {
    //~ instead: const WIDTH: usize = 8;
        8
        //~ instead:
    }
    //~ instead:
    x.linear(out = width())
    //~ instead: x.linear(out = WIDTH)
}

fn main() {}
