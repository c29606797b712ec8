//! Adafactor: adaptive steps with a second moment of rows and columns.

use trainspec_kernels::grad_norm::sum_of_squares;
use trainspec_kernels::scratch;
use trainspec_kernels::update::{FactoredMoment, add_multiple, multiply, normalize, transform};

use super::declaration::optimizer;
use super::rules::{self, hold, penalties};
use super::{AnyOptimizer, ModelRule, ModelStep, ParameterStep, Penalties, StepSize, UsualRates};
use crate::config::with_changes;
use crate::keys::Facts;
use crate::layer::GraphParameter;
use crate::shape::{CheckError, CheckResult};

optimizer! {
    /// Adafactor: divides the gradient of a matrix by a second moment that is stored for its rows and its columns only, so that the state
    /// is much smaller than the weights.
    ///
    /// At step `t`, with `b = t^beta2_decay` and the gradient `G` of a parameter with two axes:
    /// `R += b * (mean of G^2 over columns - R)`; `C += b * (mean of G^2 over rows - C)`; `V = R C / mean(R)`;
    /// `U = G / max(sqrt(V), eps1)`; `U /= max(1, rms(U) / d)`; `w -= max(eps2, rms(w)) * min(eta, 1 / sqrt(t)) * U`, where `rms` is the root of
    /// the mean of squares and `eta` the learning rate. So a step is relative to the size of the parameter. A parameter with one axis has a second
    /// moment for each element, `V += b * (G^2 - V)`. Of a parameter with more axes, such as the kernels of a convolution, the last two are
    /// those of the matrices. There is no momentum.
    ///
    /// The state of a checkpoint is named `row_var`, `col_var` and `variance`. The rule runs on the host.
    ///
    /// ```
    /// use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    /// #     image.flatten().linear(out = 10)
    /// # }
    ///
    /// train! {
    ///     Digits { model: Net, data: Digits8x8::embedded(), batch: 64, epochs: 2, optimizer: Adafactor { lr: 0.02 } }
    /// }
    /// # assert!(Digits::experiment().check().is_ok());
    /// ```
    ///
    /// # Source
    /// Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost", in PyTorch's form.
    pub struct Adafactor {
        /// The largest relative step, above 0; 0.01 by default.
        pub lr: f64 = 1e-2,
        /// The exponent of the step by which the second moment slows down, below 0 and at least -1; -0.8 by default.
        pub beta2_decay: f64 = -0.8,
        /// The least root of a second moment, and the least size of a parameter, both above 0; (2^-23, 1e-3) by default.
        pub eps: (f64, f64) = (f32::EPSILON as f64, 1e-3),
        /// The size of an update above which it is clipped, above 0; 1 by default.
        pub d: f64 = 1.0,
    }
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl Adafactor {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        if !(self.beta2_decay >= -1.0 && self.beta2_decay < 0.0) {
            return Err(CheckError::new("beta2_decay is ")
                .float(self.beta2_decay)
                .text("; expected -1 <= beta2_decay < 0"));
        }
        hold!(rules::above_zero("the first of eps", self.eps.0));
        hold!(rules::above_zero("the second of eps", self.eps.1));
        hold!(rules::above_zero("d", self.d));
        rules::rated(self.lr, penalties!(self))
    }

    /// Takes the step of one parameter. `work` is memory for its gradient.
    fn step(&self, parameter: ParameterStep<'_>, work: &mut [f32]) {
        let ParameterStep { about, step, incoming, weights, gradients, state } = parameter;
        let t = step.t as f64;
        transform(incoming, weights, gradients, work);
        let root_mean_square = |values: &[f32]| (sum_of_squares(values) / values.len() as f64).sqrt();
        let size = root_mean_square(weights).max(self.eps.1) * step.lr.min(1.0 / t.sqrt());
        if step.weight_decay > 0.0 {
            multiply(weights, incoming.keep);
        }
        let share = t.powf(self.beta2_decay) as f32;
        let eps = self.eps.0 as f32;
        match (matrix(about), state) {
            (Some([rows, columns]), [row, column, _]) => {
                FactoredMoment { row, column, rows, columns }.normalize(work, share, eps);
            }
            (None, [_, _, variance]) => normalize(variance, work, share, eps),
            _ => return,
        }
        let excess = (root_mean_square(work) / self.d).max(1.0);
        add_multiple(weights, work, (-size / excess) as f32);
    }
}

/// The rows and columns of the matrices in a parameter; `None` for one with a single axis.
fn matrix(about: &GraphParameter) -> Option<[usize; 2]> {
    match about.shape.axes() {
        [.., rows, columns] => Some([*rows, *columns]),
        _ => None,
    }
}

#[diagnostic::do_not_recommend]
impl AnyOptimizer for Adafactor {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["row_var", "col_var", "variance"]
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 0.1, source: "Shazeer & Stern 2018: 0.01" })
    }

    fn model_rule(&self) -> Option<&dyn ModelRule> {
        Some(self)
    }

    with_changes!(dyn AnyOptimizer);
}

impl ModelRule for Adafactor {
    fn slot_length(&self, slot: usize, parameter: &GraphParameter) -> usize {
        let elements = parameter.shape.elements();
        match (matrix(parameter), slot) {
            (Some([_, columns]), 0) => elements / columns.max(1),
            (Some([rows, _]), 1) => elements / rows.max(1),
            (None, 2) => elements,
            _ => 0,
        }
    }

    fn scratch(&self, parameters: &[GraphParameter]) -> usize {
        super::model_rule::largest(parameters)
    }

    fn update(&self, mut step: ModelStep<'_>) {
        scratch::with(super::model_rule::largest(step.about), |work| {
            step.each(|parameter| {
                let length = parameter.weights.len();
                self.step(parameter, &mut work[..length]);
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::fixture;

    #[test]
    fn state_of_matrix_is_that_of_rows_and_columns() {
        let mut parameter = fixture::graph().parameters.swap_remove(0);
        let optimizer: &dyn AnyOptimizer = &Adafactor::DEFAULT;
        let mut lengths = |axes: &[usize]| {
            parameter.shape = crate::shape::Shape::of(axes);
            [0, 1, 2].map(|slot| optimizer.slot_length(slot, &parameter))
        };
        assert_eq!(lengths(&[3, 5]), [3, 5, 0]);
        assert_eq!(lengths(&[4, 2, 3, 5]), [24, 40, 0]);
        assert_eq!(lengths(&[7]), [0, 0, 7]);
        parameter.frozen = true;
        assert_eq!([0, 1, 2].map(|slot| optimizer.slot_length(slot, &parameter)), [0; 3]);
    }

    #[test]
    fn keys_are_range_checked() {
        let said = |adafactor: Adafactor| adafactor.check().unwrap_err().as_str().to_owned();
        let usual = Adafactor::DEFAULT;
        assert!(usual.check().is_ok() && Adafactor { beta2_decay: -1.0, ..usual }.check().is_ok());
        assert_eq!(
            said(Adafactor { beta2_decay: 0.0, ..usual }),
            "beta2_decay is 0; expected -1 <= beta2_decay < 0"
        );
        assert!(said(Adafactor { d: 0.0, ..usual }).starts_with("d is 0; expected a number above 0"));
        assert!(said(Adafactor { eps: (1e-8, 0.0), ..usual }).starts_with("the second of eps is 0"));
    }
}
