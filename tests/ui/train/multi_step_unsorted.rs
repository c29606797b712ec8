//! The milestones of a multi-step phase are not increasing.
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
        schedule: [MultiStep { at: &[Epochs(30), Epochs(10)] }],
        //~ instead: schedule: [MultiStep { at: &[Epochs(10), Epochs(30)] }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
