//! The compiler's message where a table is used as data before it was read.

use super::Csv;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kinds};

/// A table with known kinds. It is never implemented: [`Csv::read`] returns another type, which has them.
///
/// The lifetime makes rustc accept a bound that never holds.
#[diagnostic::on_unimplemented(
    message = "the table has not been read, so its kinds are not known",
    label = "add `.read::<Features<4>, Class<3>>()`, with the kinds of its inputs and targets",
    note = "`Features<4>` is four columns of numbers, `Class<3>` one column that holds the class of a sample: 0, 1 or 2"
)]
pub trait ReadTable<'a> {
    /// The kind of the inputs.
    type Input: InputKind;
    /// The kind of the targets.
    type Target: TargetKind;
}

#[doc(hidden)]
impl Dataset for Csv
where
    for<'a> Self: ReadTable<'a>,
{
    type Input = <Self as ReadTable<'static>>::Input;
    type Target = <Self as ReadTable<'static>>::Target;

    fn len(&self) -> usize {
        0
    }

    fn sample(
        &self,
        _: usize,
        _: <Self::Input as Kinds>::Row<'_>,
        _: <Self::Target as Kinds>::Row<'_>,
    ) -> Result<()> {
        Err(Error::Internal("a table that has not been read has no samples"))
    }
}
