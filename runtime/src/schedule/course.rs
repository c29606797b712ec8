//! How phases divide the length of a run.

use crate::shape::{CheckError, CheckResult};

/// The length of a run and how much of it the phases use: in steps, or in epochs while the steps of an epoch are unknown.
#[derive(Clone, Copy)]
pub(crate) struct Course {
    total: u64,
    unit: &'static str,
    used: u64,
    /// Whether an earlier phase has a length that cannot be converted to this unit.
    more: bool,
    phases: usize,
}

/// The length of a phase in the unit of the course.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    Units(u64),
    /// All remaining steps.
    Rest,
    /// An unknown length above 0.
    Unknown,
}

impl Course {
    /// Creates a run of this length in `unit`s, of which nothing is used.
    pub(crate) const fn of(total: u64, unit: &'static str) -> Self {
        Self { total, unit, used: 0, more: false, phases: 0 }
    }

    /// Returns the unit.
    pub(crate) const fn unit(self) -> &'static str {
        self.unit
    }

    /// Returns how much the phases so far use.
    pub(crate) const fn used(self) -> u64 {
        self.used
    }

    /// Adds one more phase; pass an empty name if it is unknown.
    ///
    /// # Errors
    /// If the phases need more than the run has, end before its end, or leave nothing for a phase without a length, or if a
    /// phase other than the last has no length.
    pub(crate) const fn then(self, name: &str, taken: Taken, is_last: bool) -> CheckResult<Self> {
        let Self { total, unit, used, more, phases } = self;
        let number = phases + 1;
        let (own, more) = match taken {
            Taken::Units(own) => (own, more),
            Taken::Rest if is_last => (total.saturating_sub(used), more),
            Taken::Rest => {
                return Err(CheckError::new("phase ")
                    .number(number)
                    .text(", `")
                    .text(name)
                    .text("`, has no length, but another phase follows; set its `steps` or `epochs`"));
            }
            Taken::Unknown => (0, true),
        };
        let end = used.saturating_add(own);
        let lacks = match taken {
            Taken::Units(_) => own == 0 || end > total || more && end >= total,
            Taken::Rest => own == 0,
            Taken::Unknown => end >= total,
        };
        if lacks {
            let problem = CheckError::new("the phases up to ");
            let problem = if name.is_empty() {
                problem.text("number ").number(number)
            } else {
                problem.text("`").text(name).text("`")
            };
            let problem = problem.text(if more { " need more than " } else { " need " });
            return Err(problem
                .number((if !more && own == 0 { end.saturating_add(1) } else { end }) as usize)
                .text(" ")
                .text(unit)
                .text(", but the run has ")
                .number(total as usize)
                .text("; shorten them or train longer"));
        }
        if is_last && end < total && !more {
            return Err(CheckError::new("the phases end after ")
                .number(end as usize)
                .text(" ")
                .text(unit)
                .text(", but the run has ")
                .number(total as usize)
                .text("; remove the length of the last phase, or add `Constant` to keep its learning rate"));
        }
        Ok(Self { total, unit, used: end, more, phases: number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error for phases in a run of ten epochs.
    fn said(phases: &[Taken]) -> Option<String> {
        let mut course = Course::of(10, "epochs");
        for (place, &taken) in phases.iter().enumerate() {
            match course.then("Step", taken, place + 1 == phases.len()) {
                Ok(then) => course = then,
                Err(problem) => return Some(problem.to_string()),
            }
        }
        None
    }

    #[test]
    fn unknown_phase_length_is_not_assumed() {
        use Taken::{Rest, Units, Unknown};
        for fine in [
            &[Units(10)][..],
            &[Units(4), Units(6)],
            &[Units(9), Rest],
            &[Unknown],
            &[Unknown, Units(9)],
            &[Unknown, Units(9), Unknown],
            &[Unknown, Rest],
        ] {
            assert_eq!(said(fine), None);
        }
        for (wrong, words) in [
            (&[Units(11)][..], "up to `Step` need 11 epochs, but the run has 10;"),
            (&[Units(10), Rest], "need 11 epochs"),
            (&[Units(4), Units(5)], "the phases end after 9 epochs, but the run has 10;"),
            (&[Rest, Units(4)], "phase 1, `Step`, has no length"),
            (&[Unknown, Units(10)], "need more than 10 epochs"),
            (&[Units(10), Unknown], "need more than 10 epochs"),
            (&[Units(u64::MAX), Units(9)], "epochs, but the run has 10"),
        ] {
            let said = said(wrong).expect("it is refused");
            assert!(said.contains(words), "`{words}` is not in: {said}");
        }
    }
}
