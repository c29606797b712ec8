//! The loss of a spec without the key `loss`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{Loss, LossSum};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::shape::{CheckResult, Kind};

/// A placeholder for the default loss of the target type, until the program starts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Suggested {}

impl Config for Suggested {
    const NAME: &'static str = "Suggested";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl<Output: Kind, Target: Kind> Loss<Output, Target> for Suggested {
    fn sum(&self, _: &Tensor, _: &Tensor) -> Result<LossSum> {
        Err(Error::Internal("the default loss was not resolved"))
    }
}
