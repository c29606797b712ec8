//! Verification of interrupted runs, and interruption of verification.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use trainspec::Error;
use trainspec::interrupt::Interrupt;
use trainspec::trainer::{Event, Exit};

use super::{Averaged, WHOLE, files, json};

/// The position of the interruption.
#[derive(Clone, Copy, Debug)]
enum Place {
    Begin,
    /// After a step: before the next window.
    Step(u64),
    /// After the last step of an epoch: in the evaluation.
    Evaluation(u64),
    /// After an epoch: before the first window of the next.
    Epoch(u64),
    /// While the final weights are evaluated.
    End,
}

impl Place {
    fn is(self, event: &Event<'_>) -> bool {
        match (self, event) {
            (Self::Begin, Event::Begin(_)) | (Self::End, Event::End(_)) => true,
            (Self::Step(step), Event::Step(report)) => report.step == step,
            (Self::Evaluation(step), Event::Trace(point)) => point.step == step,
            (Self::Epoch(step), Event::Epoch(report)) => report.step == step,
            _ => false,
        }
    }

    fn step(self) -> u64 {
        match self {
            Self::Begin => 0,
            Self::Step(step) | Self::Evaluation(step) | Self::Epoch(step) => step,
            Self::End => 24,
        }
    }
}

/// 24 steps in epochs of 8, with checkpoints after 7, 14 and 21.
fn training() -> trainspec::Experiment<super::Net> {
    Averaged::experiment().set("checkpoint.every", r#"{ "Steps": 7 }"#).unwrap()
}

/// The files of a completed run.
static SEVENS: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let out = tempfile::tempdir().unwrap();
    files(&training().out(out.path()).run().unwrap().folder.unwrap())
});

/// A run that is interrupted at this position, in a folder below `out`.
fn interrupted(place: Place, out: &Path) -> PathBuf {
    let handle = Interrupt::new();
    let mut look = |event: &Event<'_>| {
        if place.is(event) {
            handle.request();
        }
        Ok(())
    };
    let run = training().out(out).interrupted_by(&handle).run_with(&mut look).unwrap();
    assert!(matches!(run.outcome.exit, Exit::Interrupted { .. }), "{place:?}");
    run.folder.unwrap()
}

fn interim(place: Place) -> String {
    format!("checkpoints/step-{:08}-interrupted", place.step())
}

const PLACES: [Place; 6] =
    [Place::Begin, Place::Step(3), Place::Evaluation(8), Place::Epoch(8), Place::Evaluation(24), Place::End];

#[test]
fn interrupted_run_is_verified() {
    for place in PLACES {
        let out = tempfile::tempdir().unwrap();
        let folder = interrupted(place, out.path());
        let before = files(&folder);
        assert!(folder.join(interim(place)).is_dir(), "{place:?}");
        let verified = training().verify(&folder, None).unwrap();
        assert!(verified.is_same() && !verified.model, "{place:?}: {verified:?}");
        assert_eq!(verified.to, place.step());
        assert_eq!(verified.checkpoints.last(), Some(&place.step()), "{place:?}");
        if place.step() > 0 {
            let verified = training().verify(&folder, Some(place.step())).unwrap();
            assert!(verified.is_same(), "{place:?}: {verified:?}");
            let last = training().replay(&folder, place.step()).unwrap().model;
            let kept = training().load(folder.join(interim(place)).join("model.safetensors")).unwrap();
            for ((path, last), (_, kept)) in last.parameters().zip(kept.parameters()) {
                let numbers = |tensor: &candle_core::Tensor| -> Vec<f32> {
                    tensor.flatten_all().unwrap().to_vec1().unwrap()
                };
                assert!(numbers(last) == numbers(kept), "{place:?}: {path}");
            }
        }
        assert!(files(&folder) == before, "{place:?}: something was written");

        // Its final trace equals that of an uninterrupted run.
        training().resume(&folder).run().unwrap();
        let after = files(&folder);
        for name in ["metrics.jsonl", "trace.jsonl"] {
            assert!(after[name] == SEVENS[name], "{place:?}: {name}");
        }
        let verified = training().verify(&folder, None).unwrap();
        assert!(verified.is_same() && verified.model, "{place:?}: {verified:?}");
        assert_eq!(verified.checkpoints, [7, 14, 21]);
    }
}

/// A run that was resumed and killed before its next checkpoint has lines after the checkpoint of its interruption.
#[test]
fn interruption_checkpoint_within_log_is_verified() {
    for place in PLACES.into_iter().filter(|place| place.step() < 20) {
        let out = tempfile::tempdir().unwrap();
        let folder = interrupted(place, out.path());
        let last = place.step() + 4;
        let mut end = |event: &Event<'_>| match event {
            Event::Step(report) if report.step == last => Err(Error::Dataset("no more".to_owned())),
            _ => Ok(()),
        };
        training().resume(&folder).run_with(&mut end).unwrap_err();
        assert!(folder.join(interim(place)).is_dir(), "{place:?}");
        let verified = training().verify(&folder, None).unwrap();
        assert!(verified.is_same(), "{place:?}: {verified:?}");
        assert!(
            verified.to == last && verified.checkpoints.contains(&place.step()),
            "{place:?}: {verified:?}"
        );
    }
}

/// Rewrites a file of a checkpoint and corrects the checksums.
fn rewrite(checkpoint: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(checkpoint.join(name)).unwrap();
    let digits = |byte: &u8| format!("{byte:02x}");
    let sum = |bytes: &[u8]| Sha256::digest(bytes).iter().map(digits).collect::<Vec<_>>().concat();
    // Several files may have the same bytes.
    let line = |bytes: &[u8]| format!("{}  {name}\n", sum(bytes));
    let before = line(&bytes);
    change(&mut bytes);
    fs::write(checkpoint.join(name), &bytes).unwrap();
    let list = fs::read_to_string(checkpoint.join("SHA256SUMS")).unwrap();
    assert!(list.contains(&before));
    fs::write(checkpoint.join("SHA256SUMS"), list.replace(&before, &line(&bytes))).unwrap();
}

#[test]
fn changed_bit_in_interruption_checkpoint_is_detected() {
    for place in PLACES {
        let out = tempfile::tempdir().unwrap();
        let folder = interrupted(place, out.path());
        let checkpoint = folder.join(interim(place));
        let state = fs::read(checkpoint.join("state.json")).unwrap();
        let found = |what: &str, step: u64| {
            let verified = training().verify(&folder, None).unwrap();
            let first = verified.first.unwrap_or_else(|| panic!("{place:?}: {what} is not detected"));
            assert_eq!(first.step, step, "{place:?}: {first}");
            assert!(first.file.starts_with(&interim(place)), "{place:?}: {first}");
            first
        };
        rewrite(&checkpoint, "state.json", |bytes| {
            let mut state = json(bytes);
            state["epoch"] = (state["epoch"].as_u64().unwrap() + 1).into();
            *bytes = serde_json::to_vec(&state).unwrap();
        });
        assert_eq!(found("another epoch", place.step()).what, "the position in the run", "{place:?}");
        rewrite(&checkpoint, "state.json", |bytes| bytes.clone_from(&state));
        assert!(training().verify(&folder, None).unwrap().is_same());
        rewrite(&checkpoint, "model.safetensors", |bytes| *bytes.last_mut().unwrap() ^= 1);
        let first = found("a bit of a parameter", place.step());
        assert!(first.file.ends_with("model.safetensors"), "{place:?}: {first}");
        fs::write(checkpoint.join("model.safetensors"), "").unwrap();
        assert_eq!(found("a file without bytes", place.step()).what, "the checkpoint");
    }
}

/// A comparison can be interrupted.
#[test]
fn verification_can_be_interrupted() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("ended");
    super::write(&folder, &WHOLE);
    for place in [Place::Begin, Place::Step(3), Place::Evaluation(8), Place::End] {
        for replays in [false, true] {
            if replays && matches!(place, Place::End) {
                continue;
            }
            let handle = Interrupt::new();
            let mut look = |event: &Event<'_>| {
                if place.is(event) {
                    handle.request();
                }
                Ok(())
            };
            let training = Averaged::experiment().interrupted_by(&handle);
            let error = if replays {
                // It can be verified only from the start.
                let _ = fs::remove_dir_all(folder.join("checkpoints"));
                training.replay_with(&folder, 11, &mut look).map(|_| ()).unwrap_err()
            } else {
                training.verify_with(&folder, None, &mut look).map(|_| ()).unwrap_err()
            };
            assert!(matches!(error, Error::Interrupted(_)), "{place:?}, {replays}: {error}");
        }
    }
}
