//! A frozen parameter group has a learning rate.
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
        groups: [Group { pattern: "**.bias", freeze: true, lr: 0.1 }],
        //~ instead: groups: [Group { pattern: "**.bias", freeze: true }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
