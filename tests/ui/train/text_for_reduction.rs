//! The reduction of a loss is a string.
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
        loss: CrossEntropy { reduction: "sum" },
        //~ instead: loss: CrossEntropy { reduction: Reduction::Sum },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
