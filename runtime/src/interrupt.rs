//! A run that is asked to end before its end.

use std::cell::RefCell;
use std::fmt::{Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks a run to end as soon as it can without a loss: a handle that its clones share.
///
/// A run looks at it before every micro-batch, in evaluations, and while data are read. A window of micro-batches that is not
/// whole is dropped, so no step is half taken; then the state is shown to the observer as
/// [`Event::Interrupt`](crate::trainer::Event::Interrupt), which a run folder saves whether or not the spec has `checkpoint`, and the
/// run ends with [`Exit::Interrupted`](crate::trainer::Exit::Interrupted). Resumed, it goes on with the same bits as if nothing had
/// been. What has not begun yet, or has no state (a search, an evaluation), ends with [`Error::Interrupted`](crate::Error::Interrupted).
///
/// A request stays: a handle is for one run, or for several that are to end together. The generated program's command line
/// requests it on SIGINT (Ctrl-C), SIGTERM and SIGHUP; a library call listens to no signal.
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
    /// 0, or what has requested it.
    cause: Arc<AtomicUsize>,
}

/// What has interrupted a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The program, by [`Interrupt::request`].
    Request,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGINT: Ctrl-C.
    Keyboard,
    /// SIGTERM: the system, or a scheduler, wants the process to end.
    Termination,
}

impl Cause {
    /// The exit code that a program ends with by custom: 128 and the signal's number; 130 for [`Cause::Request`] too.
    #[must_use]
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Hangup => 129,
            Self::Keyboard | Self::Request => 130,
            Self::Termination => 143,
        }
    }

    /// As a handle holds it; never 0.
    pub(crate) const fn number(self) -> usize {
        match self {
            Self::Request => usize::MAX,
            Self::Hangup => 1,
            Self::Keyboard => 2,
            Self::Termination => 15,
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
    /// The handles of what this thread is opening data for, the last one innermost.
    static CURRENT: RefCell<Vec<Interrupt>> = const { RefCell::new(Vec::new()) };
}

impl Interrupt {
    /// A handle that nothing has been requested of.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests the end; may be called from any thread, and more than once.
    pub fn request(&self) {
        // What came first is what the run is said to have ended of.
        let _ = self.cause.compare_exchange(0, Cause::Request.number(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What has requested the end, if anything has.
    #[must_use]
    pub fn requested(&self) -> Option<Cause> {
        match self.cause.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Cause::Hangup),
            2 => Some(Cause::Keyboard),
            15 => Some(Cause::Termination),
            _ => Some(Cause::Request),
        }
    }

    /// For whoever works on for long: an error once the end is requested.
    ///
    /// # Errors
    /// The cause, which `?` turns into [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn check(&self) -> Result<(), Cause> {
        self.requested().map_or(Ok(()), Err)
    }

    /// The handle of the run that this thread opens data for; outside of that, one that nobody requests.
    ///
    /// A data set that is long in the opening looks at it from time to time: `Interrupt::current().check()?`, as those of
    /// this crate do.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.with_borrow(|handles| handles.last().cloned()).unwrap_or_default()
    }

    /// Makes this the current handle while `work` is done.
    pub(crate) fn during<R>(&self, work: impl FnOnce() -> R) -> R {
        /// Also where `work` panics.
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

    /// Where a signal handler leaves a [`Cause::number`].
    pub(crate) fn cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_the_one_that_counts() {
        let interrupt = Interrupt::new();
        assert!(interrupt.requested().is_none() && interrupt.check().is_ok());
        interrupt.cell().store(Cause::Termination.number(), Ordering::Relaxed);
        interrupt.clone().request();
        assert_eq!(interrupt.requested(), Some(Cause::Termination));
        assert_eq!(interrupt.check(), Err(Cause::Termination));
    }

    #[test]
    fn every_cause_is_told_by_its_number() {
        for cause in [Cause::Request, Cause::Hangup, Cause::Keyboard, Cause::Termination] {
            let interrupt = Interrupt::new();
            interrupt.cell().store(cause.number(), Ordering::Relaxed);
            assert_eq!(interrupt.requested(), Some(cause));
        }
    }

    #[test]
    fn a_handle_is_current_while_its_work_is_done() {
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
