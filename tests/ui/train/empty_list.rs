//! The schedule is empty.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [],
        //~ instead:
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
