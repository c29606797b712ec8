//! What a declared model is.

use std::path::Path;

use crate::config::Config;
use crate::error::Result;
use crate::graph::{Graph, Module};
use crate::shape::{InputKind, Kind};
use crate::trained::Trained;

/// A model declared with [`#[model]`](macro@crate::model).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "expected a model: a function under `#[model]`"
)]
pub trait Model: Module {
    /// What the model takes; a tuple of kinds if it takes several values.
    type Input;
    /// What the model gives.
    type Output: Kind;

    /// The graph of the model with its default keys.
    ///
    /// # Errors
    /// If a rule of the model does not hold, which the compiler says of a model in a `train!`.
    fn graph() -> Result<Graph>
    where
        Self::Input: InputKind,
    {
        Graph::of(&<Self as Config>::DEFAULT, &[<Self::Input as Kind>::SHAPE])
    }

    /// Reads a trained model.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    fn load(path: impl AsRef<Path>) -> Result<Trained<Self>>
    where
        Self::Input: InputKind,
    {
        Trained::load(path)
    }
}

/// The value of a required key in a model's `DEFAULT`. It is never read: a caller that leaves the key out is
/// refused.
#[diagnostic::on_unimplemented(
    message = "a key of the type `{Self}` must have a default",
    label = "write it before the key: `#[default(…)]`"
)]
pub trait Blank {
    /// Nothing of the kind: 0, `false`, a space.
    const BLANK: Self;
}

macro_rules! blank {
    ($($ty:ty = $value:expr),* $(,)?) => { $(
        #[diagnostic::do_not_recommend]
        impl Blank for $ty {
            const BLANK: Self = $value;
        }
    )* };
}

blank!(
    usize = 0,
    u8 = 0,
    u16 = 0,
    u32 = 0,
    u64 = 0,
    isize = 0,
    i8 = 0,
    i16 = 0,
    i32 = 0,
    i64 = 0,
    f32 = 0.0,
    f64 = 0.0,
    bool = false,
    char = ' ',
);
