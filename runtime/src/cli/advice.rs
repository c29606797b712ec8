//! Formats advice and the result of a check.

use std::fmt::{Display, Formatter};

use crate::experiment::Check;
use crate::format::{bytes, plain};
use crate::keys::Finding;

/// A list of advice.
pub(super) struct Advised<'a>(pub(super) &'a [Finding]);

impl Display for Advised<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for Finding { advice, found, why, instead, reference } in self.0 {
            writeln!(f, "advice: {advice:?}: {found}")?;
            writeln!(f, "  why      {why} ({reference})")?;
            writeln!(f, "  instead  {instead}")?;
            writeln!(f, "  or       `allow: [Advice::{advice:?}]`")?;
        }
        Ok(())
    }
}

/// The result of a check, below the head of the run.
pub(super) struct Checked<'a>(pub(super) &'a Check);

impl Display for Checked<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Check { memory, available, advice, notices, .. } = self.0;
        write!(f, "needs {} of memory", bytes(memory.total()))?;
        if let Some(available) = available {
            write!(f, "; {} are available", bytes(*available))?;
        }
        for notice in notices {
            write!(f, "\n\nnote: {}", plain(notice, usize::MAX))?;
        }
        match advice.as_slice() {
            [] => writeln!(f, "\n\nno errors, no advice"),
            advice => write!(f, "\n\n{}\nno errors\n", Advised(advice)),
        }
    }
}
