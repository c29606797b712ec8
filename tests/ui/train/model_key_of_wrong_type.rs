//! A key of the model has a value of another type.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>, width: usize) -> Logits<10> {
    x.flatten().linear(out = width).relu().linear(out = 10)
}

train! {
    pub Run {
        model: Net { width: 32.0 },
        //~ instead: model: Net { width: 32 },
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
