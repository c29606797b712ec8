//! Checks that data fit a model's input.

use crate::graph::Value;
use crate::shape::InputKind;

/// Implemented by the kinds that fit a model's input: the kind itself.
///
/// A bound of `train!`; it exists for its error message.
#[diagnostic::on_unimplemented(
    message = "the data provide `{Self}`, but the model expects `{Wanted}`",
    label = "these data do not fit the model",
    note = "change the type of the model's input, or choose other data"
)]
pub trait Fits<Wanted> {}

impl<K: InputKind> Fits<K> for K {}

/// A model with an input of any shape cannot be trained; the error is reported for the model, not for the data.
impl<K: InputKind> Fits<Value> for K {}

/// Neither can a model with several inputs.
impl<K: InputKind, A, B> Fits<(A, B)> for K {}
impl<K: InputKind, A, B, C> Fits<(A, B, C)> for K {}
