//! The parameters and running statistics of a layer.

use super::initializer::Initializer;
use crate::shape::Shape;

/// A parameter (or running statistic) that a layer declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name within the layer, the last part of its path: `weight`, `running_mean`.
    pub name: &'static str,
    /// Its shape, all axes.
    pub shape: Shape,
    /// Its role, which decides how the optimizer treats it.
    pub role: Role,
    /// Its value before the first step.
    pub init: Init,
    /// Whether the initializer was set on the layer, so that the model's `init` does not override it.
    pub has_explicit_init: bool,
    /// Its name in PyTorch's layer, if that differs: `in_proj_weight`.
    pub torch: &'static str,
    /// The smallest value accepted from a file: 0 for a variance, negative infinity where every value is valid.
    pub minimum: f32,
    /// Which of its elements are the weights of one output.
    pub outputs: Outputs,
    /// The row that is 0 before the first step, whatever the initializer: that of a padding token.
    pub zero_row: Option<usize>,
}

/// Where the outputs of a parameter with two or more axes are: constraints and adaptive clipping see the weights of one output
/// at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// The first axis is that of the outputs: `[out, in, …]`. The default.
    #[default]
    First,
    /// The second axis is that of the outputs of each group, `[in, out / groups, …]`, as in a transposed convolution.
    Second {
        /// The number of groups, which divides the first axis.
        groups: usize,
    },
}

/// A parameter of a layer, as one of the graph's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeParameter {
    /// [`Parameter::name`], the layer's own name for it.
    pub name: &'static str,
    /// Its index among the parameters of the graph.
    pub index: usize,
}

/// The name under which a layer uses a parameter that another layer owns: `head.weight` for `embed.weight`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiedName {
    /// The path that the parameter would have if the layer owned it.
    pub path: String,
    /// The same in a file for PyTorch and candle.
    pub torch: String,
}

/// One parameter of a graph.
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not the states of one thing")]
pub struct GraphParameter {
    /// Its name in a model file: `block.0.linear_2.bias`.
    pub path: String,
    /// All its axes.
    pub shape: Shape,
    /// Its role, which decides how the optimizer treats it.
    pub role: Role,
    /// Its value before the first step.
    pub init: Init,
    /// Whether it is frozen: training leaves it unchanged.
    pub frozen: bool,
    /// [`Parameter::has_explicit_init`]
    pub has_explicit_init: bool,
    /// Its name in a file for PyTorch and candle: the path, with the last part replaced by [`Parameter::torch`].
    pub torch: String,
    /// [`Parameter::minimum`]
    pub minimum: f32,
    /// The names of other layers for it, if it is tied. PyTorch's files may have all of them, with equal values.
    pub tied: Vec<TiedName>,
    /// Whether some layer reads it as a matrix, a kernel or a bias, which are rounded in 16-bit precision. The rows of a table
    /// are rounded after lookup, and scales, shifts and statistics stay f32.
    pub is_rounded: bool,
    /// [`Parameter::outputs`]
    pub outputs: Outputs,
    /// [`Parameter::zero_row`]
    pub zero_row: Option<usize>,
    /// Whether it belongs to a layer that computes an output of the model: the last layers with a matrix or kernel.
    pub is_output: bool,
}

impl GraphParameter {
    /// Applies the model's initializer, if this is a weight whose layer does not set its own.
    pub(crate) fn begin(&mut self, initializer: Initializer) {
        if self.has_explicit_init {
            return;
        }
        if let Some(init) = initializer.resolve(self.role, self.shape) {
            self.init = init;
        }
    }

    /// The number of inputs, such as channels, that each output reads; `None` for a parameter with fewer than two axes.
    pub(crate) fn inputs_per_output(&self) -> Option<usize> {
        match (self.shape.axes(), self.outputs) {
            ([_, inputs, ..], Outputs::First) => Some(*inputs),
            ([inputs, _, ..], Outputs::Second { groups }) => Some(inputs / groups.max(1)),
            _ => None,
        }
    }

    /// Describes invalid values from a file: the first that is not finite or is below the minimum, and how many there are.
    pub(crate) fn fault(&self, values: &[f32]) -> Option<String> {
        let is_wrong = |value: &f32| !value.is_finite() || *value < self.minimum;
        let (place, value) = values.iter().enumerate().find(|(_, value)| is_wrong(value))?;
        let expected = if value.is_finite() {
            format!("a value of at least {}, as for a variance", self.minimum)
        } else {
            "values that are finite in f32".to_owned()
        };
        let more = match values[place + 1..].iter().filter(|value| is_wrong(value)).count() {
            0 => String::new(),
            more => format!(" and {more} more such values"),
        };
        Some(format!("has {value} at element {place}{more}; expected {expected}"))
    }

    /// The names that other layers have for it in files: the paths, and the names in PyTorch.
    pub(crate) fn tied_names(&self) -> impl Iterator<Item = &String> {
        self.tied.iter().flat_map(|tied| [&tied.path, &tied.torch])
    }

    /// Whether an optimizer changes it: it is neither frozen nor a running statistic.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        !self.frozen && self.role != Role::Statistic
    }
}

/// The role of a parameter, which decides whether weight decay applies and whether it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// A matrix or a convolution kernel: weight decay applies.
    Matrix,
    /// A bias, added to each output: no weight decay.
    Bias,
    /// The scale or shift of a normalization: no weight decay.
    Norm,
    /// A table of vectors: no weight decay.
    Embedding,
    /// A running statistic: saved with the model, never trained.
    Statistic,
}

impl Role {
    /// Whether 16-bit precision rounds a parameter that is read in this role.
    pub(crate) fn is_rounded(self) -> bool {
        matches!(self, Self::Matrix | Self::Bias)
    }
}

/// How a parameter is initialized. Random values depend on the run's seed and the parameter's path.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// The Euclidean norm of each row, an index of the first axis, of the parameter that the layer declares next.
    RowNorms,
    /// All the same.
    Constant {
        /// The value.
        value: f64,
    },
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The largest absolute value.
        bound: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Normal with mean 0, where values beyond `2 std` are redrawn.
    TruncatedNormal {
        /// The standard deviation before values are redrawn.
        std: f64,
    },
    /// A matrix with one row per index of the first axis: orthonormal rows, or orthonormal columns if there are more rows than
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

    /// Uniform within `sqrt(6 / (fan_in + fan_out))`, which preserves the variance of both values and gradients
    /// (Glorot & Bengio 2010); PyTorch's `xavier_uniform_`.
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
        Self {
            name,
            shape,
            role,
            init,
            has_explicit_init: false,
            torch: name,
            minimum: f32::NEG_INFINITY,
            outputs: Outputs::First,
            zero_row: None,
        }
    }

    /// Sets the initializer from a layer's key `init`. The `init` passed to [`Parameter::new`] is what
    /// [`Initializer::Default`] selects.
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

    /// Sets the smallest value that is accepted from a file.
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

    /// Sets which of its elements are the weights of one output.
    ///
    /// ```
    /// use trainspec::layer::{Init, Outputs, Parameter, Role};
    ///
    /// let weight = Parameter::new("weight", &[4, 8, 3, 3], Role::Matrix, Init::fan_in(72));
    /// assert_eq!(weight.outputs, Outputs::First);
    /// let transposed = weight.with_outputs(Outputs::Second { groups: 1 });
    /// assert_eq!(transposed.outputs, Outputs::Second { groups: 1 });
    /// ```
    #[must_use]
    pub fn with_outputs(mut self, outputs: Outputs) -> Self {
        self.outputs = outputs;
        self
    }

    /// Sets the row that is 0 before the first step.
    ///
    /// ```
    /// use trainspec::layer::{Init, Parameter, Role};
    ///
    /// let table = Parameter::new("weight", &[65, 8], Role::Embedding, Init::Ones).with_zero_row(0);
    /// assert_eq!(table.zero_row, Some(0));
    /// ```
    #[must_use]
    pub fn with_zero_row(mut self, row: usize) -> Self {
        self.zero_row = Some(row);
        self
    }

    /// Sets its name in files for PyTorch and candle. Its axes must be those of PyTorch's layer, in the same order:
    /// tensors are copied between files unchanged.
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
