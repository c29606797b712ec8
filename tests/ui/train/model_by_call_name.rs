//! The model is written as a call.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: digit_net(),
        //~ instead: model: DigitNet,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
