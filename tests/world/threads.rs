//! A world whose processes are threads.

use std::sync::{Arc, Condvar, Mutex};

use trainspec::world::{Transport, World};
use trainspec::{Error, Result};

/// What the threads share.
#[derive(Default)]
struct Exchange {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The messages of the current exchange.
    messages: Vec<Option<Vec<u8>>>,
    /// The messages of the last complete exchange.
    complete: Vec<Vec<u8>>,
    /// Complete exchanges.
    count: u64,
    /// A thread that has stopped.
    left: Option<usize>,
}

/// One of the threads. Dropping it leaves the world.
struct Thread {
    rank: usize,
    size: usize,
    exchange: Arc<Exchange>,
}

impl Transport for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let Exchange { state, changed } = &*self.exchange;
        let mut state = state.lock().unwrap();
        state.messages.resize(self.size, None);
        state.messages[self.rank] = Some(own.to_vec());
        let count = state.count + 1;
        if state.messages.iter().all(Option::is_some) {
            state.complete = std::mem::take(&mut state.messages).into_iter().flatten().collect();
            state.count = count;
            changed.notify_all();
        }
        while state.count < count {
            if let Some(rank) = state.left {
                return Err(Error::Process { rank, problem: "it has stopped".to_owned() });
            }
            state = changed.wait(state).unwrap();
        }
        Ok(state.complete.clone())
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.exchange.state.lock().unwrap().left.get_or_insert(self.rank);
        self.exchange.changed.notify_all();
    }
}

/// Runs `work` as each process of a world of this size. Returns the results in the order of ranks.
pub fn each<T: Send>(size: usize, work: impl Fn(World) -> T + Sync) -> Vec<T> {
    let exchange = Arc::new(Exchange::default());
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..size)
            .map(|rank| {
                let thread = Thread { rank, size, exchange: Arc::clone(&exchange) };
                scope.spawn(move || work(World::of(Arc::new(thread))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
