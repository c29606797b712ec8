//! A reduction does not exist.
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
        loss: CrossEntropy { reduction: Reduction::Avg },
        //~ instead: loss: CrossEntropy { reduction: Reduction::Mean },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
