//! Custom parts, which are judged by their metadata.

use trainspec::prelude::*;

use self::parts::{Plain, absolute, centered};

use super::{NormsFirst, Small, fires, points, silent};

/// Custom parts: a layer that subtracts the mean of the batch, and two parts with metadata.
pub mod parts {

    use candle_core::Tensor;
    use serde::{Deserialize, Serialize};
    use trainspec::layer::{Layer, LayerKind, OutputRule};
    use trainspec::optim::{Optimizer, StepSize, UpdateStep, UsualRates};
    use trainspec::{CheckResult, Config, Pass, Shape};

    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Centered {}
    pub use Centered as centered;

    impl Centered {
        pub const fn check(&self) -> CheckResult {
            Ok(())
        }
        pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
            Ok(input)
        }
    }
    impl Config for Centered {
        const NAME: &'static str = "centered";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> CheckResult = Self::check;
    }
    impl Layer for Centered {
        const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
        fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> trainspec::Result<Tensor> {
            Ok(inputs[0].broadcast_sub(&inputs[0].mean_keepdim(0)?)?)
        }
    }

    /// `|x|`, with its metadata.
    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Absolute {}
    pub use Absolute as absolute;

    impl Absolute {
        pub const fn check(&self) -> CheckResult {
            Ok(())
        }
        pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
            Ok(input)
        }
    }
    impl Config for Absolute {
        const NAME: &'static str = "absolute";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> CheckResult = Self::check;
    }
    impl Layer for Absolute {
        const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
        fn kind(&self) -> LayerKind {
            LayerKind::Activation
        }
        fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> trainspec::Result<Tensor> {
            Ok(inputs[0].abs()?)
        }
    }

    /// An optimizer that declares its usual learning rates.
    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Plain {
        pub lr: f64,
    }
    impl Plain {
        pub const fn check(&self) -> CheckResult {
            Ok(())
        }
    }
    impl Config for Plain {
        const NAME: &'static str = "Plain";
        const DEFAULT: Self = Self { lr: 0.1 };
        const CHECK: fn(&Self) -> CheckResult = Self::check;
    }
    impl Optimizer for Plain {
        type State = [f32; 0];
        const STATE: &'static [&'static str] = &[];
        fn lr(&self) -> f64 {
            self.lr
        }
        fn step_size(&self) -> StepSize {
            StepSize::Sign
        }
        fn usual_rates(&self) -> Option<UsualRates> {
            Some(UsualRates { lowest: 0.01, highest: 0.5, source: "these tests" })
        }
        fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 0]) -> f32 {
            let lr = step.lr as f32;
            move |w, g, []| if g == 0.0 { w } else { w - lr * g.signum() }
        }
    }
}

#[model]
fn Mixing(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).centered().relu().linear(out = 2)
}

#[model]
fn BentByOurs(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).absolute().relu().linear(out = 2)
}

#[model]
fn StraightButForOurs(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).absolute().linear(out = 2)
}

train! { Mixed { model: Mixing, data: points(64), batch: 16, epochs: 2 } }

train! { OursTwice { model: BentByOurs, data: points(64), batch: 16, epochs: 2 } }

train! { OursOnce { model: StraightButForOurs, data: points(64), batch: 16, epochs: 2 } }

train! { ByOurs { model: Small, data: points(64), batch: 16, epochs: 2, optimizer: Plain {} } }

train! { ByOursAndClipped { model: Small, data: points(64), batch: 16, epochs: 2, optimizer: Plain {}, clip: ClipValue { max: 1.0 } } }

#[test]
fn layers_that_mix_samples_are_reported() {
    fires(Mixed::experiment, &[], Advice::SamplesMix);
    // In training this is allowed.
    silent(NormsFirst::experiment, &[]);
}

#[test]
fn custom_parts_are_judged_by_their_metadata() {
    fires(OursTwice::experiment, &[], Advice::ActivationTwice);
    silent(OursOnce::experiment, &[]);
    silent(ByOurs::experiment, &[]);
    fires(ByOurs::experiment, &[("optimizer.lr", "1")], Advice::HighRate);
    fires(ByOurs::experiment, &[("optimizer.lr", "0.001")], Advice::LowRate);
    fires(ByOursAndClipped::experiment, &[], Advice::ClipWithoutEffect);
}
