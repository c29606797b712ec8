//! The half-life of a moving average is negative.
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
        ema: Ema { half_life: -10.0 },
        //~ instead: ema: Ema { half_life: 10.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
