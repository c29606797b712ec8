//! What a function may have and a model does not.

use trainspec::prelude::*;

#[model]
unsafe fn Net(ref x: Features<8>, x: Features<8>, #[default(1)] #[default(2)] width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {
    let _ = Net::graph();
}
