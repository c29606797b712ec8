//! The change of the brightness is 0.
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
        augment: [Brightness { by: 0.0 }],
        //~ instead: augment: [Brightness { by: 0.2 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
