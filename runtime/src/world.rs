//! The processes of a run.
//!
//! Several processes can train one model: each computes some of a step's micro-batches, and all take the same step. What assumes that
//! there is one process goes through a [`World`]: which micro-batches and samples a process computes, their numbers in random
//! streams, the sums over all micro-batches, whether to stop, and which process reports and writes.
//!
//! # The law
//! The result of a run does not depend on the number of its processes. Process `r` of `n` computes the micro-batches
//! `r`, `r + n`, `r + 2 n`, … of a window, and the same ones of an evaluation. In each round of `n` micro-batches the processes exchange
//! what they computed, and every process adds it in the order of the micro-batches. So all processes have the same
//! parameters, optimizer state and totals after each step, and decide the same.
//!
//! The planned engine follows the law up to rounding: within one process, the gradient of a weight with more than 256
//! terms per micro-batch is added to the window's sum in several parts, and over several processes in one. With one micro-batch
//! per step there is no difference.
//!
//! # Transports
//! A [`Transport`] connects the processes. This crate has none; a program without one is the only process of its world. An implementation
//! for MPI is one type: [`rank`](Transport::rank) and [`size`](Transport::size) of the communicator,
//! [`gather`](Transport::gather) as `MPI_Allgatherv`, [`add_in_order`](Transport::add_in_order) as `MPI_Alltoall` of slices, a sum of each slice in the
//! order of ranks, and `MPI_Allgather`. `MPI_Allreduce` does not promise an order. Each process opens the data and writes nothing to
//! them; the run folder is on a file system that all processes can read.

use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::interrupt::Cause;

/// Connects the processes of a [`World`]. All processes call the same methods in the same order.
pub trait Transport: Send + Sync {
    /// Returns the number of this process, from 0.
    fn rank(&self) -> usize;

    /// Returns the number of processes, at least 1.
    fn size(&self) -> usize;

    /// Sends bytes to every process, and returns those of every process in the order of their ranks. The lengths may
    /// differ.
    ///
    /// # Errors
    /// If a process cannot be reached, or has left the world: a process that stops with an error no longer calls the
    /// transport, and the others must not wait for it.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// Adds the values of each process to `total`, which is the same on every process, element by element in the order of
    /// the ranks: `((total + first) + second) + …`, each sum rounded to f32. A process without values adds nothing.
    ///
    /// # Errors
    /// As [`Transport::gather`].
    fn add_in_order(&self, total: &mut [f32], own: Option<&[f32]>) -> Result<()> {
        let own: Vec<u8> = own.unwrap_or_default().iter().flat_map(|value| value.to_le_bytes()).collect();
        for values in self.gather(&own)? {
            let (values, _) = values.as_chunks::<4>();
            for (total, value) in total.iter_mut().zip(values) {
                *total += f32::from_le_bytes(*value);
            }
        }
        Ok(())
    }
}

/// The processes of a run, and which of them this one is.
#[derive(Clone, Default)]
pub struct World {
    /// `None` if there is only this process.
    transport: Option<Arc<dyn Transport>>,
}

impl Debug for World {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("rank", &self.rank()).field("size", &self.size()).finish()
    }
}

impl World {
    /// The world of one process.
    #[must_use]
    pub const fn single() -> Self {
        Self { transport: None }
    }

    /// The world of the processes that a transport connects.
    #[must_use]
    pub fn of(transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport) }
    }

    /// Returns the number of this process, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.transport.as_ref().map_or(0, |transport| transport.rank())
    }

    /// Returns the number of processes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.transport.as_ref().map_or(1, |transport| transport.size().max(1))
    }

    /// Returns whether this is the only process.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.size() == 1
    }

    /// Returns whether this process reports events, writes the run folder and prints.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Returns those of all micro-batches that this process computes.
    pub fn share<T>(&self, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        all.skip(self.rank()).step_by(self.size())
    }

    /// Returns the number within the step of the micro-batch that this process computes as its `own`th, from 0.
    #[must_use]
    pub fn micro_batch(&self, own: usize) -> u32 {
        (self.rank() + own * self.size()) as u32
    }

    /// Returns the largest count of any process.
    pub(crate) fn largest(&self, own: usize) -> Result<usize> {
        if self.is_single() {
            return Ok(own);
        }
        let counts = self.exchange(Ok(Some((own as u64).to_le_bytes().to_vec())))?;
        let count = |bytes: &Vec<u8>| bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Ok(counts.iter().flatten().map(count).max().unwrap_or(0) as usize)
    }

    /// Returns the result of this process if every process has one. Otherwise all return an error: a process that failed its
    /// own, the others that of the first process that failed or was interrupted.
    pub(crate) fn agree<T>(&self, own: Result<T>) -> Result<T> {
        if self.is_single() {
            return own;
        }
        match own {
            Ok(value) => self.exchange(Ok(None)).map(|_| value),
            Err(error) => Err(self.exchange(Err(error)).err().unwrap_or(LOST)),
        }
    }

    /// Runs `work` on one process after the other, on the first one last.
    pub(crate) fn in_turn<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (mut work, mut done) = (Some(work), None);
        for rank in (0..self.size()).rev() {
            let result =
                if rank == self.rank() { work.take().map(|work| work()).transpose() } else { Ok(None) };
            done = self.agree(result)?.or(done);
        }
        done.ok_or(LOST)
    }

    /// Sends this process's result to all, and returns the results of all in the order of ranks; `None` from a process that
    /// had nothing to compute. Errors are those of [`World::agree`].
    pub(crate) fn exchange(&self, own: Result<Option<Vec<u8>>>) -> Result<Vec<Option<Vec<u8>>>> {
        let Some(transport) = &self.transport else { return own.map(|own| vec![own]) };
        let message = match &own {
            Ok(None) => vec![NOTHING],
            Ok(Some(bytes)) => [&[VALUE], bytes.as_slice()].concat(),
            Err(Error::Interrupted(cause)) => [&[INTERRUPTED], &cause.number().to_le_bytes()[..]].concat(),
            Err(error) => [&[FAILED], error.to_string().as_bytes()].concat(),
        };
        let mut results = Vec::new();
        let mut failure = None;
        for (rank, message) in transport.gather(&message)?.into_iter().enumerate() {
            let (kind, bytes) = message.split_first().unwrap_or((&FAILED, &[]));
            results.push((*kind == VALUE).then(|| bytes.to_vec()));
            failure = failure.or_else(|| match *kind {
                NOTHING | VALUE => None,
                INTERRUPTED => {
                    let number = bytes.first_chunk().map_or(usize::MAX, |bytes| usize::from_le_bytes(*bytes));
                    Some(Error::Interrupted(Cause::of_number(number).unwrap_or(Cause::Request)))
                }
                _ => Some(Error::Process { rank, problem: String::from_utf8_lossy(bytes).into_owned() }),
            });
        }
        match (own, failure) {
            (Ok(_), None) => Ok(results),
            (Err(own), None) => Err(own),
            // The error itself says more than its text.
            (Err(own), Some(Error::Process { .. })) if !matches!(own, Error::Interrupted(_)) => Err(own),
            (_, Some(failure)) => Err(failure),
        }
    }

    /// Adds the values of each process to `total` in the order of ranks: [`Transport::add_in_order`].
    pub(crate) fn add_in_order(&self, total: &mut [f32], own: Option<&[f32]>) -> Result<()> {
        match (&self.transport, own) {
            (Some(transport), _) => transport.add_in_order(total, own)?,
            (None, Some(own)) => total.iter_mut().zip(own).for_each(|(total, own)| *total += own),
            (None, None) => {}
        }
        Ok(())
    }
}

const LOST: Error = Error::Internal("a process lost its own result");

/// The first byte of a message: what a process contributes.
const NOTHING: u8 = 0;
const VALUE: u8 = 1;
const INTERRUPTED: u8 = 2;
const FAILED: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as two processes that always send the same; this one is the second.
    struct Other(Vec<u8>);

    impl Transport for Other {
        fn rank(&self) -> usize {
            1
        }

        fn size(&self) -> usize {
            2
        }

        fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
            Ok(vec![self.0.clone(), own.to_vec()])
        }
    }

    fn with(other: &[u8]) -> World {
        World::of(Arc::new(Other(other.to_vec())))
    }

    #[test]
    fn processes_share_micro_batches_in_turn() {
        let world = with(&[NOTHING]);
        assert_eq!(world.share(0..5).collect::<Vec<_>>(), [1, 3]);
        assert_eq!([0, 1].map(|own| world.micro_batch(own)), [1, 3]);
        let single = World::single();
        assert_eq!(single.share(0..3).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(single.is_first() && !world.is_first());
    }

    #[test]
    fn every_process_stops_if_one_is_interrupted_or_fails() {
        let interrupted = [&[INTERRUPTED][..], &Cause::Termination.number().to_le_bytes()].concat();
        let stopped = with(&interrupted).agree(Ok(()));
        assert!(matches!(stopped, Err(Error::Interrupted(Cause::Termination))), "{stopped:?}");
        let failed = with(b"\x03no such file").agree(Ok(())).unwrap_err().to_string();
        assert_eq!(failed, "process 0: no such file");
        let own = with(&[NOTHING]).agree::<()>(Err(Error::Batch("too small".to_owned())));
        assert_eq!(own.unwrap_err().to_string(), "too small");
        assert_eq!(with(&[NOTHING]).agree(Ok(7)).unwrap(), 7);
    }

    /// 1 is lost next to 2^24, but not next to 0: the order of the sum shows.
    #[test]
    fn values_are_added_in_the_order_of_ranks() {
        let mut total = [16_777_216.0];
        with(&1.0_f32.to_le_bytes()).add_in_order(&mut total, Some(&[-16_777_216.0])).unwrap();
        assert_eq!(total[0].to_bits(), 0.0_f32.to_bits());
        let mut total = [-0.0];
        with(&[]).add_in_order(&mut total, None).unwrap();
        assert_eq!(total[0].to_bits(), (-0.0_f32).to_bits(), "a process without values adds nothing");
    }
}
