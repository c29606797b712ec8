//! A number is used where gradient noise is expected.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        gradient_noise: 0.01,
        //~ instead: gradient_noise: GradientNoise { eta: 0.01 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
