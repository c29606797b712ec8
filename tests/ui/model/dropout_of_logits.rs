//! Dropout behind the last layer.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10).dropout(p = 0.1)
}

fn main() {}
