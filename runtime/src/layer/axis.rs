//! The axes of parameters, as far as they are known in const evaluation.

use crate::shape::{Shape, same_text};

/// The axes of a layer's parameters by name: [`Layer::PARAMETERS`](super::Layer::PARAMETERS).
pub type ParameterAxes = &'static [(&'static str, &'static [Axis])];

/// What the length of a parameter's axis is equal to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The first axis of the layer's input: the channels of an image.
    FirstOfInput,
    /// The last axis of the input.
    LastOfInput,
    /// The vocabulary of the input.
    Vocabulary,
    /// The first axis of the output.
    FirstOfOutput,
    /// The last axis of the output.
    LastOfOutput,
    /// Another length, which depends on the layer's keys, and perhaps on the first or last axis of its input.
    Other,
}

impl Axis {
    /// Its length; `None` if only the layer knows it.
    pub(crate) const fn length(self, input: Shape, output: Shape) -> Option<usize> {
        let (shape, is_first) = match self {
            Self::FirstOfInput => (input, true),
            Self::LastOfInput => (input, false),
            Self::FirstOfOutput => (output, true),
            Self::LastOfOutput => (output, false),
            Self::Vocabulary => return input.vocabulary(),
            Self::Other => return None,
        };
        if shape.rank() == 0 {
            return None;
        }
        Some(if is_first { shape.axis(0) } else { shape.last() })
    }
}

/// The shape of the parameter `name`; unknown if only the layer knows it. `None` if there is no such parameter.
pub(crate) const fn shape_of(
    parameters: ParameterAxes,
    name: &str,
    input: Shape,
    output: Shape,
) -> Option<Shape> {
    let mut i = 0;
    while i < parameters.len() {
        let (parameter, axes) = parameters[i];
        if same_text(parameter, name) {
            let mut lengths = [0; Shape::MAX_RANK];
            let mut axis = 0;
            while axis < axes.len() {
                match axes[axis].length(input, output) {
                    Some(length) => lengths[axis] = length,
                    None => return Some(Shape::UNKNOWN),
                }
                axis += 1;
            }
            return Some(Shape::of(lengths.split_at(axes.len()).0));
        }
        i += 1;
    }
    None
}

/// A number that is different, with near certainty, for inputs that need parameters of other shapes.
pub(crate) const fn fingerprint(parameters: ParameterAxes, input: Shape, output: Shape) -> u64 {
    let mut hash = Shape::NO_PARAMETERS;
    let mut i = 0;
    while i < parameters.len() {
        let axes = parameters[i].1;
        let mut axis = 0;
        while axis < axes.len() {
            if let Some(length) = axes[axis].length(input, output) {
                hash = folded(hash, length as u64);
            }
            axis += 1;
        }
        i += 1;
    }
    hash
}

/// FNV-1a, by whole numbers.
pub(crate) const fn folded(hash: u64, number: u64) -> u64 {
    (hash ^ number ^ 0xcbf2_9ce4_8422_2325).wrapping_mul(0x0100_0000_01b3)
}
