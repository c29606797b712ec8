//! Two runs have the same name.
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
    }
}

train! {
    pub Run {
    //~ instead: pub LongRun {
        model: Net,
        data: Digits8x8::embedded(),
        epochs: 100,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
