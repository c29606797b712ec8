//! The factor of an exponential phase is 0.
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
        schedule: [Exponential { factor: 0.0 }],
        //~ instead: schedule: [Exponential { factor: 0.95 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
