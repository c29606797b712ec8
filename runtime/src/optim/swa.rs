//! Stochastic weight averaging.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::keys::Interval;
use crate::shape::CheckResult;

/// Stochastic weight averaging (SWA): the equal average of the weights at several steps, which evaluations use.
///
/// The first weights are those after `start`, then those after each further `every`. The `n`th of them gives
/// `average += (weight - average) / n`, in f32. Training continues with the weights themselves; from `start` on, evaluations,
/// early stopping, the best weights and the final model use the average, and checkpoints store it next to the weights. Before, there is no
/// average, and all of these use the weights. Only applied steps count.
///
/// The running statistics of [`batch_norm`](crate::layer::BatchNorm) do not belong to averaged weights. Before each evaluation of
/// an average, they are computed anew: as the equal average of the statistics of each batch of the training samples, in the order of the
/// data, in training mode (dropout is on; samples are neither augmented nor mixed, and the key
/// `sampler` is not used). This costs a forward pass over the training samples for each
/// evaluation, in models with running statistics only. Until then, those of a stored average are copies of the current ones.
///
/// The paper averages at the end of epochs, over the last quarter of a run, at a constant learning rate that is not small:
///
/// ```
/// use trainspec::prelude::*;
/// # #[model]
/// # fn Net(image: Image<1, 8, 8>) -> Logits<10> {
/// #     image.flatten().linear(out = 10)
/// # }
///
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         batch: 64,
///         epochs: 12,
///         optimizer: Sgd { lr: 0.05, momentum: 0.9 },
///         ema: Swa { start: Epochs(9) },
///     }
/// }
/// # assert!(Digits::experiment().settings().is_ok());
/// ```
///
/// # Errors
/// At compile time if `start` or `every` is 0. When the program starts: if the run ends before `start`, or if the model has running statistics that are
/// not [averages](crate::layer::Layer::statistics_update).
///
/// # Source
/// Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization"; PyTorch's `AveragedModel` and `update_bn`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swa {
    /// How much of the run precedes the first weights, `Steps(n)` or `Epochs(n)`, at least 1; required.
    pub start: Interval,
    /// The distance between the weights that are averaged, `Steps(n)` or `Epochs(n)`, at least 1; `Epochs(1)` by default.
    pub every: Interval,
}

impl Swa {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if let Err(problem) = self.start.check("start") {
            return Err(problem);
        }
        self.every.check("every")
    }

    /// Returns the number of weights in the average after `t` steps, in a run with epochs of `epoch` steps.
    #[must_use]
    pub fn count(&self, t: u64, epoch: u64) -> u64 {
        let (start, every) = (self.start.in_steps(epoch), self.every.in_steps(epoch).max(1));
        t.checked_sub(start).map_or(0, |since| since / every + 1)
    }

    /// Returns whether the weights after `t` steps are averaged.
    #[must_use]
    pub fn is_due(&self, t: u64, epoch: u64) -> bool {
        let (start, every) = (self.start.in_steps(epoch), self.every.in_steps(epoch).max(1));
        t.checked_sub(start).is_some_and(|since| since % every == 0)
    }
}

impl Config for Swa {
    const NAME: &'static str = "Swa";
    const DEFAULT: Self = Self { start: Interval::Epochs(1), every: Interval::Epochs(1) };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("start", "how much of the run precedes the average, such as `Epochs(9)`")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs of 4 steps: from the end of the second on, after every third step.
    #[test]
    fn weights_are_counted_from_start() {
        let swa = Swa { start: Interval::Epochs(2), every: Interval::Steps(3) };
        let due: Vec<u64> = (1..=20).filter(|&t| swa.is_due(t, 4)).collect();
        assert_eq!(due, [8, 11, 14, 17, 20]);
        assert_eq!([0, 7, 8, 10, 11, 20].map(|t| swa.count(t, 4)), [0, 0, 1, 1, 2, 5]);
        let epochs = Swa { start: Interval::Steps(u64::MAX), every: Interval::Epochs(u64::MAX) };
        assert_eq!((epochs.count(100, 4), epochs.is_due(100, 4)), (0, false));
    }

    #[test]
    fn keys_are_range_checked() {
        let said = |start, every| Swa { start, every }.check().map_err(|error| error.as_str().to_owned());
        let one = Interval::Steps(1);
        assert!(said(one, one).is_ok());
        assert_eq!(
            said(Interval::Epochs(0), one).unwrap_err(),
            "start is Epochs(0); expected at least Epochs(1)"
        );
        assert_eq!(
            said(one, Interval::Steps(0)).unwrap_err(),
            "every is Steps(0); expected at least Steps(1)"
        );
    }
}
