//! What is added to a loss to keep weights small, and which parameters that touches.

use serde::{Deserialize, Serialize};

use super::bounds::not_negative;
use crate::layer::Role;
use crate::shape::{CheckError, CheckResult};

/// Which parameters `l1`, `l2` and `weight_decay` touch.
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

/// The four keys by which every optimizer keeps weights small. The pass over the parameters obeys them, so that an
/// optimizer's rule does not have to.
///
/// With a clipped gradient `g` and the weight `w` at which it was taken, the rule sees the gradient
/// `g + l2 * w + l1 * sign(w)`, where `sign(0) = 0`, and the weight `w * (1 - eta * weight_decay)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalties {
    /// Times the weight's sign, added to the gradient.
    pub l1: f64,
    /// Times the weight, added to the gradient (what PyTorch's `SGD` and `Adam` call `weight_decay`).
    pub l2: f64,
    /// How much of a weight goes at each step, as a multiple of the rate, apart from the gradient (what `AdamW`
    /// calls so).
    pub weight_decay: f64,
    /// Which parameters the others touch.
    pub decay: Decay,
}

impl Penalties {
    /// None of them.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, weight_decay: 0.0, decay: Decay::Matrices };

    /// The ranges of the keys: not negative, and a step of rate `lr` must not turn a weight round.
    ///
    /// # Errors
    /// The first range that does not hold.
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
            .text("; expected less than 1, or each step takes the whole weight"));
    }
    Ok(())
}
