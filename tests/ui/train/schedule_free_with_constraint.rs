//! A schedule-free optimizer has a constraint, which would not bound its average.
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
        optimizer: ScheduleFreeSgd { lr: 1.0 },
        constrain: MaxNorm { max: 1.0 },
        //~ instead:
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
