//! The maximum learning rate of a one-cycle phase is negative.
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
        schedule: [OneCycle { max: -0.1 }],
        //~ instead: schedule: [OneCycle { max: 0.1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
