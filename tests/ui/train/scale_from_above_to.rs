//! The smallest factor of a scale is above the largest.
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
        augment: [Scale { from: 1.2, to: 0.8 }],
        //~ instead: augment: [Scale { from: 0.8, to: 1.2 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
