//! The final learning rate of a linear phase is negative.
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
        schedule: [Linear { to: -1e-3 }],
        //~ instead: schedule: [Linear { to: 0.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
