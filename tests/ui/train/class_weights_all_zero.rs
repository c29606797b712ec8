//! All class weights are 0.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(x: Features<2>) -> Logits<2> {
    x.linear(out = 2)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<2>, Class<2>>::new(vec![0.0, 1.0], vec![1]),
        loss: CrossEntropy { weights: &[0.0, 0.0] },
        //~ instead: loss: CrossEntropy { weights: &[0.0, 1.0] },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
