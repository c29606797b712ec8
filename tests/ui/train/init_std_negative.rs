//! The standard deviation of an initializer is negative.
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
        init: Initializer::Normal { std: -1.0 },
        //~ instead: init: Initializer::Normal { std: 0.02 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
