//! The beta of a smooth L1 loss is negative.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(x: Features<2>) -> Values<1> {
    x.linear(out = 1)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<2>, Values<1>>::new(vec![0.0, 1.0], vec![1.0]),
        loss: SmoothL1 { beta: -1.0 },
        //~ instead: loss: SmoothL1 { beta: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
