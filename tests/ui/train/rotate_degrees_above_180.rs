//! An image is rotated by more than half a turn.
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
        augment: [Rotate { degrees: 360.0 }],
        //~ instead: augment: [Rotate { degrees: 180.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
