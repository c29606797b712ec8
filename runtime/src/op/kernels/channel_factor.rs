//! A learned factor for each channel.

use trainspec_kernels::channel_factor;

use super::{gradient, parameter};
use crate::error::Result;
use crate::op::{Backward, Forward, Kernel};

/// Multiplies each channel, or what of it is below 0, by its factor.
#[derive(Debug)]
pub(crate) struct ChannelFactor(pub(crate) channel_factor::ChannelFactor);

impl Kernel for ChannelFactor {
    fn skips_frozen(&self) -> bool {
        true
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let factors = parameter(&pass.parameters, 0).unwrap_or_default();
        self.0.forward(pass.inputs[0].floats(), factors, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let x = pass.inputs[0].floats();
        if let Some(dx) = pass.d_inputs[0].take() {
            self.0.backward_input(x, parameter(pass.parameters, 0).unwrap_or_default(), pass.d, dx);
        }
        if let Some(d) = gradient(pass.gradients, 0, pass.onto).filter(|(d, _)| !d.is_empty()) {
            self.0.backward_factors(x, pass.d, d);
        }
    }
}
