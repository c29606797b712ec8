//! A custom phase makes the phases longer than the run.
//! Its `check` returns its length to the compiler.
//~ about: Learning rate

use serde::{Deserialize, Serialize};
use trainspec::prelude::*;
use trainspec::schedule::{Clock, Interval, Phase};
use trainspec::{Config, Facts, CheckResult};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Rest {
    steps: u64,
}

impl Rest {
    const fn check(&self) -> CheckResult<Facts> {
        Ok(Facts::NOTHING.lasting(Some(Steps(self.steps))).times(1.0))
    }
}

impl Config for Rest {
    const NAME: &'static str = "Rest";
    const DEFAULT: Self = Self { steps: 1 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Rest {
    fn length(&self) -> Option<Interval> {
        Some(Steps(self.steps))
    }

    fn rate(&self, _: u64, eta: f64, _: Clock<'_>) -> f64 {
        eta
    }
}

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        steps: 100,
        schedule: [Warmup { steps: 50 }, Rest { steps: 60 }, Cosine],
        //~ instead: schedule: [Warmup { steps: 50 }, Rest { steps: 30 }, Cosine],
    }
}

fn main() {}
