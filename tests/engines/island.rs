//! A layer that has only a reference form.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::{Config, Error, Pass, Result, Shape, Verdict};

/// `y = gain * sin(frequency * x)`, with one gain for all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Wave {
    pub(crate) frequency: f64,
}

impl Config for Wave {
    const NAME: &'static str = "wave";
    const DEFAULT: Self = Self { frequency: 1.0 };
    const CHECK: fn(&Self) -> Verdict = |_| Ok(());
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
