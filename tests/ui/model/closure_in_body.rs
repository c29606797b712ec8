//! Each unsupported expression in a model body is reported.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    println!("hello");
    //~ instead:
    let y = match 1 {
    //~ instead: let y = x.relu();
        _ => x.relu(),
        //~ instead:
    };
    //~ instead:
    while true {
    //~ instead: let y = y.relu();
        y = y.relu();
        //~ instead:
    }
    //~ instead:
    y
}

fn main() {}
