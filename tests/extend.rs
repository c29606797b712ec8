//! Users can implement everything that is built in: a layer, a loss, a metric, an optimizer, a schedule phase,
//! learning rate scaling, clipping, a data set. Each is used in the same syntax as a built-in one.

#![allow(missing_docs, clippy::unwrap_used)]

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec::data::augment::{Augment, Sample};
use trainspec::data::mix::{Mix, Samples};
use trainspec::data::sampler::{DataPass, Sampler, TrainingSamples};
use trainspec::data::{Dataset, SampleRng};
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::loss::{Loss, LossSum};
use trainspec::metric::{Direction, Metric, Outcomes, State};
use trainspec::optim::{Clip, Constraint, Gradients, Optimizer, UpdateStep};
use trainspec::prelude::*;
use trainspec::schedule::{Clock, Interval, Phase, ScaleLr, Seen};
use trainspec::spec::Monitor;
use trainspec::trainer::Event;
use trainspec::{CheckError, CheckResult, Config, Error, Pass, Result, Shape};

/// `y = x * scale`, with a factor for each feature, and a validated key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Rescale {
    /// The initial factor, not 0.
    pub start: f64,
}
pub use Rescale as rescale;

impl Rescale {
    pub const fn check(&self) -> CheckResult {
        if self.start == 0.0 { Err(CheckError::new("start is 0; expected another number")) } else { Ok(()) }
    }

    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        match input.reals() {
            Ok(()) => Ok(input),
            Err(problem) => Err(problem),
        }
    }
}

impl Config for Rescale {
    const NAME: &'static str = "rescale";
    const DEFAULT: Self = Self { start: 1.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Rescale {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        vec![Parameter::new("factor", &[inputs[0].last()], Role::Norm, Init::Ones)]
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let [x] = inputs else { return Err(Error::arity("rescale", 1, inputs.len())) };
        Ok(x.broadcast_mul(&(pass.parameter("factor")? * self.start)?)?)
    }
}

macro_rules! plain_config {
    ($name:ident { $($key:ident: $ty:ty = $value:expr),* }) => {
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        pub struct $name {
            $(pub $key: $ty,)*
        }
        impl $name {
            pub const fn check(&self) -> CheckResult {
                Ok(())
            }
        }
        impl Config for $name {
            const NAME: &'static str = stringify!($name);
            const DEFAULT: Self = Self { $($key: $value),* };
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }
    };
}

plain_config!(FourthPower {});
plain_config!(WorstError {});
plain_config!(SignDescent { lr: f64 = 0.01 });
plain_config!(Halve { every: u64 = 1 });
plain_config!(Tire { by: f64 = 0.5 });
plain_config!(PerSample { share: f64 = 0.1 });
plain_config!(Shrink { by: f64 = 0.5 });
plain_config!(Same {});
plain_config!(Within { most: f64 = 2.0 });
plain_config!(Jolt { by: f64 = 0.0 });
plain_config!(Backward {});

impl Loss<Values<1>, Values<1>> for FourthPower {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        Ok(LossSum { sum: (prediction - target)?.sqr()?.sqr()?.sum_all()?, weight: target.dim(0)? as f64 })
    }
}

/// The state of [`WorstError`]: the worst so far. (A mean would be `type State = Mean`.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worst(f64);

impl State for Worst {
    fn merge(&mut self, other: &Self) {
        self.0 = self.0.max(other.0);
    }

    fn value(&self) -> f64 {
        self.0
    }
}

impl Metric<Values<1>, Values<1>> for WorstError {
    type State = Worst;
    const LABEL: &'static str = "worst_error";
    const DIRECTION: Direction = Direction::Lower;

    fn update(&self, worst: &mut Worst, outcomes: &Outcomes<'_, f32>) {
        for (prediction, target) in outcomes.predictions.iter().zip(outcomes.targets) {
            worst.0 = worst.0.max(f64::from((prediction - target).abs()));
        }
    }
}

impl Optimizer for SignDescent {
    type State = [f32; 0];
    const STATE: &'static [&'static str] = &[];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 0]) -> f32 {
        let lr = step.lr as f32;
        move |w, g, []| if g == 0.0 { w } else { w - lr * g.signum() }
    }
}

impl Phase for Tire {
    const STATE: &'static [&'static str] = &["evaluations"];

    fn length(&self) -> Option<Interval> {
        None
    }

    fn rate(&self, _: u64, eta: f64, clock: Clock<'_>) -> f64 {
        eta * self.by.powf(clock.state[0])
    }

    fn monitor(&self) -> Option<Monitor> {
        Some(ValMetric("worst_error"))
    }

    fn see(&self, seen: Seen, state: &mut [f64]) {
        assert!(seen.value > 0.0 && seen.direction == Direction::Lower);
        state[0] += 1.0;
    }
}

impl ScaleLr for PerSample {
    fn factor(&self, samples: u64) -> f64 {
        self.share * samples as f64
    }
}

impl Phase for Halve {
    fn length(&self) -> Option<Interval> {
        None
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock) -> f64 {
        eta * 0.5_f64.powf((j / (self.every * clock.epoch)) as f64)
    }
}

impl Clip for Shrink {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        gradients.scale_all(self.by);
        Ok(())
    }
}

impl Mix for Same {
    fn mix(&self, samples: &mut Samples<'_>, _: &mut SampleRng) -> f64 {
        assert_eq!(samples.inputs.len(), samples.partners.len());
        1.0
    }
}

impl Augment for Jolt {
    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let by = rng.between(-self.by, self.by) as f32;
        sample.values().iter_mut().for_each(|value| *value += by);
    }
}

impl Sampler for Backward {
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
        let mut order = pass.shuffled();
        order.reverse();
        order
    }

    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult {
        if samples.len() > 1 { Ok(()) } else { Err(CheckError::new("there is 1 sample; expected more")) }
    }
}

impl Constraint for Within {
    fn constrain(&self, unit: &mut [f32]) {
        let most = self.most as f32;
        for weight in unit {
            *weight = weight.clamp(-most, most);
        }
    }
}

/// Points of a parabola.
struct Parabola;

impl Dataset for Parabola {
    type Input = Features<1>;
    type Target = Values<1>;

    fn len(&self) -> usize {
        200
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [f32]) -> Result<()> {
        let x = index as f32 / 100.0 - 1.0;
        input.fill(x);
        target.fill(x * x);
        Ok(())
    }
}

#[model]
fn Curve(x: Features<1>) -> Values<1> {
    let hidden = x.linear(out = 16).tanh();
    let scaled = hidden.rescale(start = 2.0);
    scaled.linear(out = 1)
}

train! {
    Fit {
        model: Curve,
        data: Parabola,
        loss: FourthPower,
        metrics: [WorstError {}, MeanAbsoluteError],
        batch: 20,
        epochs: 40,
        optimizer: SignDescent { lr: 0.02 },
        schedule: [Warmup { epochs: 1 }, Halve { every: 10 }],
        clip: Shrink {},
        constrain: Within { most: 1.5 },
        augment: [Jolt { by: 1e-3 }, GaussianNoise { std: 1e-3 }],
        sampler: Backward {},
        mix: Same {},
        early_stop: EarlyStop { monitor: ValMetric("worst_error"), patience: 40 },
    }
}

train! {
    Tired {
        model: Curve,
        data: Parabola,
        loss: FourthPower,
        metrics: [WorstError {}],
        batch: 20,
        epochs: 3,
        optimizer: SignDescent { lr: 0.01 },
        scale_lr: PerSample {},
        schedule: [Tire {}],
        checkpoint: Checkpoint { keep: 1 },
    }
}

// With a constant of its name, a configuration can be written as a bare name: `loss: FourthPower`.
#[allow(non_upper_case_globals)]
const FourthPower: FourthPower = FourthPower::DEFAULT;

#[test]
fn run_with_only_custom_parts_trains() {
    let run = Fit::experiment().without_folder().run().unwrap();
    let test = run.outcome.test.unwrap();
    // The mean distance of a parabola over [-1, 1] from its best constant, 1/3, is 0.257 (4 / (9 sqrt 3)); a
    // model that has learned some of the curvature is well below.
    assert!(test.metrics["mean_absolute_error"] < 0.2, "{test:?}");
    assert!(test.metrics["worst_error"] >= test.metrics["mean_absolute_error"], "{test:?}");
    let names: Vec<_> = run.model.parameters().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(
        names,
        ["linear_1.weight", "linear_1.bias", "scaled.factor", "linear_2.weight", "linear_2.bias"]
    );
}

/// A custom rule is checked at start-up and for `--set`, as at compile time.
#[test]
fn custom_keys_are_set_and_serialized() {
    let mut training = Fit::experiment().set("optimizer.lr", "0.5").unwrap();
    let spec = training.spec().unwrap();
    assert_eq!(spec["optimizer"]["lr"], 0.5);
    assert_eq!(spec["optimizer"]["type"], "SignDescent");
    assert_eq!(spec["schedule"][1]["every"], 10);
    assert_eq!(spec["clip"]["by"], 0.5);
    assert_eq!(spec["constrain"]["most"], 1.5);
    assert_eq!((&spec["augment"][0]["type"], &spec["augment"][0]["by"]), (&"Jolt".into(), &0.001.into()));
    assert_eq!(spec["sampler"]["type"], "Backward");
    let mut changed = training.set("augment.1.std", "0.5").unwrap();
    assert_eq!(changed.spec().unwrap()["augment"][1]["std"], 0.5);
    let problem = changed.set("augment.1.std", "0").err().unwrap().to_string();
    assert!(problem.contains("std is 0; expected a number above 0"), "{problem}");
}

/// A listening phase observes every evaluation except the last, which no step follows, and its state is in the checkpoint.
#[test]
fn custom_phase_observes_evaluations() {
    let out = tempfile::tempdir().unwrap();
    let mut rates = Vec::new();
    let run = Tired::experiment().out(out.path()).run_with(&mut |event: &Event<'_>| {
        if let Event::Epoch(epoch) = event {
            rates.push(epoch.lr);
        }
        Ok(())
    });
    assert_eq!(rates, [0.02, 0.01, 0.005]);
    let checkpoints = run.unwrap().folder.unwrap().join("checkpoints");
    let last = std::fs::read_dir(checkpoints).unwrap().next().unwrap().unwrap().path();
    let state: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(last.join("state.json")).unwrap()).unwrap();
    assert_eq!(state["schedule"], serde_json::json!([{ "evaluations": 2.0 }]));
}
