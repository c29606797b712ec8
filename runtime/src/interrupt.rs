//! Stopping a run early.

use std::cell::RefCell;
use std::fmt::{Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A handle that stops a run as soon as its state can be saved. Its clones share one flag.
///
/// A run checks it before every micro-batch, in evaluations, and while data are read. An incomplete window of micro-batches
/// is dropped, so no step is partly applied. Then the observer receives the state as
/// [`Event::Interrupt`](crate::trainer::Event::Interrupt), which a run folder saves whether or not the spec has
/// `checkpoint`, and the
/// run exits with [`Exit::Interrupted`](crate::trainer::Exit::Interrupted). A resumed run computes the same bits as an
/// uninterrupted one. Work that has not started, or has no state (a search, an evaluation), returns
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// A request cannot be withdrawn: use one handle for one run, or for several that stop together. The command line of a
/// generated program requests it on SIGINT (Ctrl-C), SIGTERM and SIGHUP. Library calls do not handle signals.
///
/// ```
/// # use trainspec::prelude::*;
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// # train! {
/// #     Digits { model: Net, data: Digits8x8::embedded(), epochs: 1000 }
/// # }
/// use trainspec::interrupt::Interrupt;
/// use trainspec::trainer::{Event, Exit};
///
/// let interrupt = Interrupt::new();
/// let handle = interrupt.clone(); // for another thread, or, as here, an observer
/// let mut until = |event: &Event<'_>| {
///     if let Event::Step(report) = event && report.step == 3 {
///         handle.request();
///     }
///     Ok(())
/// };
/// let run = Digits::experiment().interrupted_by(&interrupt).without_folder().run_with(&mut until)?;
/// assert!(matches!(run.outcome.exit, Exit::Interrupted { .. }));
/// assert_eq!(run.outcome.steps, 3);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    /// 0, or the cause of the request.
    cause: Arc<AtomicUsize>,
}

/// What interrupted a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The program, by [`Interrupt::request`].
    Request,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGINT: Ctrl-C.
    Keyboard,
    /// SIGTERM: the system or a scheduler stops the process.
    Termination,
}

impl Cause {
    /// The conventional exit code of a program: 128 plus the signal's number, and 130 for [`Cause::Request`] too.
    #[must_use]
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Hangup => 129,
            Self::Keyboard | Self::Request => 130,
            Self::Termination => 143,
        }
    }

    /// The value that a handle stores; never 0.
    pub(crate) const fn number(self) -> usize {
        match self {
            Self::Request => usize::MAX,
            Self::Hangup => 1,
            Self::Keyboard => 2,
            Self::Termination => 15,
        }
    }

    /// The cause with this [`Cause::number`]; `None` for 0.
    pub(crate) const fn of_number(number: usize) -> Option<Self> {
        match number {
            0 => None,
            1 => Some(Self::Hangup),
            2 => Some(Self::Keyboard),
            15 => Some(Self::Termination),
            _ => Some(Self::Request),
        }
    }
}

impl std::error::Error for Cause {}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Request => "the program",
            Self::Hangup => "SIGHUP",
            Self::Keyboard => "SIGINT",
            Self::Termination => "SIGTERM",
        })
    }
}

thread_local! {
    /// The handles of the runs for which this thread opens data; the last one is the innermost.
    static CURRENT: RefCell<Vec<Interrupt>> = const { RefCell::new(Vec::new()) };
}

impl Interrupt {
    /// Creates a handle without a request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests a stop. May be called from any thread, and more than once.
    pub fn request(&self) {
        // The first cause is the one that is reported.
        let _ = self.cause.compare_exchange(0, Cause::Request.number(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The cause of the request, if there is one.
    #[must_use]
    pub fn requested(&self) -> Option<Cause> {
        Cause::of_number(self.cause.load(Ordering::Relaxed))
    }

    /// Returns an error once a stop is requested. For work that takes long.
    ///
    /// # Errors
    /// The cause, which `?` turns into [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn check(&self) -> Result<(), Cause> {
        self.requested().map_or(Ok(()), Err)
    }

    /// The handle of the run for which this thread opens data; elsewhere, a new handle without a request.
    ///
    /// A data set that takes long to open checks it from time to time with `Interrupt::current().check()?`, as the data
    /// sets of this crate do.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.with_borrow(|handles| handles.last().cloned()).unwrap_or_default()
    }

    /// Makes this the current handle while `work` runs.
    pub(crate) fn during<R>(&self, work: impl FnOnce() -> R) -> R {
        /// Removes the handle even if `work` panics.
        struct Entered;
        impl Drop for Entered {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(Vec::pop);
            }
        }
        CURRENT.with_borrow_mut(|handles| handles.push(self.clone()));
        let _entered = Entered;
        work()
    }

    /// The cell in which a signal handler stores a [`Cause::number`].
    pub(crate) fn cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_interrupt_request_wins() {
        let interrupt = Interrupt::new();
        assert!(interrupt.requested().is_none() && interrupt.check().is_ok());
        interrupt.cell().store(Cause::Termination.number(), Ordering::Relaxed);
        interrupt.clone().request();
        assert_eq!(interrupt.requested(), Some(Cause::Termination));
        assert_eq!(interrupt.check(), Err(Cause::Termination));
    }

    #[test]
    fn every_cause_round_trips_through_its_number() {
        for cause in [Cause::Request, Cause::Hangup, Cause::Keyboard, Cause::Termination] {
            let interrupt = Interrupt::new();
            interrupt.cell().store(cause.number(), Ordering::Relaxed);
            assert_eq!(interrupt.requested(), Some(cause));
        }
    }

    #[test]
    fn handle_is_current_during_its_work() {
        let (outer, inner) = (Interrupt::new(), Interrupt::new());
        inner.request();
        outer.during(|| {
            assert!(inner.during(|| Interrupt::current().check()).is_err());
            assert!(Interrupt::current().check().is_ok());
            outer.request();
            assert!(Interrupt::current().check().is_err());
        });
        assert!(Interrupt::current().check().is_ok());
    }
}
