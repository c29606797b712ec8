//! Names for two of ten classes.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [ConfusionMatrix { names: &["zero", "one"] }],
        //~ instead: metrics: [ConfusionMatrix],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
