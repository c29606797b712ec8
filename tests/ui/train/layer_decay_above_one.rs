//! A layer-wise factor above 1.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.flatten().linear(out = 16).relu().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        groups: [Group { pattern: "linear_*.**", layer_decay: 1.5 }],
        //~ instead: groups: [Group { pattern: "linear_*.**", layer_decay: 0.75 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
