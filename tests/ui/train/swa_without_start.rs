//! Stochastic weight averaging has no start.
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
        ema: Swa {},
        //~ instead: ema: Swa { start: Epochs(5) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
