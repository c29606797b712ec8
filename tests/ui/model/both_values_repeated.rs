//! Two values would both be repeated.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<16> {
    let column = x.reshape(to = [4, 1]);
    let row = x.reshape(to = [1, 4]);
    let table = column + row;
    //~ instead: let table = column.linear(out = 4) + row;
    table.flatten()
}

fn main() {}
