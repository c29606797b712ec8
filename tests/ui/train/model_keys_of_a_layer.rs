//! A layer with its keys as the model.
//~ about: Model and data

use trainspec::layer::Linear;
use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Linear { out: 10 },
        //~ instead: model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
