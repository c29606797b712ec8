//! Custom layers: one that has only a reference implementation, and one with a kernel.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::op::{Backward, Forward, Kernel, Lowering, WriteMode};
use trainspec::{CheckResult, Config, Error, Pass, Result, Shape};

/// `y = gain * sin(frequency * x)`, with one gain for all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Wave {
    pub(crate) frequency: f64,
}

impl Config for Wave {
    const NAME: &'static str = "wave";
    const DEFAULT: Self = Self { frequency: 1.0 };
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Layer for Wave {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input| input.reals().map(|()| input));

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![Parameter::new("gain", &[1], Role::Norm, Init::Ones)]
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let [x] = inputs else { return Err(Error::arity("wave", 1, inputs.len())) };
        Ok(x.affine(self.frequency, 0.0)?.sin()?.broadcast_mul(pass.parameter("gain")?)?)
    }
}

/// `y = x^2 / 4`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Bowl {}

impl Config for Bowl {
    const NAME: &'static str = "bowl";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Layer for Bowl {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input| input.reals().map(|()| input));

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::kernel(*self)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let [x] = inputs else { return Err(Error::arity("bowl", 1, inputs.len())) };
        Ok(x.sqr()?.affine(0.25, 0.0)?)
    }
}

impl Kernel for Bowl {
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        for (y, x) in pass.output.iter_mut().zip(pass.inputs[0].floats()) {
            *y = 0.25 * x * x;
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let Some((dx, onto)) = pass.d_inputs[0].take() else { return };
        for ((dx, d), x) in dx.iter_mut().zip(&*pass.d).zip(pass.inputs[0].floats()) {
            let gradient = 0.5 * x * d;
            *dx = if onto == WriteMode::Accumulate { *dx + gradient } else { gradient };
        }
    }
}
