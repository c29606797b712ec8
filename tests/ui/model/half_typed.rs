//! Each incomplete layer call and each out-of-range key is reported.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = x.dropout(p = 1.5).linear(out = 4, bia);
    //~ instead: let y = x.dropout(p = 0.5).linear(out = 8, bias = false);
    y.rel
    //~ instead: y.relu()
}

fn main() {
    let _ = Net::graph();
}
