//! The rising share of a one-cycle phase is 1.
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
        schedule: [OneCycle { max: 0.1, rise: 1.0 }],
        //~ instead: schedule: [OneCycle { max: 0.1, rise: 0.3 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
