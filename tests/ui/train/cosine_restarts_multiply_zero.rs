//! The period multiplier of cosine restarts is 0.
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
        schedule: [CosineRestarts { period: Epochs(10), multiply: 0 }],
        //~ instead: schedule: [CosineRestarts { period: Epochs(10), multiply: 2 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
