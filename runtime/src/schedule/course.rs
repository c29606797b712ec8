//! How phases share the length of a run.

use crate::shape::{CheckError, CheckResult};

/// A run as its phases use it up: in steps, or in epochs where nobody knows yet how many steps an epoch has.
#[derive(Clone, Copy)]
pub(crate) struct Course {
    total: u64,
    unit: &'static str,
    used: u64,
    /// Whether a phase before took something that cannot be counted in this unit.
    more: bool,
    phases: usize,
}

/// A phase's length in the unit of the course.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    Units(u64),
    /// All that remain.
    Rest,
    /// More than nothing.
    Unknown,
}

impl Course {
    /// A run of so many `unit`s, of which nothing is used.
    pub(crate) const fn of(total: u64, unit: &'static str) -> Self {
        Self { total, unit, used: 0, more: false, phases: 0 }
    }

    /// What it is counted in.
    pub(crate) const fn unit(self) -> &'static str {
        self.unit
    }

    /// How much the phases so far use.
    pub(crate) const fn used(self) -> u64 {
        self.used
    }

    /// The course behind one more phase; a phase whose name is not known has an empty one.
    ///
    /// # Errors
    /// If the phases need more than the run has, end before it, leave nothing for a phase without length, or a
    /// phase that is not the last has no length.
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
                    .text("`, has no length, but another follows; give it `steps` or `epochs`"));
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
                .text("; let the last phase have no length, or add `Constant` to stay at its rate"));
        }
        Ok(Self { total, unit, used: end, more, phases: number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of phases in a run of ten epochs.
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
    fn what_is_not_known_is_not_guessed() {
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
