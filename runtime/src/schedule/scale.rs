//! Scales the learning rate with the batch size.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Setting, with_changes};
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

/// A rule that scales the learning rate with the samples of an optimizer step.
pub trait ScaleLr: Config {
    /// Returns the factor for `lr` if a step has `samples` samples, batch times accumulation.
    fn factor(&self, samples: u64) -> f64;
}

/// A type-erased scaling rule.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a learning rate scaling rule",
    label = "expected `LinearScaling {{ base_batch: 256 }}` or `SqrtScaling {{ base_batch: 256 }}`"
)]
pub trait AnyScaleLr: Setting {
    /// [`ScaleLr::factor`]
    fn factor(&self, samples: u64) -> f64;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyScaleLr>;
    /// Returns the same rule with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyScaleLr>, String>;
}

#[diagnostic::do_not_recommend]
impl<S: ScaleLr> AnyScaleLr for S {
    fn factor(&self, samples: u64) -> f64 {
        ScaleLr::factor(self, samples)
    }

    with_changes!(dyn AnyScaleLr);
}

/// Uses `lr` for every batch size.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoScaling {}

/// [`NoScaling`](struct@NoScaling), which has no keys.
#[allow(non_upper_case_globals)]
pub const NoScaling: NoScaling = NoScaling::DEFAULT;

impl NoScaling {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for NoScaling {
    const NAME: &'static str = "NoScaling";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl ScaleLr for NoScaling {
    fn factor(&self, _: u64) -> f64 {
        1.0
    }
}

/// Scales linearly, `lr * batch * accumulate / base_batch`, where `lr` is the learning rate for steps of `base_batch` samples.
///
/// The rule works for SGD with a warmup up to some batch size. Above 8,192 samples per step it is known to fail
/// without more regularization or layer-wise learning rates.
///
/// # Source
/// Goyal et al. 2017.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         batch: 128,
///         accumulate: 4,
///         optimizer: Sgd { lr: 0.1, momentum: 0.9 },
///         scale_lr: LinearScaling { base_batch: 256 }, // 0.1 * 512 / 256
///     }
/// }
/// assert_eq!(Digits::experiment().settings()?.base_rate(), 0.2);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearScaling {
    /// The samples per step for which `lr` is chosen, at least 1; required.
    pub base_batch: u64,
}

impl LinearScaling {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult<Facts> {
        check_base(self.base_batch, true)
    }
}

impl Config for LinearScaling {
    const NAME: &'static str = "LinearScaling";
    const DEFAULT: Self = Self { base_batch: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = BASE_BATCH;
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl ScaleLr for LinearScaling {
    fn factor(&self, samples: u64) -> f64 {
        samples as f64 / self.base_batch as f64
    }
}

/// Scales with the square root, `lr * sqrt(batch * accumulate / base_batch)`, which preserves the variance of the update. Common
/// with Adam and its variants.
///
/// # Source
/// Krizhevsky 2014.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqrtScaling {
    /// The samples per step for which `lr` is chosen, at least 1; required.
    pub base_batch: u64,
}

impl SqrtScaling {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult<Facts> {
        check_base(self.base_batch, false)
    }
}

impl Config for SqrtScaling {
    const NAME: &'static str = "SqrtScaling";
    const DEFAULT: Self = Self { base_batch: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = BASE_BATCH;
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl ScaleLr for SqrtScaling {
    fn factor(&self, samples: u64) -> f64 {
        (samples as f64 / self.base_batch as f64).sqrt()
    }
}

const BASE_BATCH: &[(&str, &str)] = &[("base_batch", "the samples per step for which `lr` is chosen")];

const fn check_base(base_batch: u64, linear: bool) -> CheckResult<Facts> {
    if base_batch > 0 {
        return Ok(Facts::NOTHING.scaling(base_batch, linear));
    }
    Err(CheckError::new(
        "base_batch is 0; expected at least 1, the samples per step for which `lr` is chosen",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_rate_scales_linearly_or_by_square_root() {
        let (linear, root) = (LinearScaling { base_batch: 256 }, SqrtScaling { base_batch: 256 });
        let factors = |rule: &dyn AnyScaleLr| [256, 1024, 64].map(|samples| rule.factor(samples).to_bits());
        assert_eq!(factors(&linear), [1.0_f64, 4.0, 0.25].map(f64::to_bits));
        assert_eq!(factors(&root), [1.0_f64, 2.0, 0.5].map(f64::to_bits));
        assert_eq!(factors(&NoScaling), [1.0_f64; 3].map(f64::to_bits));
        assert!(LinearScaling { base_batch: 0 }.check().unwrap_err().as_str().contains("at least 1"));
    }
}
