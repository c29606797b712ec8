//! A layer without brackets, a key without a value, and beside them a key that is out of range.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = x.dropout(p = 1.5).linear(out = 4, bia);
    y.rel
}

fn main() {
    let _ = Net::graph();
}
