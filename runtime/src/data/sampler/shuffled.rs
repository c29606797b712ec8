//! Each sample once.

use serde::{Deserialize, Serialize};

use super::{DataPass, Sampler};
use crate::config::Config;
use crate::shape::CheckResult;

/// Draws each training sample once in each pass, in a new random order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shuffled {}

/// [`Shuffled`](struct@Shuffled), which has no keys.
#[allow(non_upper_case_globals)]
pub const Shuffled: Shuffled = Shuffled::DEFAULT;

impl Shuffled {
    /// There is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Shuffled {
    const NAME: &'static str = "Shuffled";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Sampler for Shuffled {
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
        pass.shuffled()
    }
}
