//! Advice, and what a check found, as text.

use std::fmt::{Display, Formatter};

use crate::experiment::Check;
use crate::format::{bytes, plain};
use crate::keys::Finding;

/// Advice below each other.
pub(super) struct Advised<'a>(pub(super) &'a [Finding]);

impl Display for Advised<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for Finding { advice, found, why, instead, reference } in self.0 {
            writeln!(f, "advice: {advice:?}: {found}")?;
            writeln!(f, "  why      {why} ({reference})")?;
            writeln!(f, "  instead  {instead}")?;
            writeln!(f, "  or else  `allow: [Advice::{advice:?}]`")?;
        }
        Ok(())
    }
}

/// What a check found, below the head of the run.
pub(super) struct Checked<'a>(pub(super) &'a Check);

impl Display for Checked<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Check { memory, available, advice, notices, .. } = self.0;
        write!(f, "{} of memory", bytes(memory.total()))?;
        if let Some(available) = available {
            write!(f, ", of {} that the system has", bytes(*available))?;
        }
        for notice in notices {
            write!(f, "\n\nnote: {}", plain(notice, usize::MAX))?;
        }
        match advice.as_slice() {
            [] => writeln!(f, "\n\nnothing is wrong, and there is no advice"),
            advice => write!(f, "\n\n{}\nnothing is wrong\n", Advised(advice)),
        }
    }
}
