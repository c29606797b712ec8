//! Batch normalization is applied to an input with four axes.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.reshape(to = [1, 8, 2, 4]).batch_norm().flatten().linear(out = 10)
    //~ instead: image.batch_norm().flatten().linear(out = 10)
}

fn main() {}
