//! Checks the output of a model against its kind, when its graph is built.

use super::{Model, Trace, last_layer};
use crate::error::Result;
use crate::graph::{Scope, Value};
use crate::shape::{CheckResult, Kind, Shape};

impl Scope<'_> {
    /// Checks that a value has the output kind that model `M` declares.
    ///
    /// # Errors
    /// If it is not.
    pub fn output_of<M: Model>(&self, value: Value) -> Result<Value> {
        self.output::<M::Output>(value)
    }

    /// Checks that a value is of kind `K`.
    ///
    /// # Errors
    /// If it is not. For a model in a `train!`, the compiler has already reported this.
    pub fn output<K: Kind>(&self, value: Value) -> Result<Value> {
        let mut trace = Trace::QUIET;
        let shape = trace.output::<K>(value.shape());
        let verdict: CheckResult<Shape> = trace.finish(shape);
        verdict?;
        // The compiler sees the layers of the model itself, not those of the models that it calls.
        if let Some(layer) = self.layer_of(value) {
            last_layer(K::NAME, layer)?;
        }
        Ok(value)
    }
}
