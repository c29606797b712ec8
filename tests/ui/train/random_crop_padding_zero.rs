//! The padding of a random crop is 0.
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
        augment: [RandomCrop { padding: 0 }],
        //~ instead: augment: [RandomCrop { padding: 1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
