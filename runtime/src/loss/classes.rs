//! Class targets: which count, and with what weight.

use candle_core::{DType, Device, Tensor};

use super::check_targets;
use super::list::singles;
use crate::error::{Error, Result};
use crate::shape::Elements;

/// The methods of a [`Loss`](super::Loss) over classes that are the same for all of them: its `reduction`, and what its `Counting` decides.
/// There are `$classes`, which messages call `$what`.
macro_rules! by_counting {
    ($classes:ident, $what:literal) => {
        fn reduction(&self) -> Reduction {
            self.reduction
        }

        fn fits(&self) -> CheckResult {
            self.check()?.fits($classes, $what)
        }

        fn ignored(&self) -> Option<u32> {
            self.ignore_index
        }

        fn weight(&self, targets: &[u32], _: usize) -> f64 {
            self.counting().sum(targets)
        }

        fn counts(&self, target: &[u32]) -> bool {
            self.counting().any(target)
        }
    };
}

pub(super) use by_counting;

/// Class weights and an ignored target.
#[derive(Clone, Copy)]
pub(super) struct Counting {
    /// Empty means 1 for all.
    pub(super) weights: &'static [f64],
    pub(super) ignored: Option<u32>,
}

/// The rows that count.
pub(super) struct Rows {
    /// Their indices, as `u32` `[kept]`; `None` if all count.
    pub(super) kept: Option<Tensor>,
    /// Their targets, `[kept]`.
    pub(super) classes: Tensor,
    /// The weights of their targets, `[kept]`, if there are weights.
    pub(super) weights: Option<Tensor>,
    /// The sum of their weights.
    pub(super) weight: f64,
}

impl Counting {
    /// All classes with the same weight.
    pub(super) const ALL: Self = Self { weights: &[], ignored: None };

    /// Returns the weight of a target, rounded to f32 as in the kernels; 0 if it is ignored.
    pub(super) fn of(self, target: u32) -> f64 {
        if self.ignored == Some(target) {
            return 0.0;
        }
        self.weights.get(target as usize).map_or(1.0, |&weight| f64::from(weight as f32))
    }

    /// Returns whether one of the targets has a weight above 0.
    pub(super) fn any(self, targets: &[u32]) -> bool {
        targets.iter().any(|&target| self.of(target) > 0.0)
    }

    /// Returns the sum of the weights of targets.
    pub(super) fn sum(self, targets: &[u32]) -> f64 {
        if self.weights.is_empty() && self.ignored.is_none() {
            return targets.len() as f64;
        }
        targets.iter().map(|&target| self.of(target)).sum()
    }

    /// Returns the targets of `rows` rows, after checking that each is a class or ignored.
    pub(super) fn check(self, target: &Elements, rows: usize, classes: usize) -> Result<&[u32]> {
        let Elements::Int(targets) = target else {
            return Err(Error::Internal("a loss over classes received targets that are not classes"));
        };
        check_targets(rows, targets.len())?;
        let is_wrong = |target: u32| target as usize >= classes && self.ignored != Some(target);
        if let Some(wrong) = targets.iter().find(|&&target| is_wrong(target)) {
            let problem = format!("the target {wrong} is not a class; expected 0 to {}", classes.max(1) - 1);
            return Err(Error::Batch(problem));
        }
        Ok(targets)
    }

    /// Returns the rows of targets `[rows]` that count; `None` if none does.
    pub(super) fn rows(self, targets: &Tensor, dtype: DType) -> Result<Option<Rows>> {
        let device = targets.device().clone();
        if self.weights.is_empty() && self.ignored.is_none() {
            let (classes, weight) = (targets.clone(), targets.elem_count() as f64);
            return Ok(Some(Rows { kept: None, classes, weights: None, weight }));
        }
        let all = targets.to_vec1::<u32>()?;
        let (kept, classes): (Vec<u32>, Vec<u32>) = (0..)
            .zip(&all)
            .filter(|(_, target)| self.ignored != Some(**target))
            .map(|(at, &t)| (at, t))
            .unzip();
        if kept.is_empty() {
            return Ok(None);
        }
        let list = |numbers: Vec<u32>| Tensor::from_vec(numbers, kept.len(), &device);
        let weights: Vec<f64> = classes.iter().map(|&class| self.of(class)).collect();
        Ok(Some(Rows {
            kept: if kept.len() < all.len() { Some(list(kept.clone())?) } else { None },
            weight: weights.iter().sum(),
            weights: if self.weights.is_empty() {
                None
            } else {
                Some(Tensor::from_vec(weights, kept.len(), &device)?.to_dtype(dtype)?)
            },
            classes: list(classes)?,
        }))
    }

    /// Returns the weights of all classes, `[1, classes]`, if there are any.
    pub(super) fn weights(self, dtype: DType, device: &Device) -> Result<Option<Tensor>> {
        if self.weights.is_empty() {
            return Ok(None);
        }
        let weights = Tensor::from_vec(singles(self.weights), (1, self.weights.len()), device)?;
        Ok(Some(weights.to_dtype(dtype)?))
    }
}

impl Rows {
    /// Selects the rows of `[rows, …]` that count.
    pub(super) fn of(&self, all: &Tensor) -> Result<Tensor> {
        Ok(match &self.kept {
            Some(kept) => all.index_select(kept, 0)?,
            None => all.clone(),
        })
    }

    /// Returns the sum of `-w_c log p_c` over rows that were [selected](Rows::of).
    pub(super) fn likelihood(&self, log_p: &Tensor) -> Result<Tensor> {
        let right = log_p.gather(&self.classes.unsqueeze(1)?, 1)?;
        let right = match &self.weights {
            Some(weights) => (right.squeeze(1)? * weights)?,
            None => right,
        };
        Ok(right.sum_all()?.neg()?)
    }
}

/// Converts the logits of maps, `[batch, classes, height, width]`, to rows of one pixel each, `[pixels, classes]`.
pub(super) fn pixels(maps: &Tensor) -> Result<Tensor> {
    let classes = maps.dim(1)?;
    Ok(maps.permute((0, 2, 3, 1))?.reshape(((), classes))?)
}

/// Returns the loss of rows if none of them counts.
pub(super) fn nothing(prediction: &Tensor) -> Result<super::LossSum> {
    let sum = Tensor::zeros((), prediction.dtype(), prediction.device())?;
    Ok(super::LossSum { sum, weight: 0.0 })
}
