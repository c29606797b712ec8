//! The slow weights of Lookahead move by more than the whole way.
//~ about: Optimizer

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: Lookahead { optimizer: AdamW, alpha: 1.5 },
        //~ instead: optimizer: Lookahead { optimizer: AdamW, alpha: 0.5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
