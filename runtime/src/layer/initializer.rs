//! Weight initializers, named after their papers.

use serde::{Deserialize, Serialize};

use super::part::{Init, Role};
use super::rule;
use crate::shape::{CheckResult, Shape};

/// How the weights of a layer are initialized: the key `init` of a layer with weights, and of [`train!`](crate::train!) for all
/// layers that do not set their own.
///
/// It applies to matrices, convolution kernels and embeddings. Biases and normalization parameters always use the
/// initialization of their layer, as with PyTorch's `torch.nn.init`, whose functions fill only the tensor passed to them.
///
/// `fan_in` is the number of inputs of one output and `fan_out` the number of outputs of one input. For a weight
/// `[out, in, …]` they are `in` and `out` times the lengths of the further axes, as in PyTorch. So the kernel
/// `[out, channels / groups, k, k]` of a convolution has `fan_in = channels / groups * k^2` and `fan_out = out * k^2`, a
/// recurrent layer's `weight_hh [4 out, out]` has `out` and `4 out`, and an embedding's table `[vocabulary, out]` has `out`
/// and `vocabulary`. A weight of fewer than two axes has neither, and these initializers leave it at its layer's own.
///
/// | initializer | distribution | PyTorch |
/// | --- | --- | --- |
/// | [`Default`](Self::Default) | the layer's own | `reset_parameters` |
/// | [`Zeros`](Self::Zeros) | 0 | `zeros_` |
/// | [`Xavier`](Self::Xavier) | uniform within `sqrt(6 / (fan_in + fan_out))` | `xavier_uniform_` |
/// | [`XavierNormal`](Self::XavierNormal) | normal, deviation `sqrt(2 / (fan_in + fan_out))` | `xavier_normal_` |
/// | [`He`](Self::He) | normal, deviation `sqrt(2 / fan_in)` | `kaiming_normal_`, `nonlinearity="relu"` |
/// | [`HeUniform`](Self::HeUniform) | uniform within `sqrt(6 / fan_in)` | `kaiming_uniform_`, `nonlinearity="relu"` |
/// | [`Lecun`](Self::Lecun) | normal, deviation `sqrt(1 / fan_in)` | `kaiming_normal_`, `nonlinearity="linear"` |
/// | [`Orthogonal`](Self::Orthogonal) | orthonormal rows or columns times `gain` | `orthogonal_` |
/// | [`Normal`](Self::Normal) | normal, deviation `std` | `normal_` |
/// | [`TruncatedNormal`](Self::TruncatedNormal) | normal, within `2 std` | `trunc_normal_`, `a=-2 * std, b=2 * std` |
/// | [`Uniform`](Self::Uniform) | uniform within `bound` | `uniform_` |
///
/// Every parameter is drawn from its own stream, keyed by the run's seed and the parameter's path: initializing one
/// differently does not change another.
///
/// # Errors
/// `linear: init.std is 0; expected a number above 0`, at compile time.
///
/// # Example
/// In a model, a bare name is enough. In `train!`, which completes struct literals with defaults, an initializer with keys
/// is written with its type name: `init: Initializer::Normal { std: 0.02 }`.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image
///         .conv2d(out = 8, kernel = 3, init = Normal { std: 0.02 })
///         .relu()
///         .flatten()
///         .linear(out = 32)
///         .relu()
///         .linear(out = 10, init = Zeros)
/// }
///
/// train! {
///     // The first linear layer, which has no `init` of its own.
///     Digits { model: Net, data: Digits8x8::embedded(), epochs: 1, init: He }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Initializer {
    /// The layer's own initialization, which is that of PyTorch's layer; in a layer, `train!`'s `init` if it is set.
    /// The default.
    #[default]
    Default,
    /// All 0. Used for the last layer of a residual branch, so that the branch initially outputs 0 (Goyal et al. 2017).
    Zeros,
    /// Uniform within `sqrt(6 / (fan_in + fan_out))`, which preserves the variance of values and of gradients under a `tanh`
    /// (Glorot and Bengio 2010).
    Xavier,
    /// Normal with standard deviation `sqrt(2 / (fan_in + fan_out))`, the variance of [`Xavier`](Self::Xavier).
    XavierNormal,
    /// Normal with standard deviation `sqrt(2 / fan_in)`, which preserves the variance of values under a `relu` (He et al.
    /// 2015).
    He,
    /// Uniform within `sqrt(6 / fan_in)`, the variance of [`He`](Self::He).
    HeUniform,
    /// Normal with standard deviation `sqrt(1 / fan_in)`, which preserves the variance of values without an activation and
    /// under a `selu` (LeCun et al. 1998).
    Lecun,
    /// `[out, in, …]` as a matrix of `out` rows. Its rows, or its columns if it has fewer columns, are orthogonal
    /// and of length `gain` (Saxe et al. 2014). Uniformly distributed among all such matrices.
    ///
    /// With `n` the shorter side of the matrix and `m` the longer, this costs `4 n^2 m` operations once: about two
    /// seconds for 1024 by 4096 on one core.
    Orthogonal {
        /// The factor of the orthonormal matrix, above 0: 1 preserves lengths, `sqrt(2)` is for a `relu`.
        gain: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// The standard deviation, above 0.
        std: f64,
    },
    /// Normal with mean 0, where values beyond `2 std` are redrawn. The result has a standard deviation of `0.8796 std`.
    TruncatedNormal {
        /// The standard deviation before values are redrawn, above 0.
        std: f64,
    },
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The largest absolute value, above 0.
        bound: f64,
    },
}

impl Initializer {
    /// The values of the keys are finite and above 0.
    ///
    /// # Errors
    /// The first key whose value is not.
    pub const fn check(&self) -> CheckResult {
        match *self {
            Self::Orthogonal { gain } => rule::positive("init.gain", gain),
            Self::Normal { std } | Self::TruncatedNormal { std } => rule::positive("init.std", std),
            Self::Uniform { bound } => rule::positive("init.bound", bound),
            _ => Ok(()),
        }
    }

    /// The initialization of a parameter under this choice; `None` for the layer's own.
    pub(super) fn resolve(self, role: Role, shape: Shape) -> Option<Init> {
        if !matches!(role, Role::Matrix | Role::Embedding) {
            return None;
        }
        let fans = fans(shape);
        let normal = |variance: f64| Init::Normal { std: variance.sqrt() };
        let uniform = |variance: f64| Init::Uniform { bound: (3.0 * variance).sqrt() };
        match self {
            Self::Default => None,
            Self::Zeros => Some(Init::Zeros),
            Self::Xavier => fans.map(|(fan_in, fan_out)| uniform(2.0 / (fan_in + fan_out))),
            Self::XavierNormal => fans.map(|(fan_in, fan_out)| normal(2.0 / (fan_in + fan_out))),
            Self::He => fans.map(|(fan_in, _)| normal(2.0 / fan_in)),
            Self::HeUniform => fans.map(|(fan_in, _)| uniform(2.0 / fan_in)),
            Self::Lecun => fans.map(|(fan_in, _)| normal(1.0 / fan_in)),
            Self::Orthogonal { gain } => fans.map(|_| Init::Orthogonal { gain }),
            Self::Normal { std } => Some(Init::Normal { std }),
            Self::TruncatedNormal { std } => Some(Init::TruncatedNormal { std }),
            Self::Uniform { bound } => Some(Init::Uniform { bound }),
        }
    }
}

/// `fan_in` and `fan_out` of a weight with at least two axes. As in PyTorch, the first axis counts as that of the outputs in any
/// layer, also in a transposed convolution, whose first axis is that of the inputs.
fn fans(shape: Shape) -> Option<(f64, f64)> {
    let &[outputs, inputs, ref field @ ..] = shape.axes() else { return None };
    let field: f64 = field.iter().map(|&axis| axis as f64).product();
    Some((inputs as f64 * field, outputs as f64 * field))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Initializer; 11] = [
        Initializer::Default,
        Initializer::Zeros,
        Initializer::Xavier,
        Initializer::XavierNormal,
        Initializer::He,
        Initializer::HeUniform,
        Initializer::Lecun,
        Initializer::Orthogonal { gain: 1.0 },
        Initializer::Normal { std: 0.02 },
        Initializer::TruncatedNormal { std: 0.02 },
        Initializer::Uniform { bound: 0.1 },
    ];

    #[test]
    fn initializer_values_are_checked_at_their_bounds() {
        for good in ALL {
            assert!(good.check().is_ok());
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            for initializer in [
                Initializer::Orthogonal { gain: bad },
                Initializer::Normal { std: bad },
                Initializer::TruncatedNormal { std: bad },
                Initializer::Uniform { bound: bad },
            ] {
                assert!(initializer.check().is_err(), "{initializer:?}");
            }
        }
        let problem = Initializer::Normal { std: -0.5 }.check().unwrap_err();
        assert_eq!(problem.as_str(), "init.std is -0.5; expected a number above 0");
    }

    #[test]
    fn initializers_round_trip_through_json() {
        for initializer in ALL {
            let json = serde_json::to_value(initializer).unwrap();
            assert_eq!(serde_json::from_value::<Initializer>(json).unwrap(), initializer);
        }
        assert_eq!(serde_json::to_value(Initializer::He).unwrap(), "He");
    }

    #[test]
    fn initializers_apply_only_to_weights() {
        let shape = Shape::of(&[4, 3]);
        for initializer in ALL {
            let chosen = initializer != Initializer::Default;
            assert_eq!(initializer.resolve(Role::Matrix, shape).is_some(), chosen);
            assert_eq!(initializer.resolve(Role::Embedding, shape).is_some(), chosen);
            for role in [Role::Bias, Role::Norm, Role::Statistic] {
                assert_eq!(initializer.resolve(role, shape), None);
            }
        }
        // A tensor with one axis has no fans, but an explicit distribution applies to any tensor.
        assert_eq!(Initializer::He.resolve(Role::Matrix, Shape::of(&[4])), None);
        assert_eq!(Initializer::Orthogonal { gain: 1.0 }.resolve(Role::Matrix, Shape::of(&[4])), None);
        assert_eq!(Initializer::Zeros.resolve(Role::Matrix, Shape::of(&[4])), Some(Init::Zeros));
    }
}
