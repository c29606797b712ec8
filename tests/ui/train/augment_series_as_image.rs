//! A rule for images is used with a series.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(x: Series<2, 6>) -> Logits<2> {
    x.flatten().linear(out = 2)
}

fn waves() -> trainspec::Result<InMemory<Series<2, 6>, Class<2>>> {
    InMemory::new(vec![0.0; 120], vec![0; 10])
}

train! {
    pub Run {
        model: Net,
        data: waves(),
        augment: [Cutout { size: 2 }],
        //~ instead: augment: [TimeMask { steps: 2 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
