//! What Rust would allow on a statement or a pattern, and a step of a model does not have.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    #[cfg(any())]
    let y = x.relu();
    let ref y = x.tanh();
    let z = y.gelu() else { panic!() };
    'a: for mut i in 0..2 {}
    z
}

fn main() {
    let _ = Net::graph();
}
