//! A monitored metric is not computed because the run has no `metrics`.
//~ about: Stopping and saving

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        early_stop: EarlyStop { monitor: ValMetric("accuracy") },
        //~ instead: metrics: [Accuracy],
        //~ instead: early_stop: EarlyStop { monitor: ValMetric("accuracy") },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
