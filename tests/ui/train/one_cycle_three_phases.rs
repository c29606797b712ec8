//! The rising and falling shares of a three-phase one-cycle schedule add up to more than 1.
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
        schedule: [OneCycle { max: 0.1, rise: 0.6, three_phase: true }],
        //~ instead: schedule: [OneCycle { max: 0.1, rise: 0.4, three_phase: true }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
