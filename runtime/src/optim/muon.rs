//! Muon: orthogonalized momentum for hidden matrices.

use serde::{Deserialize, Serialize};
use trainspec_kernels::scratch;
use trainspec_kernels::update::{
    add_multiple, interpolate, multiply, orthogonalize, scratch_length, transform,
};

use super::declaration::optimizer;
use super::model_rule::largest;
use super::rules::{self, hold, penalties};
use super::{
    AdamW, AnyOptimizer, ModelRule, ModelStep, ParameterConfig, ParameterStep, Penalties, UsualRates,
};
use crate::config::with_changes;
use crate::keys::Facts;
use crate::layer::{GraphParameter, Role};
use crate::shape::{CheckError, CheckResult};

/// How Muon adapts its learning rate to the shape of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MuonRate {
    /// `sqrt(max(1, rows / columns))` (Jordan 2024).
    Original,
    /// `0.2 * sqrt(max(rows, columns))`, so that the elements of a step have about the size of those of `AdamW`, whose learning rate and decay
    /// can then be used (Liu et al. 2025).
    MatchAdamW,
}

optimizer! {
    /// Muon: the momentum of each hidden matrix, orthogonalized by a Newton-Schulz iteration; all other parameters are updated by `AdamW`.
    ///
    /// With learning rate `eta` and gradient `G` of a matrix `W`: `W *= 1 - eta * weight_decay`; `B += (1 - momentum) * (G - B)`;
    /// `U = G + momentum * (B - G)`, or `U = B` without Nesterov; `W -= eta * ratio * O`, where `O` has the singular vectors of `U`
    /// and singular values near 1, and `ratio` depends on the shape ([`MuonRate`]). `O` is computed by `steps` iterations
    /// `X = a X + (b Y + c Y^2) X` with `Y = X X^T`, from `X = U / |U|`, with the coefficients 3.4445, -4.775 and 2.0315. They are f32, where
    /// PyTorch rounds to bf16.
    ///
    /// Muon updates the weights of layers that are matrices or kernels, as in `linear`, `conv2d`, `lstm` and attention. The axes of a kernel after the
    /// first are those of the columns. Embeddings, biases, norms and the layers that compute the outputs of the model are updated by `rest`. The
    /// schedule multiplies both learning rates: that of `rest` keeps its ratio to `lr`. `l1`, `l2`, `weight_decay` and `decay` are those of the matrices;
    /// `rest` has its own. A [group](super::Group) can set them for some parameters, but not which rule updates these.
    ///
    /// The rule runs on the host.
    ///
    /// ```
    /// use trainspec::prelude::*;
    ///
    /// #[model]
    /// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    ///     image.flatten().linear(out = 64).relu().linear(out = 64).relu().linear(out = 10)
    /// }
    ///
    /// train! {
    ///     Digits {
    ///         model: Net,
    ///         data: Digits8x8::embedded(),
    ///         batch: 64,
    ///         epochs: 2,
    ///         optimizer: Muon { lr: 0.02, rest: AdamW { lr: 3e-3 } },
    ///     }
    /// }
    /// # assert!(Digits::experiment().check().is_ok());
    /// ```
    ///
    /// # Errors
    /// When the program starts: if the model has no hidden matrix that is trained.
    ///
    /// # Source
    /// Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks", in the form of PyTorch's `torch.optim.Muon`.
    pub struct Muon {
        /// The learning rate of the matrices, above 0; 1e-3 by default. With `Original`, 0.02 is usual.
        pub lr: f64 = 1e-3,
        /// The decay rate of the momentum, `0 <= momentum < 1`; 0.95 by default.
        pub momentum: f64 = 0.95,
        /// Uses Nesterov momentum; true by default.
        pub nesterov: bool = true,
        /// The number of Newton-Schulz iterations, from 1 to 99; 5 by default.
        pub steps: usize = 5,
        /// The least norm that a matrix is divided by, above 0; 1e-7 by default.
        pub eps: f64 = 1e-7,
        /// How the learning rate depends on the shape of a matrix; `MuonRate::Original` by default.
        pub rate: MuonRate = MuonRate::Original,
        /// The optimizer of all other parameters; `AdamW` by default.
        pub rest: AdamW = AdamW,
    }
    /// Decoupled weight decay of the matrices, multiplied by the learning rate, 0 or more; 0.1 by default.
    weight_decay = 0.1
}

impl Muon {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("momentum", self.momentum));
        if self.nesterov && self.momentum == 0.0 {
            return Err(CheckError::new(
                "nesterov requires momentum; set `momentum: 0.95`, or `nesterov: false`",
            ));
        }
        if self.steps == 0 || self.steps > 99 {
            return Err(CheckError::new("steps is ")
                .number(self.steps)
                .text("; expected 1 to 99 iterations"));
        }
        hold!(rules::above_zero("eps", self.eps));
        // The keys of `rest` are checked where they are written, and when a run starts.
        rules::rated(self.lr, penalties!(self))
    }

    /// Takes the step of one matrix. `work` is memory for its gradient.
    fn step(&self, parameter: ParameterStep<'_>, work: &mut [f32]) {
        let ParameterStep { about, step, incoming, weights, gradients, state } = parameter;
        let [momentum, ..] = state else { return };
        let [rows, columns] = sizes(about);
        transform(incoming, weights, gradients, work);
        interpolate(momentum, work, (1.0 - self.momentum) as f32);
        if self.nesterov {
            interpolate(work, momentum, self.momentum as f32);
        } else {
            work.copy_from_slice(momentum);
        }
        orthogonalize(work, rows, columns, self.steps, self.eps as f32);
        if step.weight_decay > 0.0 {
            multiply(weights, incoming.keep);
        }
        let (rows, columns) = (rows as f64, columns as f64);
        let ratio = match self.rate {
            MuonRate::Original => (rows / columns).max(1.0).sqrt(),
            MuonRate::MatchAdamW => 0.2 * rows.max(columns).sqrt(),
        };
        add_multiple(weights, work, (-step.lr * ratio) as f32);
    }
}

/// Returns whether Muon updates a parameter: a matrix or kernel of a layer that is not one of the last.
fn takes(about: &GraphParameter) -> bool {
    about.role == Role::Matrix && about.shape.axes().len() > 1 && !about.is_output
}

/// The rows, and the columns with all other axes.
fn sizes(about: &GraphParameter) -> [usize; 2] {
    let rows = about.shape.axes().first().copied().unwrap_or(1).max(1);
    [rows, about.shape.elements() / rows]
}

#[diagnostic::do_not_recommend]
impl AnyOptimizer for Muon {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn state_names(&self) -> &'static [&'static str] {
        const NAMES: &[&str] = &["momentum", "m", "v", "v_max"];
        &NAMES[..=AnyOptimizer::state_names(&self.rest).len()]
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn treatment(&self, parameter: &GraphParameter) -> ParameterConfig {
        if takes(parameter) {
            return ParameterConfig::of(parameter.role, self.penalties());
        }
        let config = self.rest.treatment(parameter);
        ParameterConfig { lr: config.lr * self.rest.lr / self.lr, ..config }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 0.1, source: "Jordan et al. 2024: 0.02" })
    }

    fn check_model(&self, parameters: &[GraphParameter]) -> Result<(), String> {
        if let Err(problem) = self.rest.check() {
            return Err(problem.of("rest").as_str().to_owned());
        }
        if parameters.iter().any(|parameter| parameter.is_trained() && takes(parameter)) {
            return Ok(());
        }
        Err("`Muon` updates hidden matrices, but the model has none that is trained, besides the layers that compute its outputs; use \
             `AdamW`"
            .to_owned())
    }

    fn model_rule(&self) -> Option<&dyn ModelRule> {
        Some(self)
    }

    with_changes!(dyn AnyOptimizer);
}

impl ModelRule for Muon {
    fn slot_length(&self, slot: usize, parameter: &GraphParameter) -> usize {
        // The first is of the matrices, the others of the rest.
        if takes(parameter) == (slot == 0) { parameter.shape.elements() } else { 0 }
    }

    fn scratch(&self, parameters: &[GraphParameter]) -> usize {
        let taken = parameters.iter().filter(|parameter| parameter.is_trained() && takes(parameter));
        let lengths = taken.map(|parameter| {
            let [rows, columns] = sizes(parameter);
            rows * columns + scratch_length(rows, columns)
        });
        lengths.max().unwrap_or(0)
    }

    fn update(&self, mut step: ModelStep<'_>) {
        scratch::with(largest(step.about), |work| {
            step.each(|parameter| {
                if takes(parameter.about) {
                    let length = parameter.weights.len();
                    self.step(parameter, &mut work[..length]);
                } else {
                    parameter.by(&self.rest, 1);
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn keys_are_range_checked() {
        let said = |muon: Muon| muon.check().unwrap_err().as_str().to_owned();
        let usual = Muon::DEFAULT;
        assert!(usual.check().is_ok());
        assert!(Muon { momentum: 0.0, nesterov: false, ..usual }.check().is_ok());
        assert!(said(Muon { momentum: 1.0, ..usual }).starts_with("momentum is 1"));
        assert!(said(Muon { momentum: 0.0, ..usual }).starts_with("nesterov requires momentum"));
        assert_eq!(said(Muon { steps: 0, ..usual }), "steps is 0; expected 1 to 99 iterations");
        let wrong = Muon { rest: AdamW { lr: -1.0, ..AdamW }, ..usual };
        assert!(wrong.check_model(&[]).unwrap_err().starts_with("rest: lr is -1"));
    }

    #[test]
    fn state_names_are_those_of_both_optimizers() {
        assert_eq!(Muon::DEFAULT.state_names(), ["momentum", "m", "v"]);
        let rest = AdamW { amsgrad: true, ..AdamW };
        assert_eq!(Muon { rest, ..Muon::DEFAULT }.state_names(), ["momentum", "m", "v", "v_max"]);
    }
}
