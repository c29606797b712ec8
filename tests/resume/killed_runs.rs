//! The files that a stopped run leaves, and the checkpoints it keeps.

use std::fs;

use trainspec::Error;
use trainspec::prelude::*;
use trainspec::trainer::Event;

use trainspec_tests::run_files::scratch;

use super::{Net, SmallImages, assert_equal, files, killed};

train! {
    /// As a run is: the newest checkpoint stays, and the best, which is an early one at such a rate.
    Sparing {
        model: Net,
        data: SmallImages,
        batch: 4,
        epochs: 3,
        optimizer: Sgd { lr: 3.0 },
        early_stop: EarlyStop { patience: 9 },
        checkpoint: Checkpoint { every: Steps(3), keep: 1 },
    }
}

/// A run resumed from any of its checkpoints keeps the same checkpoints at the end.
#[test]
fn retained_checkpoints_match_uninterrupted_run() {
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
        // The checkpoint of the third step is written after the step is reported.
        if last <= 3 {
            let problem = again.unwrap_err().to_string();
            assert!(problem.contains("there is no checkpoint"), "{problem}");
        } else {
            assert_equal(&files(&again.unwrap().folder.unwrap()), &whole, &format!("ended in step {last}"));
        }
    }
}

/// A process that is killed while it saves leaves a temporary folder.
#[test]
fn incomplete_checkpoint_folder_is_removed() {
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
