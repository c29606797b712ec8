//! Which tokens are not padding.

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward};

/// 0 for the token `padding`, 1 for every other.
#[derive(Debug)]
pub(crate) struct PaddingMask {
    pub(crate) padding: u32,
}

impl Kernel for PaddingMask {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        for (mask, &token) in pass.output.iter_mut().zip(pass.inputs[0].tokens()) {
            *mask = f32::from(token != self.padding);
        }
        Ok(())
    }

    // Tokens have no gradient.
    fn backward(&self, _: &mut Backward<'_>) {}
}
