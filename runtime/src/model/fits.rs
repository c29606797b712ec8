//! Checks that data fit a model's input.

use crate::graph::Value;
use crate::shape::InputKinds;

/// Implemented by the kinds that fit a model's inputs: the kinds themselves.
///
/// A bound of `train!`; it exists for its error message.
#[diagnostic::on_unimplemented(
    message = "the data provide `{Self}`, but the model expects `{Wanted}`",
    label = "these data do not fit the model",
    note = "change the type of the model's input, or choose other data"
)]
pub trait Fits<Wanted> {}

impl<K: InputKinds> Fits<K> for K {}

/// A model with an input of any shape cannot be trained; the error is reported for the model, not for the data.
impl<K: InputKinds> Fits<Value> for K {}
impl<K: InputKinds, A> Fits<(Value, A)> for K {}
impl<K: InputKinds, A, B> Fits<(Value, A, B)> for K {}
