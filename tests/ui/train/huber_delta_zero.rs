//! The delta of a Huber loss is 0.
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
        loss: Huber { delta: 0.0 },
        //~ instead: loss: Huber { delta: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
