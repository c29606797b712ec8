//! A weight above 1 of the focal loss of labels.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Logits<3> {
    x.linear(out = 3)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Labels<3>>::new(vec![0.5; 160], vec![1.0; 120]),
        loss: BinaryFocal { alpha: 1.5 },
        //~ instead: loss: BinaryFocal { alpha: 0.75 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
