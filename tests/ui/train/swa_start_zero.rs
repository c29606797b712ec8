//! Stochastic weight averaging starts before the first step.
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
        ema: Swa { start: Steps(0) },
        //~ instead: ema: Swa { start: Steps(1) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
