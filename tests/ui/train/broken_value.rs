//! A syntax error in a value and another mistake are both reported.
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
        batch: 6 4,
        //~ instead: batch: 64,
        clip: GlobalNorm { max: },
        //~ instead: clip: GlobalNorm { max: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
