//! The power of a polynomial phase is 0.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [Polynomial { power: 0.0 }],
        //~ instead: schedule: [Polynomial { power: 2.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
