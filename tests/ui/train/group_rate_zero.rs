//! The learning rate factor of a parameter group is 0.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        groups: [Group { pattern: "**.bias", lr: 0.0 }],
        //~ instead: groups: [Group { pattern: "**.bias", freeze: true }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
