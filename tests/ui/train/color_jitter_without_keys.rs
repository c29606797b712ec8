//! A color jitter changes nothing.
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
        augment: [ColorJitter {}],
        //~ instead: augment: [ColorJitter { brightness: 0.2, contrast: 0.2 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
