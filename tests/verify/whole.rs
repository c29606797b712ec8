//! Unchanged run folders.

use std::sync::atomic::{AtomicBool, Ordering};

use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Error, Experiment, Result};

use super::{Averaged, Net, SmallImages, checkpoint, ended, files, json, killed, write};

train! {
    /// Steps are skipped repeatedly; no checkpoint is written.
    Half {
        model: Net,
        data: SmallImages,
        batch: 5,
        steps: 205,
        optimizer: Sgd { lr: 0.01, momentum: 0.9 },
        precision: F16 { loss_scale: Dynamic { init: 33554432, interval: 30 } },
    }
}

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
fn run_is_verified_from_start_and_from_each_checkpoint() {
    let (_out, folder) = ended();
    let before = files(&folder);
    let verified = Averaged::experiment().verify(&folder, None).unwrap();
    assert!(verified.is_same() && verified.parameter.is_none(), "{:?}", verified.first);
    assert_eq!((verified.from, verified.to, verified.traced, verified.model), (0, 24, 6, true));
    assert_eq!(verified.checkpoints, [6, 12, 18, 24]);
    assert_eq!(verified.exit.as_deref(), Some("completed"));
    for from in [6, 12, 18, 24] {
        let verified = Averaged::experiment().verify(&folder, Some(from)).unwrap();
        assert!(verified.is_same(), "from {from}: {:?}", verified.first);
        let later = [12, 18, 24].into_iter().filter(|&step| step > from);
        assert_eq!((verified.from, verified.to, verified.model), (from, 24, true));
        assert_eq!(verified.checkpoints, later.collect::<Vec<_>>());
    }
    assert_eq!(files(&folder), before, "something was written");
}

/// The lines of a trace: every hundredth step, the last of each epoch, and changes after a skip.
#[test]
fn long_run_with_skipped_steps_is_verified() {
    let out = tempfile::tempdir().unwrap();
    let folder = Half::experiment().out(out.path()).run().unwrap().folder.unwrap();
    let files = files(&folder);
    let lines: Vec<_> = std::str::from_utf8(&files["trace.jsonl"]).unwrap().lines().collect();
    assert_eq!(lines[0], r#"{"format":1,"every":100}"#);
    let steps: Vec<_> =
        lines[1..].iter().map(|line| json(line.as_bytes())["step"].as_u64().unwrap()).collect();
    assert!(
        (1..=205).filter(|step| step % 6 == 0 || step % 100 == 0 || *step == 205).eq(steps.iter().copied())
    );
    let metrics = String::from_utf8_lossy(&files["metrics.jsonl"]);
    assert!(metrics.contains(r#"{"kind":"skip","#), "no step was skipped");
    let verified = Half::experiment().verify(&folder, None).unwrap();
    assert!(verified.is_same(), "{:?}", verified.first);
    assert_eq!((verified.to, verified.traced), (205, steps.len() as u64));
}

#[test]
fn stopped_run_is_verified_to_its_last_step() {
    let (out, folder) = ended();
    let whole = files(&folder);
    for k in 1..24 {
        let folder = out.path().join(k.to_string());
        write(&folder, &killed(&whole, k));
        let verified = Averaged::experiment().verify(&folder, None).unwrap();
        assert!(verified.is_same(), "{k}: {:?}", verified.first);
        let steps: Vec<_> = [6, 12, 18].into_iter().filter(|&step| step <= k).collect();
        assert_eq!((verified.to, &verified.checkpoints, verified.model), (k, &steps, false));
        assert_eq!(verified.exit, None);
        if let Some(from) = steps.last() {
            let verified = Averaged::experiment().verify(&folder, Some(*from)).unwrap();
            assert!(verified.is_same() && verified.to == k, "{k}: {:?}", verified.first);
        }
    }
}

#[test]
fn resumed_run_is_verified() {
    let (out, folder) = ended();
    let whole = files(&folder);
    for k in [7, 12, 17] {
        let folder = out.path().join(k.to_string());
        write(&folder, &killed(&whole, k));
        Averaged::experiment().resume(&folder).run().unwrap();
        let again = files(&folder);
        assert!(
            again["trace.jsonl"] == whole["trace.jsonl"],
            "{k}: the trace is not the one of a run without end"
        );
        for from in [None, Some(6), Some(24)] {
            let verified = Averaged::experiment().verify(&folder, from).unwrap();
            assert!(verified.is_same() && verified.model, "{k}: {:?}", verified.first);
        }
    }
}

/// A failed run fails again; an error of an observer is not reproduced.
#[test]
fn failed_run_is_verified() {
    let out = tempfile::tempdir().unwrap();
    let mut seen = 0;
    let mut end = |event: &Event<'_>| {
        seen += u64::from(matches!(event, Event::Step(_)));
        if seen == 11 { Err(Error::Dataset("no more".to_owned())) } else { Ok(()) }
    };
    assert!(Averaged::experiment().out(out.path()).run_with(&mut end).is_err());
    let only = |name: &str| std::fs::read_dir(out.path().join(name)).unwrap().next().unwrap().unwrap().path();
    let verified = Averaged::experiment().verify(only("averaged"), None).unwrap();
    assert!(verified.is_same() && verified.to == 11 && !verified.model, "{verified:?}");

    // The learning rate is so high that the second step starts from non-finite weights.
    let changes = [("optimizer.weight_decay", "0"), ("optimizer.lr", "1e38")];
    let diverging = changes
        .into_iter()
        .fold(Averaged::experiment(), |training, (key, value)| training.set(key, value).unwrap());
    let place = out.path().join("diverging");
    diverging.out(&place).run().unwrap_err();
    let folder = std::fs::read_dir(place.join("averaged")).unwrap().next().unwrap().unwrap().path();
    let verified = Averaged::experiment().verify(folder, None).unwrap();
    assert!(verified.is_same() && !verified.model, "{verified:?}");
    assert!(verified.exit.unwrap().starts_with("failed: step "));
}

/// The overrides of a run need not be repeated; other overrides are compared.
#[test]
fn verify_rejects_changed_spec_data_or_program() {
    let out = tempfile::tempdir().unwrap();
    let set = |lr: &str| Averaged::experiment().set("optimizer.lr", lr).unwrap();
    let folder = set("0.01").out(out.path()).run().unwrap().folder.unwrap();
    assert!(Averaged::experiment().verify(&folder, None).unwrap().is_same());
    let refused = |training: Experiment<Net>, from| training.verify(&folder, from).unwrap_err().to_string();
    for from in [None, Some(12)] {
        let problem = refused(set("0.5"), from);
        for words in ["verify: ", "was recorded with a different spec: `optimizer.lr` was 0.01, is 0.5; use "]
        {
            assert!(problem.contains(words), "`{words}` is not in: {problem}");
        }
    }
    let problem = set("0.5").replay(&folder, 12).unwrap_err().to_string();
    assert!(problem.starts_with("replay: ") && problem.contains("`optimizer.lr` was"), "{problem}");
    // A run with an override of a key that this program does not have.
    let problem = refused(Moving::experiment(), None);
    assert!(problem.contains("`name` was \"averaged\", is \"moving\""), "{problem}");
    let problem = refused(Averaged::experiment(), Some(7));
    assert!(
        problem.contains("no checkpoint of step 7; expected one of 6, 12, 18, 24, or the start"),
        "{problem}"
    );

    let folder = Moving::experiment().out(out.path()).run().unwrap().folder.unwrap();
    MOVED.store(true, Ordering::Relaxed);
    for from in [None, Some(2)] {
        let problem = Moving::experiment().verify(&folder, from).unwrap_err().to_string();
        assert!(
            problem.starts_with("data: the data set differs from that of ")
                && problem.contains("fingerprint"),
            "{problem}"
        );
    }
    MOVED.store(false, Ordering::Relaxed);
    let problem = Averaged::experiment().verify(out.path().join("nowhere"), None).unwrap_err().to_string();
    assert!(problem.contains("not a folder; expected a run folder"), "{problem}");
}

/// Steps after a permitted change do not follow from the start.
#[test]
fn verify_across_spec_change_is_rejected() {
    let (out, folder) = ended();
    let folder_of = out.path().join("changed");
    write(&folder_of, &killed(&files(&folder), 13));
    let changed =
        Averaged::experiment().set("optimizer.lr", "0.5").unwrap().allow_spec_change("optimizer.lr");
    changed.resume(&folder_of).run().unwrap();
    for from in [None, Some(6)] {
        let problem = Averaged::experiment().verify(&folder_of, from).unwrap_err().to_string();
        for words in
            ["resumed at step 12 with another spec (`optimizer.lr` was 0.02, is 0.5)", "with `--from`"]
        {
            assert!(problem.contains(words), "`{words}` is not in: {problem}");
        }
    }
    for from in [12, 18, 24] {
        let verified = Averaged::experiment().verify(&folder_of, Some(from)).unwrap();
        assert!(verified.is_same() && verified.model, "{from}: {:?}", verified.first);
    }
}

#[test]
fn environment_differences_are_reported_first() {
    let (_out, folder) = ended();
    let path = folder.join("manifest.json");
    let mut manifest = json(&std::fs::read(&path).unwrap());
    assert_eq!((&manifest["engine"], &manifest["format"]), (&"planned".into(), &1.into()));
    assert!(manifest["system"]["simd"].is_string() && manifest["command"].as_array().is_some());
    manifest["versions"]["trainspec"] = "0.0.9".into();
    manifest["system"]["cpu_features"] = serde_json::json!([]);
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    let mut said = Vec::new();
    let mut look = |event: &Event<'_>| {
        if let Event::Verify(verifying) = event {
            said.clone_from(&verifying.environment);
        } else {
            assert!(!said.is_empty(), "something came before");
        }
        Ok(())
    };
    assert!(Averaged::experiment().verify_with(&folder, None, &mut look).unwrap().is_same());
    assert!(
        said.iter().any(|sentence| sentence.starts_with("`versions.trainspec` was \"0.0.9\", is ")),
        "{said:?}"
    );
    assert!(said.len() > usize::from(cfg!(target_arch = "x86_64")), "{said:?}");
}

/// A run folder must not be written while it is read.
#[test]
fn verify_rejects_running_process() {
    let out = tempfile::tempdir().unwrap();
    let mut tried = false;
    let mut look = |event: &Event<'_>| {
        if let Event::Step(report) = event
            && report.step == 7
        {
            let runs = out.path().join("averaged");
            let folder = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
            let problem = Averaged::experiment().verify(folder, None).unwrap_err().to_string();
            assert!(problem.contains("another process is using this run folder"), "{problem}");
            tried = true;
        }
        Ok(())
    };
    let folder = Averaged::experiment().out(out.path()).run_with(&mut look).unwrap().folder.unwrap();
    assert!(tried && folder.join(checkpoint(24)).exists());
}
