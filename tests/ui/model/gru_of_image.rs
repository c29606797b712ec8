//! A recurrent layer is applied to an image.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.gru(out = 4).flatten().linear(out = 10)
    //~ instead: image.reshape(to = [8, 8]).gru(out = 4).flatten().linear(out = 10)
}

fn main() {}
