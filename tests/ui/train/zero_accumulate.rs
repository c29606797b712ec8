//! The number of micro-batches to accumulate is 0.
//~ about: Batches and length

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        accumulate: 0,
        //~ instead: accumulate: 4,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
