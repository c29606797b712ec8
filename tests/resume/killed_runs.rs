//! What a run leaves that is ended while it works, and what it keeps.

use std::fs;

use trainspec::Error;
use trainspec::prelude::*;
use trainspec::trainer::Event;

use trainspec_tests::run_files::scratch;

use super::{Blots, Net, assert_equal, files, killed};

train! {
    /// As a run is: the newest checkpoint stays, and the best, which is an early one at such a rate.
    Sparing {
        model: Net,
        data: Blots,
        batch: 4,
        epochs: 3,
        optimizer: Sgd { lr: 3.0 },
        early_stop: EarlyStop { patience: 9 },
        checkpoint: Checkpoint { every: Steps(3), keep: 1 },
    }
}

/// Taken up from whatever checkpoints a run keeps: what it keeps at the end is the same.
#[test]
fn what_is_kept_is_the_same() {
    let out = scratch();
    let whole = files(&Sparing::experiment().out(out.path()).run().unwrap().folder.unwrap());
    let states = || whole.keys().filter(|name| name.ends_with("state.json"));
    assert_eq!(states().count(), 2, "{:?}", states().collect::<Vec<_>>());
    for last in 1..24 {
        let mut seen = 0;
        let mut end = |event: &Event<'_>| {
            seen += u64::from(matches!(event, Event::Step(_)));
            if seen == last { Err(Error::Dataset("no more".to_owned())) } else { Ok(()) }
        };
        let place = out.path().join(last.to_string());
        assert!(Sparing::experiment().out(&place).run_with(&mut end).is_err());
        let again = Sparing::experiment().out(&place).resume_newest().run();
        // The third step's checkpoint comes after the step was told.
        if last <= 3 {
            let problem = again.unwrap_err().to_string();
            assert!(problem.contains("there is no checkpoint"), "{problem}");
        } else {
            assert_equal(&files(&again.unwrap().folder.unwrap()), &whole, &format!("ended in step {last}"));
        }
    }
}

/// A process that is ended while it saves leaves a folder that is not yet at its place.
#[test]
fn what_was_half_written_goes() {
    let out = scratch();
    let whole = files(&Sparing::experiment().out(out.path()).run().unwrap().folder.unwrap());
    let folder = out.path().join("killed");
    killed(&whole, 24, &folder);
    let partial = folder.join("checkpoints/.step-00000027.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("model.safetensors"), "half").unwrap();
    Sparing::experiment().resume(&folder).run().unwrap();
    assert_equal(&files(&folder), &whole, "with a partial folder");
}
