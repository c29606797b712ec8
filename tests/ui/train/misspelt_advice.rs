//! The name of a kind of advice is misspelled.
//~ about: Stopping and saving

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        allow: [Advice::NoWeightDecy],
        //~ instead: allow: [Advice::NoWeightDecay],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
