//! A rule for images is used with features, among others that fit.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Logits<2> {
    x.linear(out = 2)
}

fn table() -> trainspec::Result<InMemory<Features<4>, Class<2>>> {
    InMemory::new(vec![0.0; 40], vec![0; 10])
}

train! {
    pub Run {
        model: Net,
        data: table(),
        augment: [GaussianNoise { std: 0.1 }, Rotate { degrees: 10.0 }],
        //~ instead: augment: [GaussianNoise { std: 0.1 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
