//! The padding of a random crop is missing.
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
        augment: [RandomCrop {}],
        //~ instead: augment: [RandomCrop { padding: 1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
