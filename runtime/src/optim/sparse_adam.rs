//! Adam for embeddings of which a batch reads few rows.

use serde::{Deserialize, Serialize};
use trainspec_kernels::update::UpdateRule;

use super::moments::adam;
use super::rules::{self, common, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// Adam that updates only the rows of an [embedding](crate::layer::Embedding) that the batch reads.
///
/// The moments of the other rows do not change, while [`Adam`](struct@super::Adam) would let them decay and still update the
/// weights with them. `t` counts steps of the run, not of a row. A row that the batch reads is updated even if its
/// gradient is 0. All parameters except embeddings are updated as by `Adam`; so are embeddings to which `l1`, `l2` or
/// `weight_decay` apply, since these change every row.
///
/// Rows are updated by `Adam`'s formula, epsilon outside the corrected root, so an embedding of which each batch reads
/// every row trains exactly as with `Adam`. (PyTorch's `SparseAdam` adds epsilon to the uncorrected root.)
///
/// # Source
/// Kingma and Ba 2015; the lazy form is PyTorch's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseAdam {
    /// The learning rate, above 0; 1e-3 by default.
    pub lr: f64,
    /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
    pub betas: (f64, f64),
    /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
    pub eps: f64,
    /// L2 penalty: adds `l2 * w` to the gradient (PyTorch's `weight_decay` of this optimizer), 0 or more; 0 by default.
    pub l2: f64,
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default. `l2` is more common
    /// here.
    pub weight_decay: f64,
    /// L1 penalty: adds `l1 * sign(w)` to the gradient, 0 or more; 0 by default.
    pub l1: f64,
    /// Which parameters `l1`, `l2` and `weight_decay` apply to; matrices by default.
    pub decay: Decay,
}

/// [`SparseAdam`](struct@SparseAdam) with every key at its default.
#[allow(non_upper_case_globals)]
pub const SparseAdam: SparseAdam = SparseAdam::DEFAULT;

impl SparseAdam {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Config for SparseAdam {
    const NAME: &'static str = "SparseAdam";
    const DEFAULT: Self = Self {
        lr: 1e-3,
        betas: (0.9, 0.999),
        eps: 1e-8,
        weight_decay: 0.0,
        l2: 0.0,
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Optimizer for SparseAdam {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "v"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-2, source: "Kingma & Ba 2015: 1e-3" })
    }

    fn is_sparse(&self) -> bool {
        true
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(adam(self.betas, self.eps, step))
    }

    common!();
}
