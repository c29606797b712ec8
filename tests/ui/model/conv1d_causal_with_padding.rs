//! A causal convolution has a padding.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<10> {
    x.reshape(to = [2, 4]).conv1d(out = 8, kernel = 3, padding = 2, causal = true).flatten().linear(out = 10)
    //~ instead: x.reshape(to = [2, 4]).conv1d(out = 8, kernel = 3, causal = true).flatten().linear(out = 10)
}

fn main() {}
