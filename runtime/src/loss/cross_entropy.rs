//! Cross entropy from logits.

use candle_core::Tensor;
use candle_nn::ops::log_softmax;
use serde::{Deserialize, Serialize};
use trainspec_kernels::cross_entropy as kernels;

use super::{Loss, LossKernel, LossSum, check_targets};
use crate::config::Config;
use crate::data::Elements;
use crate::error::{Error, Result};
use crate::shape::{Class, Logits, Problem, Shape, TokenLogits, Tokens, Verdict};

/// The negative log-probability of the right class, from unnormalized log-probabilities.
///
/// With logits `z`, `log p = z - log sum exp z` and right class `c`, a sample's loss is
/// `(1 - e) * -log p_c + e * mean_k(-log p_k)`, where `e` is [`label_smoothing`](Self::label_smoothing).
/// The mean is over samples, for tokens over all places. The model must end in logits: no softmax before
/// this loss.
///
/// # Source
/// Label smoothing: Szegedy et al. 2016, in PyTorch's form.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {
    /// How much of the target is spread over all classes: `0 <= label_smoothing < 1`; 0 by default.
    pub label_smoothing: f64,
}

/// [`CrossEntropy`](struct@CrossEntropy) with every key at its default.
#[allow(non_upper_case_globals)]
pub const CrossEntropy: CrossEntropy = CrossEntropy::DEFAULT;

impl CrossEntropy {
    /// The range of the label smoothing.
    pub const fn check(&self) -> Verdict {
        if self.label_smoothing >= 0.0 && self.label_smoothing < 1.0 {
            return Ok(());
        }
        Err(Problem::new("label_smoothing is ")
            .float(self.label_smoothing)
            .text("; expected 0 <= label_smoothing < 1"))
    }

    /// `logits` is `[rows, classes]`, `classes` is `[rows]`.
    fn rows(self, logits: &Tensor, classes: &Tensor) -> Result<LossSum> {
        let log_p = log_softmax(logits, 1)?;
        let right = log_p.gather(&classes.unsqueeze(1)?, 1)?.sum_all()?.neg()?;
        let sum = if self.label_smoothing == 0.0 {
            right
        } else {
            let spread = (log_p.sum_all()?.neg()? / logits.dim(1)? as f64)?;
            ((right * (1.0 - self.label_smoothing))? + (spread * self.label_smoothing)?)?
        };
        Ok(LossSum { sum, weight: classes.elem_count() as f64 })
    }
}

impl Config for CrossEntropy {
    const NAME: &'static str = "CrossEntropy";
    const DEFAULT: Self = Self { label_smoothing: 0.0 };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl<const C: usize> Loss<Logits<C>, Class<C>> for CrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, target)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows::new(*self, prediction)))
    }
}

impl<const V: usize, const T: usize> Loss<TokenLogits<V>, Tokens<V, T>> for CrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(&prediction.flatten_to(1)?, &target.flatten_all()?)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows::new(*self, prediction)))
    }
}

/// The loss as a kernel.
struct Rows {
    classes: usize,
    label_smoothing: f32,
}

impl Rows {
    fn new(loss: CrossEntropy, prediction: Shape) -> Self {
        Self { classes: prediction.last(), label_smoothing: loss.label_smoothing as f32 }
    }
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Elements::Whole(targets) = target else {
            return Err(Error::Internal("cross entropy is given targets that are no classes"));
        };
        let Self { classes, label_smoothing } = *self;
        check_targets(prediction.len() / classes.max(1), targets.len())?;
        if let Some(wrong) = targets.iter().find(|&&target| target as usize >= classes) {
            let problem = format!("the target {wrong} is no class; expected 0 to {}", classes - 1);
            return Err(Error::Batch(problem));
        }
        let kernel = kernels::CrossEntropy { rows: targets.len(), classes, label_smoothing };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, targets.len() as f64))
    }
}
