//! The distance of a shift is negative.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        augment: [Shift { pixels: -1.0 }],
        //~ instead: augment: [Shift { pixels: 1.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
