//! The standard deviation of noise is negative.
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
        augment: [GaussianNoise { std: -0.1 }],
        //~ instead: augment: [GaussianNoise { std: 0.1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
