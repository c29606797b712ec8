//! Models: what `#[model]` declares, which data fit it, and how shapes are traced through it.

mod blank;
mod fits;
mod output;
mod sharing;
mod trace;

pub use blank::Blank;
pub use fits::Fits;
pub use sharing::FirstCall;
pub(crate) use trace::last_layer;
pub use trace::{Trace, alone, first_of, name_keys, named_outputs, silent, whole};

use crate::config::Config;
use crate::error::Result;
use crate::graph::{Graph, Module};
use crate::shape::{InputKinds, Kinds};

/// A model declared with [`#[model]`](macro@crate::model).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "expected a model: a function under `#[model]`"
)]
pub trait Model: Module {
    /// The kind of the model's input; a tuple of kinds if it has several inputs.
    type Input;
    /// The kind of the model's output; a tuple of kinds if it has several outputs.
    type Output: Kinds;

    /// The names of its const generics, which are fixed at compile time.
    const GENERICS: &'static [&'static str] = &[];

    /// The graph of the model with its default keys.
    ///
    /// # Errors
    /// If a check of the model fails. For a model in a `train!`, the compiler reports this.
    fn graph() -> Result<Graph>
    where
        Self::Input: InputKinds,
    {
        <Self as Config>::DEFAULT.graph_of()
    }

    /// The graph of the model with these keys: `Net { depth: 4 }.graph_of()`.
    ///
    /// # Errors
    /// If a check of the model fails.
    fn graph_of(&self) -> Result<Graph>
    where
        Self::Input: InputKinds,
    {
        Graph::of(self, <Self::Input as Kinds>::SHAPES)
    }
}
