//! Reads from a pipe or a device, where opening or reading may block forever.
//!
//! A thread does the blocking reads, so that the reader can check whether a stop is requested. Once it is, the thread is left
//! blocked; it ends when its read returns, or with the process.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use crate::error::Error;
use crate::interrupt::Interrupt;

/// The size of one read.
const CHUNK: usize = 1 << 16;
/// How often a stop request is checked.
const PAUSE: Duration = Duration::from_millis(20);

/// The bytes of a pipe or device.
pub(super) struct Stream {
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// The newest chunk, and how much of it has been consumed.
    chunk: Vec<u8>,
    taken: usize,
    interrupt: Interrupt,
}

impl Stream {
    /// Opens it lazily, on the first read. Opening may wait for a writer.
    pub(super) fn open(path: PathBuf, interrupt: Interrupt) -> io::Result<Self> {
        // One chunk is read while another is processed.
        let (sender, chunks) = sync_channel(1);
        let read = move || {
            let mut file = match File::open(path) {
                Ok(file) => file,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match file.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let is_last = !matches!(read, Ok(1..));
                let chunk = read.map(|bytes| {
                    chunk.truncate(bytes);
                    chunk
                });
                // The receiver may be gone.
                if sender.send(chunk).is_err() || is_last {
                    return;
                }
            }
        };
        Builder::new().name("data".to_owned()).spawn(read)?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0, interrupt })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.chunk.len() {
            // Not as `ErrorKind::Interrupted`, after which a reader retries.
            self.interrupt.check().map_err(Error::from).map_err(io::Error::other)?;
            match self.chunks.recv_timeout(PAUSE) {
                Ok(chunk) => (self.chunk, self.taken) = (chunk?, 0),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.chunk.is_empty() {
                return Ok(0);
            }
        }
        let left = self.chunk.get(self.taken..).unwrap_or_default();
        let bytes = left.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&left[..bytes]);
        self.taken += bytes;
        Ok(bytes)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    fn pipe(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    fn cause(error: &io::Error) -> Option<&Error> {
        error.get_ref().and_then(|error| error.downcast_ref())
    }

    #[test]
    fn pipe_returns_written_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path(), "pipe");
        let bytes: Vec<u8> = (0..300_000_u32).map(|place| (place % 251) as u8).collect();
        let writer = std::thread::spawn({
            let (path, bytes) = (path.clone(), bytes.clone());
            move || {
                let mut file = File::options().write(true).open(path).unwrap();
                bytes.chunks(70_001).for_each(|part| file.write_all(part).unwrap());
            }
        });
        let mut read = Vec::new();
        Stream::open(path, Interrupt::new()).unwrap().read_to_end(&mut read).unwrap();
        writer.join().unwrap();
        assert!(read == bytes);
    }

    /// A pipe without a writer, and a pipe whose writer writes no more.
    #[test]
    fn waiting_for_pipe_stops_on_interruption() {
        let folder = tempfile::tempdir().unwrap();
        for (is_opened, name) in [(false, "without a writer"), (true, "with a writer")] {
            // One each: the thread of the first may still read when the second is written to.
            let path = pipe(folder.path(), name);
            let interrupt = Interrupt::new();
            let mut stream = Stream::open(path.clone(), interrupt.clone()).unwrap();
            let writer = is_opened.then(|| {
                let mut writer = File::options().write(true).open(&path).unwrap();
                writer.write_all(b"1,2").unwrap();
                stream.read_exact(&mut [0; 3]).unwrap();
                writer
            });
            std::thread::spawn({
                let interrupt = interrupt.clone();
                move || {
                    std::thread::sleep(Duration::from_millis(50));
                    interrupt.request();
                }
            });
            let began = Instant::now();
            let error = stream.read(&mut [0; 8]).unwrap_err();
            assert!(matches!(cause(&error), Some(Error::Interrupted(_))), "{error}");
            assert!(began.elapsed() < Duration::from_secs(20));
            // Provide what it waits for, so that the thread ends.
            drop(stream);
            drop(writer.unwrap_or_else(|| File::options().write(true).open(&path).unwrap()));
        }
    }

    #[test]
    fn open_error_matches_file_error() {
        let error =
            Stream::open("no-such-pipe".into(), Interrupt::new()).unwrap().read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
