//! A key of the model gives one of its layers an impossible shape.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>, #[default(3)] kernel: usize) -> Logits<10> {
    x.conv2d(out = 4, kernel = kernel).relu().flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net { kernel: 9 },
        //~ instead: model: Net { kernel: 5 },
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
