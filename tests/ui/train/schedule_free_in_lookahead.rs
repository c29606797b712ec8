//! Lookahead follows an optimizer that averages the weights itself.
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
        optimizer: Lookahead { optimizer: ScheduleFreeAdamW { lr: 1e-3 } },
        //~ instead: optimizer: ScheduleFreeAdamW { lr: 1e-3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
