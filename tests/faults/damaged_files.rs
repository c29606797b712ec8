//! Each kind of file of a run, truncated at every 64th of its length, with a bit flipped in each 64th, and empty.

use std::fs;
use std::path::Path;

use trainspec::data::InMemory;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Error, Result, TrainedModel};
use trainspec_tests::record::record;
use trainspec_tests::run_files::{Files, assert_equal, files, scratch};

#[model]
fn Net(x: Features<4>) -> Logits<3> {
    x.linear(out = 8).batch_norm().relu().linear(out = 3)
}

/// Few samples, since a run is started a thousand times.
fn points() -> Result<InMemory<Features<4>, Class<3>>> {
    InMemory::new((0..4 * 60).map(|i| (i as f32 * 0.37).sin()).collect(), (0..60).map(|i| i % 3).collect())
}

train! {
    /// Everything that a checkpoint may hold.
    Points {
        model: Net,
        data: points(),
        metrics: [Accuracy],
        batch: 8,
        epochs: 2,
        optimizer: AdamW { lr: 0.01 },
        ema: Ema { decay: 0.9, warmup: true },
        early_stop: EarlyStop { patience: 2 },
        checkpoint: Checkpoint { every: Steps(4), keep: 3 },
    }
}

/// The damage to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Truncates the file to this many 64ths.
    Cut(usize),
    /// Flips a bit in this 64th.
    Flipped(usize),
}

impl Damage {
    fn all() -> impl Iterator<Item = Self> {
        (0..64).map(Self::Cut).chain((0..64).map(Self::Flipped))
    }

    /// Returns the damaged bytes; `None` if the damage does not change them.
    fn on(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut damaged = bytes.to_vec();
        match self {
            Self::Cut(part) => damaged.truncate(bytes.len() * part / 64),
            Self::Flipped(part) => damaged[(bytes.len() - 1) * part / 63] ^= 1 << (part % 8),
        }
        (damaged != bytes).then_some(damaged)
    }
}

/// A run that was stopped after its checkpoint of step 8; it has an earlier one, of step 4.
fn ended(run: &Path, whole: &Files) {
    for (name, bytes) in whole {
        if name.starts_with("checkpoints/step-00000012")
            || name == "model.safetensors"
            || name == "curves.svg"
        {
            continue;
        }
        let path = run.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Resumes a run without a step; returns the step and the number of skipped checkpoints.
fn taken_up(run: &Path) -> Result<(u64, usize)> {
    let mut seen = None;
    let mut look = |event: &Event<'_>| {
        let Event::Resume(resumed) = event else { return Ok(()) };
        seen = Some((resumed.step, resumed.damaged.len()));
        Err(Error::Rule("seen".to_owned()))
    };
    match Points::experiment().resume(run).run_with(&mut look) {
        Err(Error::Rule(_)) if seen.is_some() => Ok(seen.unwrap()),
        Err(error) => Err(error),
        Ok(_) => unreachable!("the look ends it"),
    }
}

/// Returns whether a file is a log, of which a resumed run rewrites some lines.
fn is_log(name: &str) -> bool {
    ["metrics.jsonl", "trace.jsonl"].contains(&name)
}

/// A damaged checkpoint is never used, and an intact one is never changed.
#[test]
fn damaged_checkpoint_file_is_detected() {
    let out = scratch();
    let done = Points::experiment().out(out.path().join("whole")).run().unwrap().folder.unwrap();
    let whole = files(&done);
    let newest = "checkpoints/step-00000008/";
    let names: Vec<_> = whole.keys().filter(|name| name.starts_with(newest)).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let (mut cut, mut flipped) = (0, 0);
    for (place, name) in names.iter().enumerate() {
        for damage in Damage::all() {
            let Some(bytes) = damage.on(&whole[*name]) else { continue };
            let run = out.path().join(format!("{place}-{damage:?}"));
            ended(&run, &whole);
            fs::write(run.join(name), bytes).unwrap();
            let before = files(&run);
            assert_eq!(taken_up(&run).unwrap(), (4, 1), "{name} {damage:?}");
            let after = files(&run);
            for (name, bytes) in &before {
                let is_set_aside = name.starts_with(newest);
                // Lines after the resumed checkpoint are written again.
                assert!(is_set_aside || is_log(name) || after[name] == *bytes, "{name} has changed");
            }
            match damage {
                Damage::Cut(_) => cut += 1,
                Damage::Flipped(_) => flipped += 1,
            }
            fs::remove_dir_all(run).unwrap();
        }
    }
    record("damaged: files of a checkpoint", &[("cuts seen", cut), ("flipped bits seen", flipped)]);
}

/// With other files damaged, a run is resumed with the same result or rejected with an error, and its checkpoints stay.
#[test]
fn damaged_run_file_does_not_affect_checkpoints() {
    let out = scratch();
    let done = Points::experiment().out(out.path().join("whole")).run().unwrap().folder.unwrap();
    let whole = files(&done);
    let manifest = fs::read(done.join("manifest.json")).unwrap();
    let (mut cut, mut flipped, mut refused) = (0, 0, 0);
    for name in ["metrics.jsonl", "spec.json", "manifest.json"] {
        let good = whole.get(name).unwrap_or(&manifest);
        for damage in Damage::all() {
            let Some(bytes) = damage.on(good) else { continue };
            let run = out.path().join(format!("{name}-{damage:?}"));
            ended(&run, &whole);
            fs::write(run.join("manifest.json"), &manifest).unwrap();
            fs::write(run.join(name), bytes).unwrap();
            match Points::experiment().resume(&run).run() {
                Ok(_) => {
                    let mut found = files(&run);
                    // Lines from before the checkpoint are not read again.
                    for text in ["metrics.jsonl", "spec.json"] {
                        if text == name {
                            found.insert(text.to_owned(), whole[text].clone());
                        }
                    }
                    found.retain(|name, _| !name.contains(".damaged"));
                    assert_equal(&found, &whole, &format!("{name} {damage:?}"));
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains(name) || said.contains("checkpoint"), "{name} {damage:?}: {said}");
                    assert!(
                        run.join("checkpoints/step-00000004/model.safetensors").exists(),
                        "{name} {damage:?}"
                    );
                    refused += 1;
                }
            }
            match damage {
                Damage::Cut(_) => cut += 1,
                Damage::Flipped(_) => flipped += 1,
            }
            fs::remove_dir_all(run).unwrap();
        }
    }
    record(
        "damaged: other files of a run",
        &[("cuts", cut), ("flipped bits", flipped), ("refused", refused)],
    );
}

/// A damaged model file is rejected or equals the original.
#[test]
fn damaged_model_file_is_rejected() {
    let out = scratch();
    let done = Points::experiment().out(out.path()).run().unwrap().folder.unwrap();
    let path = done.join("model.safetensors");
    let good = fs::read(&path).unwrap();
    let mut cut = 0;
    for damage in (0..64).map(Damage::Cut) {
        let Some(bytes) = damage.on(&good) else { continue };
        fs::write(&path, bytes).unwrap();
        let problem = TrainedModel::<Net>::load(&path).unwrap_err().to_string();
        assert!(problem.contains("model.safetensors"), "{problem}");
        cut += 1;
    }
    record("damaged: a model file", &[("cuts seen", cut)]);
}
