//! A key of the run that expects `true` or `false` is set to 1.
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
        drop_last: 1,
        //~ instead: drop_last: true,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
