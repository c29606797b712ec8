//! A number is used where a moving average is expected.
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
        ema: 0.999,
        //~ instead: ema: Ema { decay: 0.999 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
