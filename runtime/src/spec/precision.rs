//! The type of the computation.

use serde::{Deserialize, Serialize};

use crate::shape::{Problem, Verdict};

/// The type in which a run computes. Parameters, optimizer state and sums are f32 whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits with the range of f32. Not built yet, and refused.
    Bf16,
    /// 16 bits. Not built yet, and refused.
    F16,
}

impl Precision {
    /// Refuses what is not built yet.
    ///
    /// # Errors
    /// For anything but f32.
    pub const fn check(self) -> Verdict {
        match self {
            Self::F32 => Ok(()),
            Self::Bf16 => Err(Problem::new("precision: `Bf16` is not built yet; write `F32`")),
            Self::F16 => Err(Problem::new("precision: `F16` is not built yet; write `F32`")),
        }
    }
}
