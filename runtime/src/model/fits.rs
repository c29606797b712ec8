//! Which inputs a model takes.

use crate::graph::Value;
use crate::shape::InputKind;

/// Says which inputs a model takes: its own kind.
///
/// A bound of `train!`; it exists for its message.
#[diagnostic::on_unimplemented(
    message = "the data give `{Self}`, but the model takes `{Wanted}`",
    label = "these data do not fit the model",
    note = "change the type of the model's input, or choose other data"
)]
pub trait Fits<Wanted> {}

impl<K: InputKind> Fits<K> for K {}

/// A model over any value cannot be trained; that is said of the model, not of the data.
impl<K: InputKind> Fits<Value> for K {}

/// Nor can one over several values.
impl<K: InputKind, A, B> Fits<(A, B)> for K {}
impl<K: InputKind, A, B, C> Fits<(A, B, C)> for K {}
