//! The decay of a moving average is 1.
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
        ema: Ema { decay: 1.0 },
        //~ instead: ema: Ema { decay: 0.999 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
