//! A spec that passes `cargo check` and start-up cannot fail on its configuration later: random settings of programs that
//! together use everything built in are rejected before their first step, or train to completion on both engines.
//!
//! `TRAINSPEC_RANDOM_SPECS` sets the number of specs. A failure is shown as settings with the fewest changes that
//! reproduce it.

#![allow(missing_docs, clippy::unwrap_used)]

mod dice;
mod draw;
mod found;
mod judge;
mod programs;
mod wild;

use std::cell::Cell;

use draw::CHANGES;
use judge::Seen;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Returns a runner for this many cases, equal in every run.
fn runner(cases: u32) -> (u32, TestRunner) {
    let number = |name| std::env::var(name).ok().and_then(|number: String| number.parse().ok());
    let cases = number("TRAINSPEC_RANDOM_SPECS").map_or(cases, |asked: u64| asked as u32);
    let seed = RngSeed::Fixed(number("TRAINSPEC_RANDOM_SEED").unwrap_or(2));
    let config = Config {
        cases,
        rng_seed: seed,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    (cases, TestRunner::new(config))
}

/// Counts each outcome.
#[derive(Default)]
struct Counts([Cell<u32>; 3]);

impl Counts {
    fn add(&self, seen: Seen) {
        let count = &self.0[seen as usize];
        count.set(count.get() + 1);
    }

    fn of(&self, seen: Seen) -> u32 {
        self.0[seen as usize].get()
    }
}

#[test]
fn accepted_specs_train_to_completion() {
    let programs = programs::all();
    let (cases, mut runner) = runner(64);
    let counts = Counts::default();
    let changes = vec((0..CHANGES.len(), any::<u64>()), 0..9);
    let result = runner.run(&(0..programs.len(), changes), |(program, changes)| {
        counts.add(programs[program].judge(&changes).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let [refused, finished, out_of_range] =
        [Seen::Refused, Seen::Finished, Seen::OutOfRange].map(|seen| counts.of(seen));
    println!("{refused} refused, {finished} finished, {out_of_range} out of range");
    assert!(finished >= cases / 2, "{finished} of {cases} finish");
    assert!(out_of_range <= cases / 16, "{out_of_range} of {cases} are out of range");
}

#[test]
fn random_values_are_rejected_or_usable() {
    let programs = programs::all();
    let (_, mut runner) = runner(128);
    let counts = Counts::default();
    let result = runner.run(&(0..programs.len(), any::<u64>()), |(program, seed)| {
        counts.add(programs[program].set_any(seed).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let [refused, finished, out_of_range] =
        [Seen::Refused, Seen::Finished, Seen::OutOfRange].map(|seen| counts.of(seen));
    println!("{refused} refused, {finished} finished, {out_of_range} out of range");
    assert!(refused > 0 && finished > 0);
}
