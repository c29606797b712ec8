//! The probability of a flip is above 1.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        augment: [FlipHorizontal { p: 50.0 }],
        //~ instead: augment: [FlipHorizontal { p: 0.5 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
