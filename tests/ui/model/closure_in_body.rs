//! Statements that are no step of a model: each is reported.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    println!("hello");
    let y = match 1 {
        _ => x.relu(),
    };
    while true {
        y = y.relu();
    }
    y
}

fn main() {}
