//! One `train!` declares two programs.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
    pub Other {
    //~ instead:
        model: Net,
        //~ instead:
        data: Digits8x8::embedded(),
        //~ instead:
    }
    //~ instead:
}

fn main() {}
