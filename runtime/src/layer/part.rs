//! What a layer owns: parameters and running statistics.

use super::initializer::Initializer;
use crate::shape::Shape;

/// A parameter (or running statistic) that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name within the layer, the last part of its path: `weight`, `running_mean`.
    pub name: &'static str,
    /// Its shape, all axes.
    pub shape: Shape,
    /// What it is to the optimizer.
    pub role: Role,
    /// Its value before the first step.
    pub init: Init,
    /// Whether that was chosen for the layer, so that a choice for the whole model does not change it.
    pub has_explicit_init: bool,
    /// What PyTorch's layer of the kind calls it, where that is another name: `in_proj_weight`.
    pub torch: &'static str,
    /// The least value that a file may give it: 0 for a variance, negative infinity where every number will do.
    pub minimum: f32,
}

/// One parameter of a graph.
#[derive(Clone, Debug)]
pub struct GraphParameter {
    /// Its name in a model file: `block.0.linear_2.bias`.
    pub path: String,
    /// All its axes.
    pub shape: Shape,
    /// What it is to the optimizer.
    pub role: Role,
    /// Its value before the first step.
    pub init: Init,
    /// Whether a run leaves it as it is.
    pub frozen: bool,
    /// [`Parameter::has_explicit_init`]
    pub has_explicit_init: bool,
    /// Its name in a file for PyTorch and candle: the path, but that the last part is [`Parameter::torch`].
    pub torch: String,
    /// [`Parameter::minimum`]
    pub minimum: f32,
}

impl GraphParameter {
    /// Makes it begin as was chosen for the whole model, if it is a weight whose layer has no choice of its own.
    pub(crate) fn begin(&mut self, initializer: Initializer) {
        if self.has_explicit_init {
            return;
        }
        if let Some(init) = initializer.resolve(self.role, self.shape) {
            self.init = init;
        }
    }

    /// What is wrong with values out of a file: the first that is not finite or below the minimum, and how many there are.
    pub(crate) fn fault(&self, values: &[f32]) -> Option<String> {
        let is_wrong = |value: &f32| !value.is_finite() || *value < self.minimum;
        let (place, value) = values.iter().enumerate().find(|(_, value)| is_wrong(value))?;
        let expected = if value.is_finite() {
            format!("a value from {} up, as a variance is", self.minimum)
        } else {
            "values that are finite in f32".to_owned()
        };
        let more = match values[place + 1..].iter().filter(|value| is_wrong(value)).count() {
            0 => String::new(),
            more => format!(" and {more} more such values"),
        };
        Some(format!("has {value} at element {place}{more}; expected {expected}"))
    }

    /// Whether an optimizer changes it: it is neither frozen nor a running statistic.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        !self.frozen && self.role != Role::Statistic
    }
}

/// What a parameter is, which decides whether weight decay touches it and whether it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix or a convolution's kernel: decayed.
    Matrix,
    /// Added to each output: not decayed.
    Bias,
    /// Scale or shift of a normalization: not decayed.
    Norm,
    /// A table of vectors: not decayed.
    Embedding,
    /// A running statistic: kept and saved, never trained.
    Statistic,
}

/// How a parameter begins. Random values come from the run's seed and the parameter's path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The largest size of a value.
        bound: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Normal with mean 0, drawn again where it is farther out than `2 std`.
    TruncatedNormal {
        /// The standard deviation before anything is drawn again.
        std: f64,
    },
    /// As a matrix of as many rows as the first axis is long: orthonormal rows, or if there are more rows than columns,
    /// columns, times `gain`.
    Orthogonal {
        /// The factor.
        gain: f64,
    },
}

impl Init {
    /// PyTorch's default for linear layers and convolutions, weight and bias alike: uniform within
    /// `1 / sqrt(fan_in)`, which is `kaiming_uniform(a = sqrt 5)` for the weight (He et al. 2015).
    #[must_use]
    pub fn fan_in(fan_in: usize) -> Self {
        Self::Uniform { bound: 1.0 / (fan_in.max(1) as f64).sqrt() }
    }

    /// Uniform within `sqrt(6 / (fan_in + fan_out))`, which keeps the variance of values and of gradients
    /// alike (Glorot & Bengio 2010); PyTorch's `xavier_uniform_`.
    #[must_use]
    pub fn xavier(fan_in: usize, fan_out: usize) -> Self {
        Self::Uniform { bound: (6.0 / (fan_in as f64 + fan_out as f64).max(1.0)).sqrt() }
    }
}

impl Parameter {
    /// A parameter named `name`.
    #[must_use]
    pub fn new(name: &'static str, axes: &[usize], role: Role, init: Init) -> Self {
        let shape = Shape::of(axes);
        Self { name, shape, role, init, has_explicit_init: false, torch: name, minimum: f32::NEG_INFINITY }
    }

    /// The same, begun as a layer's key `init` says: `init` given to [`Parameter::new`] is what
    /// [`Initializer::Default`] stands for.
    ///
    /// ```
    /// use trainspec::layer::{Init, Initializer, Parameter, Role};
    ///
    /// let weight = Parameter::new("weight", &[8, 2], Role::Matrix, Init::fan_in(2));
    /// assert_eq!(weight.clone().with_init(Initializer::Default), weight);
    /// assert_eq!(weight.with_init(Initializer::He).init, Init::Normal { std: 1.0 });
    /// ```
    #[must_use]
    pub fn with_init(mut self, initializer: Initializer) -> Self {
        if let Some(init) = initializer.resolve(self.role, self.shape) {
            (self.init, self.has_explicit_init) = (init, true);
        }
        self
    }

    /// The same, of which a file with a lower value is refused.
    ///
    /// ```
    /// use trainspec::layer::{Init, Parameter, Role};
    ///
    /// let variance = Parameter::new("running_var", &[8], Role::Statistic, Init::Ones).at_least(0.0);
    /// assert_eq!(variance.minimum, 0.0);
    /// ```
    #[must_use]
    pub fn at_least(mut self, minimum: f32) -> Self {
        self.minimum = minimum;
        self
    }

    /// The same, called `name` in files for PyTorch and candle. Its axes have to be those of PyTorch's layer, in its order:
    /// tensors go from file to file as they are.
    ///
    /// ```
    /// use trainspec::layer::{Init, Parameter, Role};
    ///
    /// let weight = Parameter::new("out_weight", &[8, 8], Role::Matrix, Init::fan_in(8));
    /// assert_eq!(weight.named_in_torch("out_proj.weight").torch, "out_proj.weight");
    /// ```
    #[must_use]
    pub fn named_in_torch(mut self, name: &'static str) -> Self {
        self.torch = name;
        self
    }
}
