//! A kind of advice is a string.
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
        allow: ["NoWeightDecay"],
        //~ instead: allow: [Advice::NoWeightDecay],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
