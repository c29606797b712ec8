//! A small model and small data for tests that need a whole run.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::{Dataset, Split};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::graph::{Graph, Module, Scope, Value};
use crate::layer::Pass;
use crate::layer::{Init, Layer, OutputRule, Parameter, Role, one};
use crate::metric::Accuracy;
use crate::model::Model;
use crate::shape::{CheckResult, Class, Features, Logits, Shape};
use crate::spec::{Checkpoint, Declaration, Spec, data_of, model_of, opened};

macro_rules! keyless {
    ($(#[$docs:meta])* $ty:ident, $name:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        pub(crate) struct $ty {}

        impl Config for $ty {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self {};
            const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
        }
    };
}

keyless! {
    /// `y = w * x + b`, element by element, and a running statistic that it does not touch.
    Stretch, "stretch"
}
keyless! {
    /// A model of one [`Stretch`].
    Line, "Line"
}

impl Layer for Stretch {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input: Shape| Ok(input));

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let axes = inputs.first().map(|shape| shape.axes().to_vec()).unwrap_or_default();
        vec![
            Parameter::new("weight", &axes, Role::Matrix, Init::Uniform { bound: 1.0 }),
            Parameter::new("bias", &axes, Role::Bias, Init::Zeros),
            Parameter::new("seen", &axes, Role::Statistic, Init::Ones),
        ]
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(x.broadcast_mul(pass.parameter("weight")?)?.broadcast_add(pass.parameter("bias")?)?)
    }
}

impl Module for Line {
    const IS_MODEL: bool = true;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
        let [x] = scope.inputs(Self::NAME, inputs)?;
        let y = scope.call_named("line_1", Stretch {}, &[x])?;
        scope.outputs_of::<Self, 1>([y])
    }
}

impl Model for Line {
    type Input = Features<3>;
    type Output = Logits<3>;
}

/// Thirty points, each largest where its class is.
pub(crate) struct Points;

impl Dataset for Points {
    type Input = Features<3>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        30
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        for (place, value) in input.iter_mut().enumerate() {
            *value = if place == index % 3 { 1.0 } else { 0.01 * index as f32 };
        }
        target.fill((index % 3) as u32);
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..18, validation: 18..24, test: 24..30 }
    }
}

/// Three epochs of [`Line`] on [`Points`], with a checkpoint after each.
pub(crate) fn experiment() -> Experiment<Line> {
    const DECLARED: Declaration = Declaration::of(
        const {
            &Spec {
                model: model_of(Line {}),
                data: data_of(|| opened::<Line, _>(Points), "Points"),
                metrics: &[&Accuracy],
                batch: &4,
                epochs: &3,
                checkpoint: &Checkpoint { keep: 2, ..Checkpoint::DEFAULT },
                ..Spec::DEFAULT
            }
        },
        Ok(Shape::UNKNOWN),
        &[],
    );
    Experiment::declared("line", "Fits a line.", &DECLARED)
}

/// The graph of [`Line`].
pub(crate) fn graph() -> Graph {
    Line::graph().unwrap()
}
