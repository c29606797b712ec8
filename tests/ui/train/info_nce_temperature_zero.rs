//! A temperature of 0.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Embeddings<3, 2> {
    x.linear(out = 6).reshape(to = [3, 2])
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Class<2>>::new(vec![0.5; 160], vec![0; 40]),
        loss: InfoNce { temperature: 0.0 },
        //~ instead: loss: InfoNce { temperature: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
