//! What is known of an optimizer, for those who judge a run by it.

/// What the size of an optimizer's steps follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepSize {
    /// Something else, or nobody knows. The default.
    #[default]
    Other,
    /// The gradient is divided by the root of a second moment, or by its like.
    SecondMoment {
        /// Whether the first steps are held back while the second moment is an estimate from few gradients.
        rectified: bool,
    },
    /// Each number moves by the rate, by the sign of this step's gradient and nothing else.
    Sign,
}

/// The learning rates that are usual with an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRates {
    /// Below this hardly anything moves.
    pub lowest: f64,
    /// Above this training often diverges.
    pub highest: f64,
    /// Who says so.
    pub source: &'static str,
}
