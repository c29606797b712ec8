//! Writes to the disk in the background of a run's steps, one job at a time.

use std::thread::{Builder, JoinHandle};

use super::checkpoint_store::CheckpointStore;
use crate::error::{Error, Result};

/// The checkpoint store, or the thread that has it while it writes.
///
/// Dropping it waits for the thread, so no process releases a run folder while it still writes there.
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

    /// Runs work in the background, after any pending work.
    ///
    /// # Errors
    /// If the pending work failed, or no thread is available.
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

    /// Checks without waiting whether the work has ended.
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
        // An error was reported by an earlier wait, if the caller wanted it.
        let _ = self.wait();
    }
}

fn lost() -> Error {
    Error::Internal("the thread that writes checkpoints has stopped")
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

    /// The second job waits for the first, which waits for a message. Otherwise the test would hang, or see another order.
    #[test]
    fn background_writes_run_one_at_a_time_without_blocking() {
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
    fn background_error_is_returned_once() {
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
    fn background_panic_is_an_error() {
        let mut writer = writer();
        writer.start(|_| panic!("on purpose")).unwrap();
        let problem = writer.wait().unwrap_err().to_string();
        assert!(problem.contains("the thread that writes checkpoints has stopped"), "{problem}");
        assert!(writer.start(|_| Ok(())).is_err());
    }

    #[test]
    fn drop_waits_for_background_write() {
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
