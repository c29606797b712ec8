//! Runs and counts many cases of one kind of input.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use trainspec_tests::record::record;

use crate::meter::metered;

/// The settings for one kind of input.
pub(crate) struct Campaign {
    /// Its name in the report.
    pub(crate) target: &'static str,
    /// The number of cases, unless `FUZZ_SECONDS` sets a duration.
    pub(crate) cases: u32,
    /// The allocation limit: this many bytes for each input byte, plus a constant.
    pub(crate) each: usize,
    pub(crate) besides: usize,
}

/// A folder for inputs: in memory where available, since a campaign writes thousands of files.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// An input: its length and the function that reads it.
pub(crate) type Work<'a> = (usize, Box<dyn FnOnce() -> Result<(), String> + 'a>);

impl Campaign {
    /// Runs cases of this strategy. An input may be rejected; it must not cause a panic, nor exceed the allocation limit.
    pub(crate) fn run<S: Strategy>(&self, cases: &S, work: impl Fn(S::Value) -> Work<'static>) {
        let start = Instant::now();
        let seconds: Option<u64> = std::env::var("FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
        // Random only if a duration is set; the seed reproduces a failure.
        let seed: u64 = match std::env::var("FUZZ_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => seconds.map_or(0, |_| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() << 20),
        };
        let (tried, refused) = (Cell::new(0_u64), Cell::new(0_u64));
        let (most, most_each) = (Cell::new(0), Cell::new(0.0_f64));
        let longest = Cell::new(Duration::ZERO);
        for round in seed.. {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&round.to_le_bytes());
            let config = Config { cases: self.cases, failure_persistence: None, ..Config::default() };
            let mut runner =
                TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
            let tested = runner.run(cases, |case| {
                let with_init = Instant::now();
                let (size, work) = work(case);
                let (outcome, peak) = metered(work);
                tried.set(tried.get() + 1);
                refused.set(refused.get() + u64::from(outcome.is_err()));
                let allowed = self.each * size + self.besides;
                prop_assert!(
                    peak <= allowed,
                    "{peak} bytes for an input of {size}; expected at most {allowed}"
                );
                most.set(most.get().max(peak));
                most_each.set(most_each.get().max(peak as f64 / size.max(1024) as f64));
                longest.set(longest.get().max(with_init.elapsed()));
                Ok::<(), TestCaseError>(())
            });
            if let Err(error) = tested {
                panic!("{} with FUZZ_SEED={round}: {error}", self.target);
            }
            if seconds.is_none_or(|seconds| start.elapsed().as_secs() >= seconds) {
                break;
            }
        }
        let figures = [
            ("cases", tried.get()),
            ("refused", refused.get()),
            ("bytes_at_most", most.get() as u64),
            ("bytes_for_a_byte_at_most", most_each.get().ceil() as u64),
            ("slowest_in_milliseconds", longest.get().as_millis() as u64),
            ("seed", seed),
        ];
        record(&format!("inputs: {}", self.target), &figures);
        assert!(refused.get() > 0, "{}: every case was taken, so none is damaged", self.target);
        assert!(refused.get() < tried.get(), "{}: every case was refused, so none goes deep", self.target);
    }
}
