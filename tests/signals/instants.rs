//! Interruption at a known instant: while a sample is read, or a metric is updated with a micro-batch.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use trainspec::data::PreparedDataset;
use trainspec::interrupt::{Cause, Interrupt};
use trainspec::metric::{Direction, Mean, Metric, Outcomes};
use trainspec::prelude::*;
use trainspec::trainer::{Event, Exit, RateSearch};
use trainspec::{CheckResult, Config, Error, Experiment, Result};
use trainspec_tests::small_images;

use super::{assert_equal, files, manifest, only};

thread_local! {
    /// The instants passed in this thread, the one of the interruption, and its handle.
    static PASSED: Cell<u64> = const { Cell::new(0) };
    static LAST: Cell<u64> = const { Cell::new(0) };
    static HANDLE: RefCell<Interrupt> = RefCell::new(Interrupt::new());
}

fn instant() {
    PASSED.set(PASSED.get() + 1);
    if PASSED.get() == LAST.get() {
        HANDLE.with_borrow(Interrupt::request);
    }
}

/// Returns a handle that is interrupted at this instant, counted from 1.
fn end_at(last: u64) -> Interrupt {
    let handle = Interrupt::new();
    PASSED.set(0);
    LAST.set(last);
    HANDLE.set(handle.clone());
    handle
}

/// [`small_images::SmallImages`] in which each read of a sample is an instant.
struct SmallImages;

impl Dataset for SmallImages {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        small_images::SmallImages.len()
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        instant();
        small_images::SmallImages.sample(index, input, target)
    }

    fn split(&self) -> Split {
        small_images::SmallImages.split()
    }
}

/// The mean of the largest prediction; each micro-batch is an instant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Largest {}

impl Largest {
    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        reason = "a part of a spec is checked by a function of this form"
    )]
    const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Largest {
    const NAME: &'static str = "Largest";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Metric<Logits<3>, Class<3>> for Largest {
    type State = Mean;
    const LABEL: &'static str = "largest";
    const DIRECTION: Direction = Direction::Higher;

    fn update(&self, mean: &mut Mean, outcomes: &Outcomes<'_, u32>) {
        instant();
        for (prediction, _) in outcomes.samples() {
            mean.add(f64::from(prediction.iter().copied().fold(f32::MIN, f32::max)));
        }
    }
}

#[model]
pub(super) fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 3, kernel = 3, bias = false).batch_norm().relu();
    x.flatten().dropout(p = 0.3).linear(out = 3)
}

train! {
    /// 3 steps an epoch, the last of an incomplete window; ends with the weights of an early epoch.
    pub(super) Stateful {
        model: Net,
        data: SmallImages,
        metrics: [Largest {}],
        batch: 4,
        accumulate: 3,
        epochs: 4,
        optimizer: Sgd { lr: 0.5, momentum: 0.9, weight_decay: 1e-3 },
        schedule: [ReduceOnPlateau { factor: 0.5, patience: 0 }],
        ema: Ema { decay: 0.5 },
        early_stop: EarlyStop { patience: 9 },
        checkpoint: Checkpoint { every: Steps(5), keep: 1 },
    }
}

train! {
    /// A run that checks its validation targets before it starts: whether the monitored metric is defined on them.
    Watched {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy],
        steps: 2,
        early_stop: EarlyStop { monitor: ValMetric("accuracy") },
    }
}

/// Interrupts a run at some instants up to its end, resumes it, and returns the positions of the interruptions.
fn from_instants(
    training: impl Fn() -> Experiment<Net>,
    instants: impl Iterator<Item = u64>,
) -> BTreeSet<&'static str> {
    let out = tempfile::tempdir().unwrap();
    end_at(0);
    let run = training().out(out.path().join("whole")).run().unwrap();
    let (whole, passed) = (files(&run.folder.unwrap()), PASSED.get());
    let mut places = BTreeSet::new();
    for last in instants.take_while(|&last| last <= passed) {
        let what = format!("ended at {last} of {passed}");
        let out = out.path().join(last.to_string());
        let ended = training().out(&out).interrupted_by(&end_at(last)).run();
        let Some(folder) = only(&out.join("stateful")) else {
            assert!(matches!(ended.unwrap_err(), Error::Interrupted(Cause::Request)), "{what}");
            places.insert("reading");
            continue;
        };
        let ended = ended.unwrap().outcome;
        let next = PASSED.get() - last;
        // A micro-batch is read, or read and evaluated; before the first step, such a small set is read at once.
        assert!(next < if last <= 42 { 42 } else { 5 }, "{what}: {next} instants later");
        if last + next == passed {
            assert_eq!(ended.exit, Exit::Completed, "nothing was left to be done");
            continue;
        }
        assert_eq!(ended.exit, Exit::Interrupted { cause: Cause::Request }, "{what}");
        assert_eq!((ended.validation, ended.test), (None, None), "{what}");
        let manifest = manifest(&folder);
        assert_eq!(manifest["exit"], "interrupted by the program", "{what}");
        assert_eq!(manifest["result"]["steps"], ended.steps, "{what}");
        let left = files(&folder);
        let is_over = ended.steps == 12 && left["metrics.jsonl"] == whole["metrics.jsonl"];
        // It exists if the last evaluation was interrupted, and is the final checkpoint of the run.
        let model = left.get("model.safetensors");
        assert!(model.is_none_or(|model| is_over && *model == whole["model.safetensors"]), "{what}");
        let kept: Vec<_> = left.keys().filter_map(|name| name.strip_suffix("state.json")).collect();
        let interim = format!("checkpoints/step-{:08}-interrupted/", ended.steps);
        let due = format!("checkpoints/step-{:08}/", ended.steps);
        assert!(kept.contains(&&*interim) || kept.contains(&&*due), "{what}: {kept:?}");
        if let Some(state) = left.get(&format!("{interim}state.json")) {
            let state: serde_json::Value = serde_json::from_slice(state).unwrap();
            places.insert(if state["before_evaluation"] == true { "evaluation" } else { "window" });
        }
        if ended.steps == 0 {
            places.insert("start");
        }
        if ended.steps == 12 && ended.best_epoch.is_some() && left["metrics.jsonl"] == whole["metrics.jsonl"]
        {
            places.insert("end");
        }

        end_at(0);
        verify(&training, &folder, ended.steps, left.keys().any(|name| name.starts_with(&interim)), &what);
        let again = training().resume(&folder).run().unwrap();
        assert_eq!(again.outcome, run.outcome, "{what}");
        assert_equal(&files(&folder), &whole, &what);
    }
    places
}

/// An interrupted run leaves the files of an uninterrupted run up to the checkpoint of the interruption.
fn verify(training: &impl Fn() -> Experiment<Net>, folder: &Path, steps: u64, has_interim: bool, what: &str) {
    let verified = training().verify(folder, None).unwrap();
    assert!(verified.is_same() && !verified.model, "{what}: {verified:?}");
    assert_eq!(verified.to, steps, "{what}");
    assert_eq!(verified.exit.as_deref(), Some("interrupted by the program"), "{what}");
    assert_eq!(verified.checkpoints.contains(&steps), has_interim || steps == 5 || steps == 10, "{what}");
    if has_interim && steps > 0 {
        let verified = training().verify(folder, Some(steps)).unwrap();
        assert!(verified.is_same() && (verified.from, verified.to) == (steps, steps), "{what}: {verified:?}");
        assert!(training().replay(folder, steps).is_ok(), "{what}");
    }
}

#[test]
fn interrupted_run_resumes_from_every_event() {
    let places = from_instants(Stateful::experiment, (1..).step_by(7));
    assert_eq!(places, ["end", "evaluation", "reading", "start", "window"].into());
}

/// A run that is interrupted while it checks its data leaves no folder, or one that can be resumed.
#[test]
fn interruption_before_training_leaves_resumable_or_no_folder() {
    let mut seen = (false, false);
    for last in (40..80).step_by(3) {
        let out = tempfile::tempdir().unwrap();
        let ended = Watched::experiment().out(out.path()).interrupted_by(&end_at(last)).run();
        end_at(0);
        if let Some(folder) = only(&out.path().join("watched")) {
            seen.1 |= ended.unwrap().outcome.steps == 0;
            assert_eq!(Watched::experiment().resume(folder).run().unwrap().outcome.exit, Exit::Completed);
        } else {
            seen.0 |= ended.is_err();
        }
    }
    assert_eq!(seen, (true, true));
}

/// The checkpoint of the interruption is the only one.
#[test]
fn interruption_saves_checkpoint_without_checkpoint_key() {
    let places =
        from_instants(|| Stateful::experiment().set("checkpoint", "null").unwrap(), (43..).step_by(17));
    assert!(places.contains("window"), "{places:?}");
}

/// A second interruption comes before the next regular checkpoint.
#[test]
fn repeated_interruptions_resume() {
    let out = tempfile::tempdir().unwrap();
    end_at(0);
    let whole = Stateful::experiment().out(out.path().join("whole")).run().unwrap();
    let whole = files(&whole.folder.unwrap());
    let first = Stateful::experiment().out(out.path()).interrupted_by(&end_at(46)).run().unwrap();
    let folder = first.folder.unwrap();
    let mut steps = vec![first.outcome.steps];
    while steps.len() < 40 {
        // First before any work.
        let last = if steps.len() < 3 { 42 + 1 } else { 42 + 20 };
        let again = Stateful::experiment().resume(&folder).interrupted_by(&end_at(last)).run().unwrap();
        steps.push(again.outcome.steps);
        let interims = files(&folder).keys().filter(|name| name.ends_with("interrupted/state.json")).count();
        assert!(interims <= 1, "{interims} at {steps:?}");
        if again.outcome.exit == Exit::Completed {
            assert_equal(&files(&folder), &whole, &format!("{steps:?}"));
            assert!(steps.len() > 4, "{steps:?}");
            return;
        }
    }
    panic!("the run does not end: {steps:?}");
}

/// The events of a run that an observer interrupts.
#[test]
fn interruption_event_carries_state() {
    let handle = Interrupt::new();
    let mut seen = Vec::new();
    let mut look = |event: &Event<'_>| {
        match event {
            Event::Step(report) => {
                seen.push("step");
                if report.step == 2 {
                    handle.request();
                }
            }
            Event::Interrupt(snapshot) => {
                assert_eq!((snapshot.step, snapshot.before_evaluation), (2, false));
                seen.push("interrupt");
            }
            Event::End(Exit::Interrupted { .. }) => seen.push("end"),
            _ => {}
        }
        Ok(())
    };
    let training = Stateful::experiment().set("checkpoint", "null").unwrap();
    let run = training.without_folder().interrupted_by(&handle).run_with(&mut look).unwrap();
    assert_eq!((run.outcome.steps, run.folder), (2, None));
    assert_eq!(seen, ["step", "step", "interrupt", "end"]);
}

/// A run that is interrupted while it evaluates its best weights has the weights of its last step, from which it can be
/// extended.
#[test]
fn interruption_in_final_evaluation_keeps_last_step() {
    let state = |last: u64, every: &str| {
        let mut state = None;
        let mut look = |event: &Event<'_>| {
            if let Event::Interrupt(snapshot) | Event::Checkpoint(snapshot) = event {
                let numbers = snapshot.parameters.to_vec();
                state = Some((snapshot.step, numbers, snapshot.average.as_deref().unwrap().to_vec()));
            }
            Ok(())
        };
        let training = Stateful::experiment().set("checkpoint.every", every).unwrap();
        let out = tempfile::tempdir().unwrap();
        let run = training.out(out.path()).interrupted_by(&end_at(last)).run_with(&mut look).unwrap();
        (state.unwrap(), run.outcome)
    };
    let (expected, outcome) = state(0, r#"{ "Steps": 12 }"#);
    let passed = PASSED.get();
    assert_ne!(outcome.best_epoch, Some(4), "it ends with other weights than its last");
    let (found, outcome) = state(passed - 7, r#"{ "Steps": 100 }"#);
    assert!(matches!(outcome.exit, Exit::Interrupted { .. }));
    assert!(found == expected);
}

#[test]
fn interrupted_search_and_evaluation_stop() {
    let is_ended = |error: Error| matches!(error, Error::Interrupted(Cause::Request));
    let out = tempfile::tempdir().unwrap();
    end_at(0);
    let model = Stateful::experiment().out(out.path()).run().unwrap().model;
    for last in [1, 42 + 3] {
        let search = RateSearch { steps: 10_000, ..RateSearch::DEFAULT };
        let training = Stateful::experiment().interrupted_by(&end_at(last));
        assert!(is_ended(training.find_rate(search).unwrap_err()), "{last}");
        let training = Stateful::experiment().interrupted_by(&end_at(last));
        assert!(is_ended(training.evaluate(&model, PreparedDataset::test).unwrap_err()), "{last}");
    }
}
