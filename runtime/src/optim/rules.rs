//! Checks that several optimizers share.

use super::Penalties;
use crate::keys::Facts;
pub(super) use crate::keys::not_negative;
use crate::shape::{CheckError, CheckResult};

/// Replaces `?` for a [`CheckResult`] in a `const fn`, where `?` is not available.
macro_rules! hold {
    ($verdict:expr) => {
        if let Err(problem) = $verdict {
            return Err(problem);
        }
    };
}
pub(super) use hold;

/// Builds the [`Penalties`](super::Penalties) from the four keys of an optimizer.
macro_rules! penalties {
    ($optimizer:expr) => {{
        let Self { l1, l2, weight_decay, decay, .. } = *$optimizer;
        Penalties { l1, l2, weight_decay, decay }
    }};
}
pub(super) use penalties;

/// The methods of [`Optimizer`](super::Optimizer) that are the same for all optimizers whose rule is [data](super::Optimizer::lowering).
macro_rules! common {
    () => {
        fn lr(&self) -> f64 {
            self.lr
        }

        fn penalties(&self) -> Penalties {
            crate::optim::rules::penalties!(self)
        }

        fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32 {
            let rule = self.lowering(step);
            move |w, g, state| rule.map_or(w, |rule| rule.update_element(w, g, state))
        }

        fn direction(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32 {
            let rule = self.lowering(step);
            move |w, g, state| rule.map_or(g, |rule| rule.element_direction(w, g, state))
        }
    };
}
pub(super) use common;

/// Checks the keys of optimizers with two moments.
pub(super) const fn moments(
    lr: f64,
    betas: (f64, f64),
    eps: f64,
    penalties: Penalties,
) -> CheckResult<Facts> {
    hold!(self::lr(lr));
    hold!(self::betas(betas));
    hold!(self::eps(eps));
    rated(lr, penalties)
}

/// Checks the penalties of an optimizer at its `lr`, and declares both to the compiler.
pub(super) const fn rated(lr: f64, penalties: Penalties) -> CheckResult<Facts> {
    hold!(penalties.check(lr));
    Ok(Facts::NOTHING.rate(lr, penalties))
}

/// Checks a learning rate.
pub(super) const fn lr(lr: f64) -> CheckResult {
    if !(lr > 0.0 && lr.is_finite()) {
        return Err(CheckError::new("lr is ").float(lr).text("; expected a number above 0"));
    }
    // Updates are computed in f32, in which smaller values are 0 or have little precision.
    if (lr as f32) < f32::MIN_POSITIVE || !(lr as f32).is_finite() {
        return Err(CheckError::new("lr is ")
            .float(lr)
            .text("; expected a number from 1.2e-38 to 3.4e38, the range of f32"));
    }
    Ok(())
}

/// Checks the decay rates of two moments.
pub(super) const fn betas((first, second): (f64, f64)) -> CheckResult {
    if first >= 0.0 && first < 1.0 && second >= 0.0 && second < 1.0 {
        return Ok(());
    }
    Err(CheckError::new("betas is (")
        .float(first)
        .text(", ")
        .float(second)
        .text("); expected 0 <= beta < 1 for both"))
}

/// Checks `eps`.
pub(super) const fn eps(eps: f64) -> CheckResult {
    above_zero("eps", eps)
}

/// Checks that a value is above 0.
pub(super) const fn above_zero(key: &str, value: f64) -> CheckResult {
    // Checked as f32 too, the type of the computation.
    if value as f32 > 0.0 && (value as f32).is_finite() {
        return Ok(());
    }
    Err(CheckError::new(key)
        .text(" is ")
        .float(value)
        .text("; expected a number above 0, within the range of f32"))
}

/// Checks that a value is at least 0 and less than 1.
pub(super) const fn fraction(key: &str, value: f64) -> CheckResult {
    if value >= 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").float(value).text("; expected 0 <= ").text(key).text(" < 1"))
}
