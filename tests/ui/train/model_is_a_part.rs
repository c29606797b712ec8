//! A model over any value cannot be trained.

use trainspec::prelude::*;

#[model]
fn Net(image: Value) -> Value {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
