//! Checks the output of a model against its kind, when its graph is built.

use super::{Model, Trace, last_layer};
use crate::error::Result;
use crate::graph::{Scope, Value};
use crate::shape::{CheckResult, Kinds, Shape};

impl Scope<'_> {
    /// Checks that values have the output kinds that model `M` declares.
    ///
    /// # Errors
    /// If they do not. For a model in a `train!`, the compiler has already reported this.
    pub fn outputs_of<M: Model, const N: usize>(&self, values: [Value; N]) -> Result<Vec<Value>> {
        for (place, &value) in values.iter().enumerate() {
            let mut trace = Trace::QUIET;
            let shape = trace.output_of::<M>(place, value.shape());
            let verdict: CheckResult<Shape> = trace.finish(shape);
            verdict?;
            // The compiler sees the layers of the model itself, not those of the models that it calls.
            if let (Some(layer), Some(kind)) = (self.layer_of(value), <M::Output as Kinds>::NAMES.get(place))
            {
                last_layer(kind, layer.name(), layer.as_last())?;
            }
        }
        Ok(values.to_vec())
    }
}
