//! What a model is made of, as a table.

use std::fmt::{Display, Formatter};

use super::Graph;

/// The layers of a graph with their shapes, parameters and work.
#[derive(Clone, Debug)]
pub struct Summary {}

impl Display for Summary {
    fn fmt(&self, _: &mut Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl Graph {}
