//! A schedule-free optimizer has a schedule that falls.
//~ about: Learning rate

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
        schedule: [Warmup { steps: 100 }, Cosine],
        //~ instead: schedule: [Warmup { steps: 100 }, Constant],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
