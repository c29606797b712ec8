//! Too few class weights of the focal loss.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss: Focal { weights: &[1.0, 2.0] },
        //~ instead: loss: Focal { gamma: 2.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
