//! Schedule-free descent takes the gradient at the step, without its average.
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
        optimizer: ScheduleFreeSgd { momentum: 0.0 },
        //~ instead: optimizer: ScheduleFreeSgd { momentum: 0.9 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
