//! The factor of a constant phase is 0.
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
        schedule: [Constant { factor: 0.0 }],
        //~ instead: schedule: [Constant { factor: 0.1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
