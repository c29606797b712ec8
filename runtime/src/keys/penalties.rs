//! Weight penalties, and the parameters that they apply to.

use serde::{Deserialize, Serialize};

use super::bounds::not_negative;
use crate::layer::Role;
use crate::shape::{CheckError, CheckResult};

/// The parameters that `l1`, `l2` and `weight_decay` apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decay {
    /// Matrices and convolution kernels only; not biases, normalization and embeddings. The default.
    Matrices,
    /// Every trained parameter.
    All,
}

impl Decay {
    /// Whether a parameter of this role is decayed.
    #[must_use]
    pub fn touches(self, role: Role) -> bool {
        match self {
            Self::Matrices => role == Role::Matrix,
            Self::All => role != Role::Statistic,
        }
    }
}

/// The four weight penalty keys that every optimizer has. The pass over the parameters applies them, so that an
/// optimizer's update rule does not have to.
///
/// With a clipped gradient `g` at the weight `w`, the update rule receives the gradient
/// `g + l2 * w + l1 * sign(w)`, where `sign(0) = 0`, and the weight `w * (1 - eta * weight_decay)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalties {
    /// L1 penalty: this times the sign of the weight is added to the gradient.
    pub l1: f64,
    /// L2 penalty: this times the weight is added to the gradient (`weight_decay` of PyTorch's `SGD` and `Adam`).
    pub l2: f64,
    /// Decoupled weight decay: each step removes this fraction of a weight, times the learning rate (as in
    /// `AdamW`).
    pub weight_decay: f64,
    /// The parameters that the other keys apply to.
    pub decay: Decay,
}

impl Penalties {
    /// No penalties.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, weight_decay: 0.0, decay: Decay::Matrices };

    /// Checks the ranges of the keys: not negative, and a step at learning rate `lr` must not flip the sign of a weight.
    ///
    /// # Errors
    /// The first key that is out of range.
    pub const fn check(&self, lr: f64) -> CheckResult {
        if let Err(problem) = not_negative("l1", self.l1) {
            return Err(problem);
        }
        if let Err(problem) = check_decay("l2", self.l2, lr) {
            return Err(problem);
        }
        check_decay("weight_decay", self.weight_decay, lr)
    }
}

const fn check_decay(key: &str, decay: f64, lr: f64) -> CheckResult {
    if let Err(problem) = not_negative(key, decay) {
        return Err(problem);
    }
    if lr * decay >= 1.0 {
        return Err(CheckError::new("lr * ")
            .text(key)
            .text(" is ")
            .float(lr * decay)
            .text("; expected less than 1; otherwise a single step shrinks weights to 0 or beyond"));
    }
    Ok(())
}
