//! The `check` of a custom metric returns `bool`.
//~ about: Loss and metrics

use serde::{Deserialize, Serialize};
use trainspec::metric::{Direction, Mean, Metric, Outcomes};
use trainspec::prelude::*;
use trainspec::{Config, CheckResult};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct WorstValue {}

impl WorstValue {
    const fn check(&self) -> bool {
    //~ instead: const fn check(&self) -> CheckResult {
        true
        //~ instead: Ok(())
    }
}

impl Config for WorstValue {
    const NAME: &'static str = "WorstValue";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Metric<Logits<10>, Class<10>> for WorstValue {
    type State = Mean;
    const LABEL: &'static str = "worst_value";
    const DIRECTION: Direction = Direction::Lower;

    fn update(&self, _: &mut Mean, _: &Outcomes<'_, u32>) {}
}

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [WorstValue {}],
    }
}

fn main() {}
