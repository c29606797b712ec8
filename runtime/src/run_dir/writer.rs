//! What is written to the disk beside the steps of a run: one thing at a time.

use std::thread::{Builder, JoinHandle};

use super::checkpoint_store::CheckpointStore;
use crate::error::{Error, Result};

/// The shelf, or the thread that has it while it writes.
///
/// Dropped, it waits for the thread: no process gives a run folder free for another while it still writes there.
pub(super) struct Writer {
    state: State,
}

enum State {
    Idle(CheckpointStore),
    Busy(JoinHandle<(CheckpointStore, Result<()>)>),
    /// A thread could not be started, or has panicked.
    Lost,
}

impl Writer {
    pub(super) fn new(shelf: CheckpointStore) -> Self {
        Self { state: State::Idle(shelf) }
    }

    /// Does some work in the background, after what is under way.
    ///
    /// # Errors
    /// If what was under way has failed, or there is no thread to be had.
    pub(super) fn start(
        &mut self,
        work: impl FnOnce(&mut CheckpointStore) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.wait()?;
        let State::Idle(mut shelf) = std::mem::replace(&mut self.state, State::Lost) else {
            return Err(lost());
        };
        let path = shelf.path().to_owned();
        let thread = Builder::new().name("checkpoint".to_owned()).spawn(move || {
            let result = work(&mut shelf);
            (shelf, result)
        });
        self.state = State::Busy(thread.map_err(Error::file(path))?);
        Ok(())
    }

    /// Looks whether the work has ended, without waiting.
    ///
    /// # Errors
    /// If it has failed.
    pub(super) fn poll(&mut self) -> Result<()> {
        match &self.state {
            State::Busy(thread) if thread.is_finished() => self.wait().map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Waits until the work has ended.
    ///
    /// # Errors
    /// If it has failed.
    pub(super) fn wait(&mut self) -> Result<&mut CheckpointStore> {
        if let State::Busy(_) = self.state
            && let State::Busy(thread) = std::mem::replace(&mut self.state, State::Lost)
        {
            let (shelf, result) = thread.join().map_err(|_| lost())?;
            self.state = State::Idle(shelf);
            result?;
        }
        match &mut self.state {
            State::Idle(shelf) => Ok(shelf),
            State::Busy(_) | State::Lost => Err(lost()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever wants to know of an error has waited already.
        let _ = self.wait();
    }
}

fn lost() -> Error {
    Error::Internal("the thread that writes checkpoints is lost")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn writer() -> Writer {
        Writer::new(CheckpointStore::new("checkpoints".into(), 1))
    }

    fn fault() -> Error {
        Error::Dataset("no more".to_owned())
    }

    /// The second waits for the first, which waits for a word: were it not so, the test would not end, or in another order.
    #[test]
    fn there_is_one_at_a_time_and_whoever_starts_it_goes_on() {
        let (mut writer, (word, heard), (told, tale)) = (writer(), channel(), channel());
        let first = told.clone();
        let work = move |_: &mut CheckpointStore| {
            let _: Result<(), _> = heard.recv();
            let _ = first.send("first");
            Ok(())
        };
        writer.start(work).unwrap();
        writer.poll().unwrap();
        assert!(tale.try_recv().is_err(), "it is under way, and we are here");
        word.send(()).unwrap();
        let work = move |_: &mut CheckpointStore| {
            let _ = told.send("second");
            Ok(())
        };
        writer.start(work).unwrap();
        assert_eq!(tale.try_recv(), Ok("first"));
        writer.wait().unwrap();
        assert_eq!(tale.try_recv(), Ok("second"));
    }

    #[test]
    fn an_error_is_told_once_by_whoever_looks_next() {
        let mut writer = writer();
        writer.start(|_| Err(fault())).unwrap();
        assert!(writer.start(|_| Ok(())).is_err(), "the next one");
        writer.start(|_| Err(fault())).unwrap();
        assert!(writer.wait().is_err(), "the end");
        assert!(writer.wait().is_ok());
        writer.start(|_| Err(fault())).unwrap();
        let polled = std::iter::repeat_with(|| writer.poll()).take(10_000_000).find(Result::is_err);
        assert!(polled.is_some(), "a step");
    }

    #[test]
    fn a_panic_is_an_error() {
        let mut writer = writer();
        writer.start(|_| panic!("on purpose")).unwrap();
        let problem = writer.wait().unwrap_err().to_string();
        assert!(problem.contains("the thread that writes checkpoints is lost"), "{problem}");
        assert!(writer.start(|_| Ok(())).is_err());
    }

    #[test]
    fn the_end_waits() {
        let (told, tale) = channel();
        let mut writer = writer();
        let work = move |_: &mut CheckpointStore| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let _ = told.send(());
            Ok(())
        };
        writer.start(work).unwrap();
        drop(writer);
        assert_eq!(tale.try_recv(), Ok(()));
    }
}
