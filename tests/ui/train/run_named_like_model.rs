//! A run has the name of its model.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Digits(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Digits {
    //~ instead: pub DigitsRun {
        model: Digits,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Digits::main()
    //~ instead: DigitsRun::main()
}
