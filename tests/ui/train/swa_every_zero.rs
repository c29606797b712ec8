//! Stochastic weight averaging takes the weights every 0 epochs.
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
        ema: Swa { start: Epochs(5), every: Epochs(0) },
        //~ instead: ema: Swa { start: Epochs(5), every: Epochs(1) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
