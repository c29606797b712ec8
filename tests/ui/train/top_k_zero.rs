//! The `k` of top-k accuracy is 0.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [TopK { k: 0 }],
        //~ instead: metrics: [TopK { k: 5 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
