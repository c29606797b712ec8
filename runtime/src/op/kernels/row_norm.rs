//! Normalization of each vector.

use trainspec_kernels::layer_norm;

use super::{gradient, parameter};
use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, Workspace};

/// Normalizes each vector to mean 0 and variance 1.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    /// The number of vectors per sample.
    pub(crate) vectors: usize,
    pub(crate) features: usize,
    pub(crate) eps: f64,
}

/// Normalizes each vector to mean square 1.
#[derive(Debug)]
pub(crate) struct RmsNorm {
    /// The number of vectors per sample.
    pub(crate) vectors: usize,
    pub(crate) features: usize,
    pub(crate) eps: f64,
}

impl Kernel for LayerNorm {
    fn needs(&self, batch: usize) -> Workspace {
        Workspace { saved: 3 * batch * self.vectors, ..Workspace::default() }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let sizes = self.sizes(pass.batch);
        let [weight, bias] = [0, 1].map(|place| parameter(&pass.parameters, place));
        let x = pass.inputs[0].floats();
        if pass.training {
            sizes.forward(x, weight, bias, pass.saved, pass.output);
        } else {
            sizes.infer(x, weight, bias, pass.output);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let weight = parameter(pass.parameters, 0);
        let (d_weight, d_bias) = match &mut *pass.gradients {
            [weight, bias] => (Some((&mut **weight, pass.onto)), Some((&mut **bias, pass.onto))),
            _ => (None, None),
        };
        let dx = pass.d_inputs[0].take();
        let x = pass.inputs[0].floats();
        self.sizes(pass.batch).backward(x, weight, pass.saved, pass.d, dx, d_weight, d_bias);
    }
}

impl LayerNorm {
    fn sizes(&self, batch: usize) -> layer_norm::LayerNorm {
        layer_norm::LayerNorm { rows: batch * self.vectors, features: self.features, eps: self.eps as f32 }
    }
}

impl RmsNorm {
    fn sizes(&self, batch: usize) -> layer_norm::RmsNorm {
        layer_norm::RmsNorm { rows: batch * self.vectors, features: self.features, eps: self.eps as f32 }
    }
}

impl Kernel for RmsNorm {
    fn needs(&self, batch: usize) -> Workspace {
        Workspace { saved: batch * self.vectors, ..Workspace::default() }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let sizes = self.sizes(pass.batch);
        let weight = parameter(&pass.parameters, 0).unwrap_or_default();
        let x = pass.inputs[0].floats();
        if pass.training {
            sizes.forward(x, weight, pass.saved, pass.output);
        } else {
            sizes.infer(x, weight, pass.output);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let weight = parameter(pass.parameters, 0).unwrap_or_default();
        let Some(d_weight) = gradient(pass.gradients, 0, pass.onto) else { return };
        let dx = pass.d_inputs[0].take();
        self.sizes(pass.batch).backward(pass.inputs[0].floats(), weight, pass.saved, pass.d, dx, d_weight);
    }
}
