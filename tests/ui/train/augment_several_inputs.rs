//! One list of rules is used for a model with two inputs.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(photo: Image<1, 4, 4>, facts: Features<3>) -> Logits<2> {
    photo.flatten().concat(facts).linear(out = 2)
}

fn houses() -> trainspec::Result<InMemory<(Image<1, 4, 4>, Features<3>), Class<2>>> {
    InMemory::new((vec![0.0; 160], vec![0.0; 30]), vec![0; 10])
}

train! {
    pub Run {
        model: Net,
        data: houses(),
        augment: [FlipHorizontal],
        //~ instead: augment: ([FlipHorizontal], []),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
