//! Shapes of values for one sample, known at compile time.
//!
//! [`Shape`] and its arithmetic are `const`, so that the macros can trace a model through its layers
//! in `cargo check`; [`kinds`] are the types of a model's inputs and outputs in its signature.

mod element;
mod few;
mod kind_list;
mod kinds;
mod ordinal;
mod text;

pub use element::{Element, Elements, Numbers};
pub use few::Few;
pub use kind_list::{InputKinds, Kinds, OutputKinds};
pub use kinds::{
    Class, ClassMap, Embeddings, Features, Gaussians, Image, InputKind, Kind, Labels, LogProbabilities,
    LogitMap, Logits, OutputKind, Probabilities, Series, TokenLogits, Tokens, Values,
};
pub(crate) use ordinal::ordinal;
pub use text::{CheckError, CheckResult};
pub(crate) use text::{contains, same_text};

/// The shape of one value for one sample, without the batch axis, and its element type.
///
/// ```
/// use trainspec::Shape;
///
/// const IMAGE: Shape = Shape::of(&[3, 32, 32]);
/// assert_eq!(IMAGE.elements(), 3072);
/// assert_eq!(IMAGE.axis(0), 3);
/// ```
#[derive(Clone, Copy, Debug, Eq)]
pub struct Shape {
    axes: [usize; Self::MAX_RANK],
    rank: usize,
    vocabulary: usize,
    least_batch: usize,
    asked_by: &'static str,
    parameters: u64,
}

impl PartialEq for Shape {
    /// The same axes, element type and batch requirement. The parameters of the model that returns it are no part of a shape.
    fn eq(&self, other: &Self) -> bool {
        let batch = |shape: &Self| (shape.least_batch, shape.asked_by);
        self.same(*other) && batch(self) == batch(other)
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl Shape {
    /// The maximum number of axes, not counting the batch axis.
    pub const MAX_RANK: usize = 5;
    /// An axis of any length, in the shape that a kind requires.
    pub const ANY: usize = usize::MAX;
    /// An unknown shape: the value comes from outside, or follows an error.
    pub const UNKNOWN: Self = Self { axes: [0; Self::MAX_RANK], rank: usize::MAX, ..Self::NUMBER };
    /// One real number.
    const NUMBER: Self = Self {
        axes: [0; Self::MAX_RANK],
        rank: 0,
        vocabulary: 0,
        least_batch: 1,
        asked_by: "",
        parameters: Self::NO_PARAMETERS,
    };
    /// The fingerprint of no parameters.
    pub(crate) const NO_PARAMETERS: u64 = 0;

    /// Real numbers along these axes; `&[]` is a scalar. With more than [`Shape::MAX_RANK`] axes it is
    /// [`Shape::UNKNOWN`].
    #[must_use]
    pub const fn of(axes: &[usize]) -> Self {
        if axes.len() > Self::MAX_RANK {
            return Self::UNKNOWN;
        }
        let mut shape = Self { rank: axes.len(), ..Self::NUMBER };
        let mut i = 0;
        while i < axes.len() {
            shape.axes[i] = axes[i];
            i += 1;
        }
        shape
    }

    /// `length` integers, each below `vocabulary`.
    #[must_use]
    pub const fn tokens(vocabulary: usize, length: usize) -> Self {
        let mut shape = Self::of(&[length]);
        shape.vocabulary = vocabulary;
        shape
    }

    /// The number of axes.
    #[must_use]
    pub const fn rank(self) -> usize {
        if self.is_unknown() { 0 } else { self.rank }
    }

    /// The length of axis `i`.
    ///
    /// # Panics
    /// If the shape has no axis `i`.
    #[must_use]
    pub const fn axis(self, i: usize) -> usize {
        assert!(i < self.rank, "axis out of range for this shape");
        self.axes[i]
    }

    /// The length of the last axis; 1 for a scalar.
    #[must_use]
    pub const fn last(self) -> usize {
        if self.rank() == 0 { 1 } else { self.axes[self.rank - 1] }
    }

    /// The same shape with another length of axis `i`.
    ///
    /// # Panics
    /// If the shape has no axis `i`.
    #[must_use]
    pub const fn with_axis(mut self, i: usize, length: usize) -> Self {
        assert!(i < self.rank, "axis out of range for this shape");
        self.axes[i] = length;
        self
    }

    /// The same shape with another length of the last axis; a scalar gets one axis.
    #[must_use]
    pub const fn with_last(self, length: usize) -> Self {
        if self.rank() == 0 { Self::of(&[length]) } else { self.with_axis(self.rank - 1, length) }
    }

    /// The axes, first to last.
    #[must_use]
    pub const fn axes(&self) -> &[usize] {
        self.axes.split_at(self.rank()).0
    }

    /// The number of elements of a sample; at most `usize::MAX`.
    #[must_use]
    pub const fn elements(self) -> usize {
        let mut product = 1_usize;
        let mut i = 0;
        while i < self.rank() {
            product = product.saturating_mul(self.axes[i]);
            i += 1;
        }
        product
    }

    /// One integer below `classes`.
    #[must_use]
    pub const fn class(classes: usize) -> Self {
        let mut shape = Self::of(&[]);
        shape.vocabulary = classes;
        shape
    }

    /// One integer below `classes` for each pixel.
    #[must_use]
    pub const fn class_map(classes: usize, height: usize, width: usize) -> Self {
        let mut shape = Self::of(&[height, width]);
        shape.vocabulary = classes;
        shape
    }

    /// The number of different tokens or classes, or `None` if the values are real numbers.
    #[must_use]
    pub const fn vocabulary(self) -> Option<usize> {
        if self.vocabulary == 0 { None } else { Some(self.vocabulary) }
    }

    /// The same shape of a value that needs at least this many samples at once for training, such as a batch norm with one
    /// element per channel. A layer reports this with the shape of its output; it is not a part of the shape itself.
    #[must_use]
    pub const fn for_batches_of(self, samples: usize) -> Self {
        Self { least_batch: samples, ..self }
    }

    /// [`Shape::for_batches_of`]; 1 by default.
    #[must_use]
    pub const fn least_batch(self) -> usize {
        self.least_batch
    }

    /// The layer that requires this.
    pub(crate) const fn asked_by(self) -> &'static str {
        self.asked_by
    }

    /// The same with the layer that requires this, if it is not known yet.
    pub(crate) const fn asked(self, layer: &'static str) -> Self {
        if self.asked_by.is_empty() { Self { asked_by: layer, ..self } } else { self }
    }

    /// The same with the fingerprint of the shapes of the parameters of the model that returns it.
    pub(crate) const fn with_parameters(self, parameters: u64) -> Self {
        Self { parameters, ..self }
    }

    /// This fingerprint.
    pub(crate) const fn parameters(self) -> u64 {
        self.parameters
    }

    /// The shape alone, without the batch requirement and the fingerprint.
    pub(crate) const fn bare(self) -> Self {
        Self { least_batch: 1, asked_by: "", parameters: Self::NO_PARAMETERS, ..self }
    }

    /// Whether the shape is unknown.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        self.rank == usize::MAX
    }

    /// Whether both have the same axes and the same element type (`==` in const code).
    #[must_use]
    pub const fn same(self, other: Self) -> bool {
        self.vocabulary == other.vocabulary && self.matches(other)
    }

    /// Whether the axes match `pattern`, in which an axis may be [`Shape::ANY`].
    #[must_use]
    pub const fn matches(self, pattern: Self) -> bool {
        if self.rank != pattern.rank {
            return false;
        }
        let mut i = 0;
        while i < self.rank() {
            if pattern.axes[i] != Self::ANY && self.axes[i] != pattern.axes[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Checks the input of a layer that computes with real numbers.
    ///
    /// # Errors
    /// If the values are tokens.
    pub const fn reals(self) -> CheckResult {
        match self.vocabulary() {
            None => Ok(()),
            Some(_) => Err(CheckError::new("the input ")
                .shape(self)
                .text(" holds token ids; put `embedding` before it")),
        }
    }

    /// Checks the input of a layer that needs real numbers along `rank` axes, which `meaning` describes.
    ///
    /// # Errors
    /// If the values are tokens or have another rank.
    pub const fn reals_of_rank(self, rank: usize, meaning: &str) -> CheckResult {
        match self.reals() {
            Err(problem) => Err(problem),
            Ok(()) if self.rank() != rank => {
                Err(CheckError::new("the input is ").shape(self).text("; expected ").text(meaning))
            }
            Ok(()) => Ok(()),
        }
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(CheckError::new("").shape(*self).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_pattern_matches_any_length_only_at_any() {
        let pattern = Shape::of(&[Shape::ANY, 65]);
        assert!(Shape::of(&[128, 65]).matches(pattern));
        assert!(!Shape::of(&[128, 64]).matches(pattern));
        assert!(!Shape::of(&[65]).matches(pattern));
    }

    #[test]
    fn element_count_saturates() {
        assert_eq!(Shape::of(&[]).elements(), 1);
        assert_eq!(Shape::of(&[3, 4]).elements(), 12);
        assert_eq!(Shape::of(&[usize::MAX - 1, 4]).elements(), usize::MAX);
    }

    #[test]
    fn token_shape_does_not_match_real_shape() {
        assert!(Shape::of(&[4]).reals().is_ok());
        assert!(Shape::tokens(65, 4).reals().is_err());
        assert!(!Shape::of(&[4]).same(Shape::tokens(65, 4)));
    }
}
