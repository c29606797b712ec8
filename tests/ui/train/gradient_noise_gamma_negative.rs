//! The decay exponent of the gradient noise is negative.
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
        gradient_noise: GradientNoise { eta: 0.01, gamma: -0.5 },
        //~ instead: gradient_noise: GradientNoise { eta: 0.01, gamma: 0.55 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
