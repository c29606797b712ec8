//! A step of a model has an attribute, a pattern modifier or an `else` that models do not support.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    #[cfg(any())]
    //~ instead:
    let y = x.relu();
    let ref y = y.tanh();
    //~ instead: let y = y.tanh();
    let z = y.gelu() else { panic!() };
    //~ instead: let z = y.gelu();
    'a: for mut i in 0..2 {}
    //~ instead: for i in 0..2 {}
    z
}

fn main() {
    let _ = Net::graph();
}
