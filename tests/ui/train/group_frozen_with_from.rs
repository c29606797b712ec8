//! A group is frozen, and trained from the second epoch on.
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
        groups: [Group { pattern: "linear_1.**", freeze: true, from: Epochs(1) }, Group { pattern: "**.bias", lr: 2.0 }],
        //~ instead: groups: [Group { pattern: "linear_1.weight", from: Epochs(1) }, Group { pattern: "**.bias", lr: 2.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
