//! A schedule-free optimizer has a second average.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: ScheduleFreeAdamW { lr: 1e-3 },
        ema: Ema { decay: 0.99 },
        //~ instead:
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
