//! The model has two inputs, the data provide one.
//~ about: Model and data

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>, z: Features<2>) -> Logits<3> {
    x.concat(z).linear(out = 3)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Class<3>>::new(vec![0.0; 400], vec![0; 100]),
        //~ instead: data: InMemory::<(Features<4>, Features<2>), Class<3>>::new((vec![0.0; 400], vec![0.0; 200]), vec![0; 100]),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
