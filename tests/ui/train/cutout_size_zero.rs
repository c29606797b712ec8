//! The erased square has no pixels.
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
        augment: [Cutout { size: 0 }],
        //~ instead: augment: [Cutout { size: 3 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
