//! Resumed runs that differ from the stopped one.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Experiment, Result};

use trainspec_tests::run_files::{every_file, scratch};

use super::{Averaged, Momentum, Net, SmallImages, assert_equal, ended, files, lines, resumed};

static MOVED: AtomicBool = AtomicBool::new(false);

/// [`SmallImages`] with one sample that may change.
struct Moved;

impl Dataset for Moved {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        42
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        SmallImages.sample(index, input, target)?;
        if index == 3 && MOVED.load(Ordering::Relaxed) {
            input[0] += 0.25;
        }
        Ok(())
    }
}

train! {
    Moving { model: Net, data: Moved, steps: 2, checkpoint: Checkpoint { every: Steps(1), keep: 1 } }
}

#[test]
fn changed_spec_is_rejected_with_key_names() {
    let (_out, folder, whole) = ended();
    let before = every_file(&folder);
    let changed = || {
        let training = Averaged::experiment().set("optimizer.lr", "0.5").unwrap();
        training.set("ema.decay", "0.8").unwrap().set("epochs", "4").unwrap()
    };
    let problem = resumed(changed(), &folder).unwrap_err().to_string();
    for words in [
        "resume: ",
        "step-00000020 was recorded with a different spec: `ema.decay` was 0.9, is 0.8; `epochs` was 3, is 4; `optimizer.lr` was 0.02, is 0.5;",
        "--allow-spec-change ema.decay,epochs,optimizer.lr",
    ] {
        assert!(problem.contains(words), "`{words}` is not in: {problem}");
    }
    let problem = resumed(changed().allow_spec_change("optimizer").allow_spec_change("epochs"), &folder);
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("`ema.decay` was") && !problem.contains("`epochs` was"), "{problem}");
    assert_equal(&every_file(&folder), &before, "refused");

    let permitted =
        ["optimizer.lr", "epochs", "ema"].into_iter().fold(changed(), Experiment::allow_spec_change);
    let said = resumed(permitted, &folder).unwrap();
    assert_eq!(said.changes.len(), 3);
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let (manifest, spec) = (json("manifest.json"), json("spec.json"));
    assert_eq!(manifest["resumed"][0]["spec_changes"][1], "`epochs` was 3, is 4");
    assert_eq!((&spec["spec"]["epochs"], &spec["hash"]), (&4.into(), &manifest["spec_hash"]));
    assert!(lines(&files(&folder), "step") > lines(&whole, "step"), "it continued for more steps");
}

/// A permitted change must still fit the state, and a change that does not fit is not offered as a flag.
#[test]
fn mismatched_state_is_rejected() {
    let (_out, folder, _) = ended();
    let before = every_file(&folder);
    let problem =
        resumed(Averaged::experiment().set("batch", "5").unwrap(), &folder).unwrap_err().to_string();
    let words = "step-00000020 was recorded with a different spec: `batch` was 4, is 5; use the spec that the run was started with; \
                 the change cannot be permitted: the saved state is after 4 steps of epoch 3, 20 steps in total, which does not \
                 exist in a run of 18 steps, 6 per epoch";
    assert!(problem.contains(words) && !problem.contains("--allow-spec-change"), "{problem}");
    let tried = |key: &str, value: &str| {
        let training = Averaged::experiment().set(key, value).unwrap().allow_spec_change(key);
        resumed(training, &folder).unwrap_err().to_string()
    };
    let problem = tried("batch", "5");
    assert!(problem.contains("which does not exist in a run of 18 steps, 6 per epoch"), "{problem}");
    let problem =
        resumed(Averaged::experiment().set("epochs", "2").unwrap().allow_spec_change("epochs"), &folder);
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("which does not exist in a run of 16 steps"), "{problem}");
    let sgd = Sgd { momentum: 0.9, ..<Sgd as trainspec::Config>::DEFAULT };
    let training = Averaged::experiment().optimizer(&sgd).allow_spec_change("optimizer");
    let problem = resumed(training, &folder).unwrap_err().to_string();
    assert!(
        problem.contains("not the state of `Sgd`: ") && problem.contains("`linear_1.bias.m` is not expected"),
        "{problem}"
    );
    let checked =
        Averaged::experiment().set("batch", "5").unwrap().allow_spec_change("batch").resume(&folder).check();
    assert!(
        checked.unwrap_err().to_string().contains("which does not exist in a run of 18 steps"),
        "a check refuses it too"
    );
    Averaged::experiment().resume(&folder).check().unwrap();
    assert_equal(&every_file(&folder), &before, "refused, or checked");
}

/// A rejected resume of a complete run leaves its folder unchanged: it still verifies.
#[test]
fn rejected_resume_leaves_run_unchanged() {
    let out = scratch();
    let keys = [("ema", "null"), ("early_stop.restore_best", "false")];
    let plain = || {
        keys.iter().fold(Averaged::experiment(), |training, (key, value)| training.set(key, value).unwrap())
    };
    let folder = plain().out(out.path()).run().unwrap().folder.unwrap();
    let before = every_file(&folder);
    let mut has_started = false;
    for (key, value, problem) in [
        ("epochs", "1", "which does not exist in a run of 8 steps"),
        ("batch", "8", "which does not exist in a run of 12 steps"),
        ("accumulate", "2", "which does not exist in a run of 12 steps"),
        ("ema", "{}", "the saved state has no average of the weights"),
        ("early_stop.restore_best", "true", "the checkpoint has no best weights"),
    ] {
        let training = plain().set(key, value).unwrap().allow_spec_change(key);
        let mut look = |event: &Event<'_>| {
            has_started |= matches!(event, Event::Begin(_));
            Ok(())
        };
        let Err(error) = training.resume(&folder).run_with(&mut look) else { panic!("{key} is accepted") };
        assert!(error.to_string().contains(problem), "{key}: {error}");
        assert_equal(&every_file(&folder), &before, key);
    }
    let mut refuse = |event: &Event<'_>| match event {
        Event::Resume(_) => Err(trainspec::Error::Rule("no".to_owned())),
        _ => Ok(()),
    };
    assert!(plain().resume(&folder).run_with(&mut refuse).is_err());
    assert!(Momentum::experiment().resume(&folder).run().is_err());
    assert_equal(&every_file(&folder), &before, "refused by its observer, and of another program");
    let elsewhere = out.path().join("no run");
    fs::create_dir(&elsewhere).unwrap();
    assert!(plain().resume(&elsewhere).run().is_err());
    assert!(fs::read_dir(elsewhere).unwrap().next().is_none(), "no lock is left in a folder of no run");
    assert!(!has_started && plain().verify(&folder, None).unwrap().is_same());
}

/// A complete run that is resumed has its model at every moment; one that continues longer has none until its end.
#[test]
fn resumed_complete_run_keeps_its_model() {
    let out = scratch();
    let folder = Momentum::experiment().out(out.path()).run().unwrap().folder.unwrap();
    let model = folder.join("model.safetensors");
    let before = fs::read(&model).unwrap();
    let mut stop = |event: &Event<'_>| match event {
        Event::End(_) => Err(trainspec::Error::Rule("no".to_owned())),
        _ => Ok(()),
    };
    assert!(Momentum::experiment().resume(&folder).run_with(&mut stop).is_err());
    assert!(fs::read(&model).unwrap() == before);
    let longer = Momentum::experiment().set("epochs", "9").unwrap().allow_spec_change("epochs");
    assert!(longer.resume(&folder).run_with(&mut stop).is_err());
    assert!(!model.exists(), "the model of a shorter run is left");
}

/// Checkpoints of another program, another model and other data.
#[test]
fn checkpoint_of_another_run_is_rejected() {
    let (out, folder, _) = ended();
    let problem = Momentum::experiment().resume(&folder).run().unwrap_err().to_string();
    assert!(problem.contains("`name` was \"averaged\", is \"momentum\""), "{problem}");
    let problem = Averaged::experiment().resume(out.path().join("nowhere")).run().unwrap_err().to_string();
    assert!(problem.contains("nowhere is not a folder; expected a run folder"), "{problem}");
}

/// One value of one sample has changed.
#[test]
fn changed_data_are_rejected() {
    let out = scratch();
    let folder = Moving::experiment().out(out.path()).run().unwrap().folder.unwrap();
    MOVED.store(true, Ordering::Relaxed);
    let problem = Moving::experiment().resume(&folder).run().unwrap_err().to_string();
    let words =
        ["data: the data set differs from that of ", " (fingerprint ", "the data it was started with"];
    assert!(words.iter().all(|words| problem.contains(words)), "{problem}");
}

#[test]
fn second_process_on_run_folder_is_rejected() {
    let (_out, folder, _) = ended();
    let mut problem = None;
    let mut look = |event: &Event<'_>| {
        if let Event::Begin(_) = event {
            problem = Some(Averaged::experiment().resume(&folder).run().unwrap_err().to_string());
        }
        Ok(())
    };
    Averaged::experiment().resume(&folder).run_with(&mut look).unwrap();
    let problem = problem.unwrap();
    assert!(problem.contains("another process is using this run folder"), "{problem}");
}
