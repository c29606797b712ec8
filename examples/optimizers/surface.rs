//! Rosenbrock's valley: steep walls and a curved floor with a small slope.
//!
//! The surface is a layer with two parameters, and the loss is its output. Otherwise it is an ordinary run.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::loss::{Loss, LossSum};
use trainspec::optim::AnyOptimizer;
use trainspec::prelude::*;
use trainspec::trainer::TrainStep;
use trainspec::{CheckResult, Config, Pass, Result, Shape, engine};

/// The `check` of a configuration without keys.
macro_rules! without_keys {
    ($name:ident) => {
        impl $name {
            #[allow(clippy::trivially_copy_pass_by_ref, clippy::unnecessary_wraps, clippy::unused_self)]
            pub(crate) const fn check(&self) -> CheckResult {
                Ok(())
            }
        }
    };
}

/// `f(x, y) = (1 - x)^2 + 100 (y - x^2)^2`, lowest at (1, 1), where it is 0 (Rosenbrock 1960).
pub(crate) fn height(x: f64, y: f64) -> f64 {
    (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
}

/// The start of every run.
const START: [f32; 2] = [-1.5, 1.0];

/// A point on the surface, as a parameter.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Rosenbrock {}
use Rosenbrock as rosenbrock;

without_keys!(Rosenbrock);

impl Rosenbrock {
    #[allow(clippy::trivially_copy_pass_by_ref, clippy::unnecessary_wraps, clippy::unused_self)]
    pub(crate) const fn output(&self, _: Shape) -> CheckResult<Shape> {
        Ok(Shape::of(&[1]))
    }
}

impl Config for Rosenbrock {
    const NAME: &'static str = "rosenbrock";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Rosenbrock {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![Parameter::new("point", &[2], Role::Matrix, Init::Zeros)]
    }

    fn forward(&self, _: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let point = pass.parameter("point")?;
        let (x, y) = (point.narrow(0, 0, 1)?, point.narrow(0, 1, 1)?);
        let (to_end, to_floor) = ((1.0 - &x)?, (y - x.sqr()?)?);
        Ok((to_end.sqr()? + (to_floor.sqr()? * 100.0)?)?.unsqueeze(0)?)
    }
}

/// A loss that is the model's output.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Height {}

without_keys!(Height);

impl Config for Height {
    const NAME: &'static str = "Height";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Loss<Values<1>, Values<1>> for Height {
    fn sum(&self, prediction: &Tensor, _: &Tensor) -> Result<LossSum> {
        Ok(LossSum { sum: prediction.sum_all()?, weight: 1.0 })
    }
}

#[model]
fn Valley(x: Features<1>) -> Values<1> {
    x.rosenbrock()
}

/// A dummy data set, since a run needs one.
fn nothing() -> Result<impl Dataset<Input = Features<1>, Target = Values<1>>> {
    let split = Split::Random { validation: 0.0, test: 0.0 };
    Ok(InMemory::<Features<1>, Values<1>>::new(vec![0.0], vec![0.0])?.with_split(split))
}

train! {
    Descent {
        model: Valley,
        data: nothing(),
        loss: Height {},
        batch: 1,
        steps: 500,
    }
}

/// The path of a point.
pub(crate) struct Path {
    pub(crate) rate: f64,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Path {
    /// The height of the last point.
    pub(crate) fn height(&self) -> f64 {
        self.points.last().map_or(f64::INFINITY, |&(x, y)| height(x, y))
    }
}

/// Moves a point with an optimizer. Returns `None` if the values become non-finite.
pub(crate) fn descend(optimizer: &dyn AnyOptimizer, rate: f64) -> Result<Option<Path>> {
    let mut training = Descent::experiment().optimizer(optimizer);
    let (graph, data) = (training.graph()?, training.data()?);
    let settings = training.settings()?;
    let mut engine = engine::open(&graph, settings)?;
    engine.set_parameters(&[Tensor::new(&START, &Device::Cpu)?])?;
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data)?;
    let window = [data.batch(data.train())?];
    let mut points = vec![(f64::from(START[0]), f64::from(START[1]))];
    for _ in 0..stepper.plan().steps {
        if stepper.step(&window).is_err() {
            return Ok(None);
        }
        let [point] = &stepper.engine().parameters()?[..] else { return Ok(None) };
        points.push((coordinate(point, 0)?, coordinate(point, 1)?));
    }
    Ok(Some(Path { rate, points }))
}

fn coordinate(point: &Tensor, axis: usize) -> Result<f64> {
    Ok(f64::from(point.get(axis)?.to_scalar::<f32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layer's gradient at the start matches the formula: (-2 (1 - x) - 400 x (y - x^2), 200 (y - x^2)) is
    /// (-755, -250) at (-1.5, 1), all exact in f32. One step with the learning rate 2^-10 is checked.
    #[test]
    fn a_step_goes_down_the_slope() {
        let rate = 1.0 / 1024.0;
        let path = descend(&Sgd { lr: rate, ..Sgd::DEFAULT }, rate).unwrap().unwrap();
        assert_eq!(path.points[1], (-1.5 + 755.0 / 1024.0, 1.0 + 250.0 / 1024.0));
    }

    #[test]
    fn what_leaves_the_numbers_is_nothing() {
        assert!(descend(&Sgd { lr: 1.0, ..Sgd::DEFAULT }, 1.0).unwrap().is_none());
    }
}
