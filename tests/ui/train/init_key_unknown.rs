//! A key belongs to another initializer.
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
        init: Initializer::Uniform { std: 0.1 },
        //~ instead: init: Initializer::Uniform { bound: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
