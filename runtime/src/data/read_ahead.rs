//! Reads the next batches on threads of its own while a step runs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder, Scope};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Reads numbered items in order: the windows of a run, the batches of an evaluation.
///
/// At first the caller's own thread reads. Once reading turns out to take time, several threads read the next items, and
/// [`ReadAhead::next`] returns them in order, so the threads change no result. Each thread holds at most two items.
pub(crate) struct ReadAhead<'scope, 'env, T> {
    scope: &'scope Scope<'scope, 'env>,
    read: Arc<Read<'scope, T>>,
    interrupt: &'env Interrupt,
    /// The number of the next item.
    next: u64,
    /// How many items there are, if it is known.
    end: Option<u64>,
    /// The bytes of an item.
    bytes: usize,
    readers: Vec<Receiver<thread::Result<Result<T>>>>,
    /// Whether the system has refused to start the threads.
    is_refused: bool,
    /// The number of the first item that the readers read.
    first: u64,
    waited: Duration,
    /// The longest wait for an item.
    longest: Duration,
    items: u32,
    began: Instant,
}

type Read<'scope, T> = dyn Fn(u64) -> Result<T> + Send + Sync + 'scope;

/// After so many items, threads may read ahead.
const FIRST: u32 = 4;

/// Threads read ahead if an item takes longer than this. A shorter time is not worth a handover between threads.
const SHORT: Duration = Duration::from_micros(100);

/// And if reading takes this share of the time.
const SHARE: f64 = 0.01;

/// The most bytes that are read ahead, if more than one thread reads.
const MOST: usize = 256 << 20;

impl<'scope, 'env, T: Send + 'scope> ReadAhead<'scope, 'env, T> {
    /// Reads the items from `next` on, of `bytes` bytes each. There are `end`, if it is known.
    pub(crate) fn new(
        scope: &'scope Scope<'scope, 'env>,
        interrupt: &'env Interrupt,
        items: std::ops::RangeFrom<u64>,
        end: Option<u64>,
        bytes: usize,
        read: impl Fn(u64) -> Result<T> + Send + Sync + 'scope,
    ) -> Self {
        Self {
            scope,
            read: Arc::new(read),
            interrupt,
            next: items.start,
            end,
            bytes,
            readers: Vec::new(),
            is_refused: false,
            first: 0,
            waited: Duration::ZERO,
            longest: Duration::ZERO,
            items: 0,
            began: Instant::now(),
        }
    }

    /// The time for which the caller waited so far, and the time since the start.
    pub(crate) fn times(&self) -> [Duration; 2] {
        [self.waited, self.began.elapsed()]
    }

    /// The number of threads that read ahead.
    pub(crate) fn threads(&self) -> usize {
        self.readers.len()
    }

    /// Returns the next item.
    ///
    /// # Errors
    /// If it cannot be read, or a stop is requested.
    pub(crate) fn next(&mut self) -> Result<T> {
        let item = self.timed(|this| match this.readers.len() as u64 {
            0 => (this.read)(this.next),
            readers => {
                // The items that were read before the request are not used.
                this.interrupt.check()?;
                let reader = this.readers.get(((this.next - this.first) % readers) as usize);
                match reader.and_then(|reader| reader.recv().ok()) {
                    Some(Ok(item)) => item,
                    // As if the caller's thread had read it.
                    Some(Err(panic)) => resume_unwind(panic),
                    None => Err(Error::Internal("a thread that reads data ended early")),
                }
            }
        })?;
        self.next += 1;
        if self.readers.is_empty() && self.is_slow() {
            self.start();
        }
        Ok(item)
    }

    fn timed<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let began = Instant::now();
        let result = work(self);
        let elapsed = began.elapsed();
        self.waited += elapsed;
        self.longest = self.longest.max(elapsed);
        self.items += 1;
        result
    }

    /// Whether reading takes so long that threads should read ahead.
    fn is_slow(&self) -> bool {
        let is_over = self.end.is_some_and(|end| end <= self.next);
        // Without the longest item: the thread may have been preempted, or a first item has been set up.
        let (waited, items) = (self.waited.saturating_sub(self.longest), self.items.saturating_sub(1));
        !is_over
            && !self.is_refused
            // The first items may take longer, such as those for which an order is drawn.
            && self.items >= FIRST
            && waited > SHORT * items
            && waited.as_secs_f64() > SHARE * self.began.elapsed().as_secs_f64()
    }

    /// Starts the threads. If the system has no more, the caller's thread reads.
    fn start(&mut self) {
        // More than the cores: a source may wait for a disk.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let fitting = (MOST / 2).checked_div(self.bytes).unwrap_or(usize::MAX);
        let count = (2 * cores).clamp(4, 16).min(fitting).max(1);
        let mut readers = Vec::with_capacity(count);
        for place in 0..count as u64 {
            let (sender, receiver) = sync_channel(1);
            let (read, end) = (Arc::clone(&self.read), self.end);
            let (from, step) = (self.next + place, count as u64);
            let work = move || read_all(&*read, (from, step, end), &sender);
            if Builder::new().name("data".to_owned()).spawn_scoped(self.scope, work).is_err() {
                // Those that were started end, since their receivers are dropped.
                self.is_refused = true;
                return;
            }
            readers.push(receiver);
        }
        (self.first, self.readers) = (self.next, readers);
    }
}

/// Reads each `step`th item until an error, a panic, the end, or until they are no longer received.
fn read_all<T>(
    read: &Read<'_, T>,
    (from, step, end): (u64, u64, Option<u64>),
    sender: &SyncSender<thread::Result<Result<T>>>,
) {
    let mut number = from;
    while end.is_none_or(|end| number < end) {
        let item = catch_unwind(AssertUnwindSafe(|| read(number)));
        let failed = !matches!(item, Ok(Ok(_)));
        if sender.send(item).is_err() || failed {
            return;
        }
        number += step;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn ahead<R>(
        interrupt: &Interrupt,
        end: Option<u64>,
        read: impl Fn(u64) -> Result<u64> + Send + Sync,
        work: impl for<'s, 'e> FnOnce(ReadAhead<'s, 'e, u64>) -> R,
    ) -> R {
        thread::scope(|scope| work(ReadAhead::new(scope, interrupt, 3.., end, 8, read)))
    }

    #[test]
    fn slow_items_are_read_ahead_in_order() {
        let interrupt = Interrupt::new();
        let slow = |number: u64| {
            thread::sleep(Duration::from_micros(300 + number % 3 * 700));
            Ok(number)
        };
        ahead(&interrupt, None, slow, |mut ahead| {
            for number in 3..40 {
                assert_eq!(ahead.next().unwrap(), number);
            }
            assert!(ahead.threads() >= 4);
        });
    }

    #[test]
    fn fast_items_need_no_threads() {
        let interrupt = Interrupt::new();
        ahead(&interrupt, Some(100), Ok, |mut ahead| {
            let items: Vec<u64> = (3..100).map(|_| ahead.next().unwrap()).collect();
            assert_eq!(items, (3..100).collect::<Vec<_>>());
            assert_eq!(ahead.threads(), 0);
        });
    }

    #[test]
    fn one_slow_item_needs_no_threads() {
        let interrupt = Interrupt::new();
        let once = |number: u64| {
            if number == 9 {
                thread::sleep(Duration::from_millis(20));
            }
            Ok(number)
        };
        ahead(&interrupt, None, once, |mut ahead| {
            for number in 3..40 {
                assert_eq!(ahead.next().unwrap(), number);
            }
            assert_eq!(ahead.threads(), 0);
        });
    }

    #[test]
    fn error_arrives_in_its_place_and_nothing_is_read_after_the_end() {
        let interrupt = Interrupt::new();
        let largest = AtomicU64::new(0);
        let slow = |number: u64| {
            thread::sleep(Duration::from_millis(1));
            largest.fetch_max(number, Ordering::Relaxed);
            if number == 20 { Err(Error::Internal("twenty")) } else { Ok(number) }
        };
        ahead(&interrupt, Some(22), slow, |mut ahead| {
            for number in 3..20 {
                assert_eq!(ahead.next().unwrap(), number);
            }
            assert!(ahead.next().unwrap_err().to_string().contains("twenty"));
        });
        assert!(largest.into_inner() < 22);
    }

    #[test]
    fn requested_stop_takes_effect_before_the_items_that_were_read() {
        let interrupt = Interrupt::new();
        let slow = |number: u64| {
            thread::sleep(Duration::from_millis(1));
            Ok(number)
        };
        ahead(&interrupt, None, slow, |mut ahead| {
            (0..10).for_each(|_| assert!(ahead.next().is_ok()));
            interrupt.request();
            assert!(matches!(ahead.next(), Err(Error::Interrupted(_))));
        });
    }

    /// With the message of the reader, and only where the item is used.
    #[test]
    fn panic_of_a_reader_arrives_in_its_place() {
        let interrupt = Interrupt::new();
        let slow = |number: u64| {
            thread::sleep(Duration::from_millis(1));
            assert!(number != 20, "on purpose");
            Ok(number)
        };
        ahead(&interrupt, None, slow, |mut ahead| {
            (3..15).for_each(|_| assert!(ahead.next().is_ok()));
        });
        ahead(&interrupt, None, slow, |mut ahead| {
            (3..20).for_each(|_| assert!(ahead.next().is_ok()));
            let panic = catch_unwind(AssertUnwindSafe(|| ahead.next())).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
        });
    }
}
