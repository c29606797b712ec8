//! The negative log-likelihood of classes from log-probabilities, and its gradient in the same pass.
//!
//! With log-probabilities `y` of a row and target class `c` of weight `w_c`, a row's loss is `-w_c y_c`, and the gradient
//! `-w_c [k = c]`. A row whose target is the ignored one has no loss and the gradient 0.

#[cfg(test)]
mod tests;

use crate::sizes::elements;

/// A negative log-likelihood.
///
/// ```
/// use trainspec_kernels::likelihood::NegativeLogLikelihood;
///
/// let loss = NegativeLogLikelihood { classes: 2, weights: &[1.0, 3.0], ignored: None };
/// let mut d = [0.0; 4];
/// assert_eq!(loss.forward_backward(&[-1.0, -2.0, -0.5, -4.0], &[1, 0], &mut d), 6.5);
/// assert_eq!(d, [0.0, -3.0, -1.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NegativeLogLikelihood<'a> {
    /// The number of classes.
    pub classes: usize,
    /// The weight of each class; if empty, all are 1.
    pub weights: &'a [f32],
    /// The target whose rows are ignored; it need not be a class.
    pub ignored: Option<u32>,
}

impl NegativeLogLikelihood<'_> {
    /// The sum of the losses of all rows.
    ///
    /// # Shapes
    /// `log_p`: `[rows, classes]`; `targets`: `[rows]`, the target classes.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a target is neither below `classes` nor ignored.
    #[must_use]
    pub fn forward(&self, log_p: &[f32], targets: &[u32]) -> f64 {
        assert_eq!(log_p.len(), elements([targets.len(), self.classes]), "log_p is [rows, classes]");
        self.counting(targets).map(|(place, weight)| -f64::from(weight) * f64::from(log_p[place])).sum()
    }

    /// The same, and writes its gradient to `d`.
    ///
    /// # Panics
    /// As [`NegativeLogLikelihood::forward`]; `d` is as long as `log_p`.
    pub fn forward_backward(&self, log_p: &[f32], targets: &[u32], d: &mut [f32]) -> f64 {
        assert_eq!(d.len(), log_p.len(), "d is as long as log_p");
        let sum = self.forward(log_p, targets);
        d.fill(0.0);
        for (place, weight) in self.counting(targets) {
            d[place] = -weight;
        }
        sum
    }

    /// Where the right log-probabilities of the rows that count are, and their weights.
    fn counting(&self, targets: &[u32]) -> impl Iterator<Item = (usize, f32)> {
        assert!(
            self.weights.is_empty() || self.weights.len() == self.classes,
            "weights are none or [classes]"
        );
        targets.iter().enumerate().filter(|(_, target)| self.ignored != Some(**target)).map(
            |(row, &target)| {
                let target = target as usize;
                assert!(target < self.classes, "target {target} is not below the number of classes");
                (row * self.classes + target, self.weights.get(target).copied().unwrap_or(1.0))
            },
        )
    }
}
