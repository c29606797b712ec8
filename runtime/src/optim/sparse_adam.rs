//! Adam for embeddings of which a batch reads few rows.

use trainspec_kernels::update::UpdateRule;

use super::declaration::optimizer;
use super::moments::adam;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
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
    pub struct SparseAdam {
        /// The learning rate, above 0; 1e-3 by default.
        pub lr: f64 = 1e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
    }
    l2
}

impl SparseAdam {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
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
