//! Constraints on the weights, applied after each update.

use serde::{Deserialize, Serialize};
use trainspec_kernels::grad_norm::global_norm;

use super::scaled::multiply;
use crate::config::{Config, Setting, with_changes};
use crate::layer::Role;
use crate::shape::{CheckError, CheckResult};

/// A constraint on the weights, applied after every step.
///
/// It applies to each unit: the weights of one output of a matrix or kernel (a slice along its first axis, or along the
/// second in a transposed convolution).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::optim::Constraint;
/// use trainspec::{Config, CheckResult};
///
/// /// Keeps all weights at 0 or above.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct NotNegative {}
///
/// impl Config for NotNegative {
///     const NAME: &'static str = "NotNegative";
///     const DEFAULT: Self = Self {};
///     const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
/// }
///
/// impl Constraint for NotNegative {
///     fn constrain(&self, unit: &mut [f32]) {
///         unit.iter_mut().for_each(|weight| *weight = weight.max(0.0));
///     }
/// }
/// ```
pub trait Constraint: Config {
    /// Applies the constraint to the weights of one unit, on the host.
    fn constrain(&self, unit: &mut [f32]);

    /// Returns the constraint as data, which every device can apply; `None` by default. If there is one, it replaces
    /// [`constrain`](Constraint::constrain).
    fn lowering(&self) -> Option<UnitLimit> {
        None
    }

    /// Returns whether the constraint applies to parameters of this role; matrices and kernels by default.
    fn touches(&self, role: Role) -> bool {
        role == Role::Matrix
    }
}

/// A type-erased constraint.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a constraint on weights",
    label = "expected `MaxNorm {{ max: … }}`"
)]
pub trait AnyConstraint: Setting {
    /// [`Constraint::constrain`]
    fn constrain(&self, unit: &mut [f32]);
    /// [`Constraint::lowering`]
    fn lowering(&self) -> Option<UnitLimit>;
    /// [`Constraint::touches`]
    fn touches(&self, role: Role) -> bool;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyConstraint>;
    /// Returns the same configuration with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyConstraint>, String>;
}

#[diagnostic::do_not_recommend]
impl<C: Constraint> AnyConstraint for C {
    fn constrain(&self, unit: &mut [f32]) {
        Constraint::constrain(self, unit);
    }

    fn lowering(&self) -> Option<UnitLimit> {
        Constraint::lowering(self)
    }

    fn touches(&self, role: Role) -> bool {
        Constraint::touches(self, role)
    }

    with_changes!(dyn AnyConstraint);
}

/// A constraint on units as data.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UnitLimit {
    /// Scales a Euclidean norm above `max` to `max`: [`MaxNorm`].
    Norm {
        /// The largest norm.
        max: f64,
    },
}

impl UnitLimit {
    /// Applies it to the weights of one unit.
    pub fn apply(self, unit: &mut [f32]) {
        match self {
            Self::Norm { max } => {
                let norm = global_norm([&*unit]);
                if norm > max {
                    multiply(unit, max / norm);
                }
            }
        }
    }
}

/// Applies no constraint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unconstrained {}

/// [`Unconstrained`](struct@Unconstrained) as a value.
#[allow(non_upper_case_globals)]
pub const Unconstrained: Unconstrained = Unconstrained {};

impl Unconstrained {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Unconstrained {
    const NAME: &'static str = "Unconstrained";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Constraint for Unconstrained {
    fn constrain(&self, _: &mut [f32]) {}

    fn touches(&self, _: Role) -> bool {
        false
    }
}

/// Limits the norm of the weights of each unit, after every step.
///
/// The weights do not change if `norm <= max`, and are multiplied by `max / norm` otherwise. The constraint applies to matrices
/// and kernels, whose units are the slices along their first axis: PyTorch's `renorm(p=2, dim=0, maxnorm=max)`, which
/// divides by `norm + 1e-7`.
///
/// # Source
/// Srivastava et al. 2014 ("Dropout", section 5.1), who find values of 3 to 4 typical.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxNorm {
    /// The largest norm of a unit's weights, above 0; required.
    pub max: f64,
}

impl MaxNorm {
    /// Checks the range of the norm.
    pub const fn check(&self) -> CheckResult {
        // Checked as f32 too, the type of the weights.
        if self.max as f32 > 0.0 && (self.max as f32).is_finite() {
            return Ok(());
        }
        let range = if self.max > 0.0 && self.max.is_finite() { ", within the range of f32" } else { "" };
        Err(CheckError::new("max is ").float(self.max).text("; expected a norm above 0").text(range))
    }
}

impl Config for MaxNorm {
    const NAME: &'static str = "MaxNorm";
    const DEFAULT: Self = Self { max: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("max", "the largest norm of the weights of one unit")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Constraint for MaxNorm {
    fn constrain(&self, unit: &mut [f32]) {
        UnitLimit::Norm { max: self.max }.apply(unit);
    }

    fn lowering(&self) -> Option<UnitLimit> {
        Some(UnitLimit::Norm { max: self.max })
    }
}
