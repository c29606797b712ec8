//! The generated program's command line.

use crate::error::Result;
use crate::model::Model;
use crate::training::Training;

/// Runs the command line of a declared run.
pub fn main<M: Model>(training: Training<M>) -> Result<()> {
    training.run()?;
    Ok(())
}
