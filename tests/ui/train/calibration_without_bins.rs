//! A calibration error without bins.
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
        metrics: [CalibrationError { bins: 0 }],
        //~ instead: metrics: [CalibrationError { bins: 10 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
