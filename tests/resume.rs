//! A run that is ended after any of its steps and taken up again leaves the files of one that was not, byte for byte.
//!
//! Seen to fail when the optimizer's state, the average, the loss scale, its steps since the last change, the steps that were
//! skipped (and have used up samples), the schedule's state, the sums of the epoch, the watch, the curves or the best
//! checkpoint's step are not restored, and when lines of `metrics.jsonl` behind the checkpoint stay.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use trainspec::engine::{Engine, Tape};
use trainspec::prelude::*;
use trainspec::run::{Folder, Start};
use trainspec::train::{self, Event, Exit, Resumed};
use trainspec::{Error, Result, Training};

#[model]
fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 3, kernel = 3, bias = false).batch_norm().relu();
    x.flatten().dropout(p = 0.3).linear(out = 3)
}

/// 42 images with the brightness of their class here and there: 30 to learn from.
struct Blots;

impl Dataset for Blots {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        42
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        for (place, value) in input.iter_mut().enumerate() {
            let noise = (index * 7919 + place * 104_729) % 101;
            *value = noise as f32 / 50.0 - 1.0 + if place % 3 == index % 3 { 0.5 } else { 0.0 };
        }
        target.fill((index % 3) as u32);
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..30, validation: 30..36, test: 36..42 }
    }
}

train! {
    /// 8 steps an epoch; stops early or takes 24.
    Adam {
        model: Net,
        data: Blots,
        metrics: [Accuracy, F1, ConfusionMatrix, Auroc],
        batch: 4,
        epochs: 3,
        seed: 5,
        optimizer: AdamW { lr: 0.02 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-4 }],
        clip: GlobalNorm { max: 1.0 },
        ema: Ema { decay: 0.9, warmup: true },
        gradient_norms: true,
        early_stop: EarlyStop { patience: 2 },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// 3 steps an epoch, the last of fewer micro-batches, of which the last is smaller.
    Momentum {
        model: Net,
        data: Blots,
        metrics: [Accuracy],
        batch: 4,
        accumulate: 3,
        epochs: 8,
        optimizer: Sgd { lr: 0.5, momentum: 0.9, weight_decay: 1e-3 },
        schedule: [ReduceOnPlateau { factor: 0.5, patience: 0, cooldown: 1 }],
        gradient_noise: GradientNoise { eta: 1e-4 },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// The scale is too high again and again.
    Half {
        model: Net,
        data: Blots,
        metrics: [Accuracy],
        batch: 5,
        steps: 21,
        optimizer: AdamW { lr: 0.01 },
        schedule: [Cosine],
        precision: F16 { loss_scale: Dynamic { init: 33554432, interval: 3 } },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// Mixed samples, weights within bounds, another optimizer with state of its own; ends within an epoch.
    Mixed {
        model: Net,
        data: Blots,
        metrics: [Accuracy],
        batch: 8,
        steps: 22,
        optimizer: NAdam { lr: 0.01 },
        mix: Mixup { alpha: 0.4 },
        constrain: MaxNorm { max: 1.0 },
        early_stop: EarlyStop { monitor: ValMetric("accuracy"), patience: 6, restore_best: false },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

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

static MOVED: AtomicBool = AtomicBool::new(false);

/// [`Blots`], of which one may move.
struct Moved;

impl Dataset for Moved {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        42
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        Blots.sample(index, input, target)?;
        if index == 3 && MOVED.load(Ordering::Relaxed) {
            input[0] += 0.25;
        }
        Ok(())
    }
}

train! {
    Moving { model: Net, data: Moved, steps: 2, checkpoint: Checkpoint { every: Steps(1), keep: 1 } }
}

/// Every file of a run by its name, but for the manifest, which tells of times.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "manifest.json" {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn checkpoint(step: u64) -> String {
    format!("checkpoints/step-{step:08}")
}

/// The folder of a run as one that is ended after step `k` leaves it: lines that it wrote after its last checkpoint are
/// there whole, with a cut one behind them, or cut, or are not.
fn killed(whole: &BTreeMap<String, Vec<u8>>, k: u64, to: &Path) {
    let state: serde_json::Value =
        serde_json::from_slice(&whole[&format!("{}/state.json", checkpoint(k))]).unwrap();
    let recorded = state["metrics"]["bytes"].as_u64().unwrap() as usize;
    for (name, bytes) in whole {
        let is_later = name.starts_with("checkpoints/") && *name > format!("{}~", checkpoint(k));
        if is_later || ["model.safetensors", "curves.svg"].contains(&name.as_str()) {
            continue;
        }
        let mut bytes = bytes.clone();
        if name == "metrics.jsonl" {
            match k % 3 {
                0 => bytes.truncate(recorded),
                1 => bytes.truncate(recorded + 7),
                _ => bytes.extend_from_slice(b"{\"kind\":\"st"),
            }
        }
        write(&to.join(name), &bytes);
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[track_caller]
fn assert_equal(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert!(found.keys().eq(expected.keys()), "{what}: {:?} against {:?}", found.keys(), expected.keys());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}

/// Runs, then resumes from every checkpoint; gives the files, and how the run ended.
fn from_every_step<M: Model>(training: impl Fn() -> Training<M>) -> (BTreeMap<String, Vec<u8>>, Exit) {
    let out = tempfile::tempdir().unwrap();
    let run = training().out(out.path()).run().unwrap();
    let whole = files(&run.folder.unwrap());
    for name in ["model.safetensors", "metrics.jsonl", "curves.svg", "spec.json"] {
        assert!(whole.contains_key(name), "{name}");
    }
    for k in 1..=run.outcome.steps {
        let folder = out.path().join(k.to_string());
        killed(&whole, k, &folder);
        let again = training().resume(&folder).run().unwrap();
        assert_eq!(again.outcome, run.outcome, "from step {k}");
        assert_equal(&files(&folder), &whole, &format!("from step {k}"));
    }
    (whole, run.outcome.exit)
}

fn lines(files: &BTreeMap<String, Vec<u8>>, kind: &str) -> usize {
    let text = std::str::from_utf8(&files["metrics.jsonl"]).unwrap();
    text.lines().filter(|line| line.starts_with(&format!(r#"{{"kind":"{kind}""#))).count()
}

#[test]
fn adam_with_an_average_and_early_stop() {
    let (files, exit) = from_every_step(Adam::training);
    assert_eq!((exit, lines(&files, "step")), (Exit::Completed, 24));
    assert!(files.contains_key(&format!("{}/best.safetensors", checkpoint(24))));
    assert!(files.contains_key(&format!("{}/ema.safetensors", checkpoint(24))));
}

/// At a rate so high that it does not improve for long.
#[test]
fn a_run_that_stops_early() {
    let (files, exit) =
        from_every_step(|| Adam::training().set("optimizer.lr", "3").unwrap().set("epochs", "9").unwrap());
    assert!(matches!(exit, Exit::StoppedEarly { .. }), "{exit:?}");
    assert!(lines(&files, "epoch") < 9);
}

#[test]
fn momentum_on_a_plateau_in_uneven_windows() {
    let (files, _) = from_every_step(Momentum::training);
    assert_eq!(lines(&files, "step"), 24);
    let state: serde_json::Value =
        serde_json::from_slice(&files[&format!("{}/state.json", checkpoint(24))]).unwrap();
    assert!(state["schedule"][0]["reductions"].as_f64().unwrap() > 0.0, "the plateau is of use: {state}");
}

#[test]
fn f16_with_skipped_steps() {
    let (files, _) = from_every_step(Half::training);
    let (steps, skips) = (lines(&files, "step"), lines(&files, "skip"));
    assert_eq!(steps, 21);
    let text = std::str::from_utf8(&files["metrics.jsonl"]).unwrap();
    let last_skip =
        text.lines().enumerate().filter(|(_, line)| line.contains(r#""kind":"skip""#)).last().unwrap().0;
    assert!(skips > 2 && last_skip > 12, "{skips} skips, the last at line {last_skip}");
}

#[test]
fn mixed_samples_and_bound_weights() {
    let (files, _) = from_every_step(Mixed::training);
    assert_eq!((lines(&files, "step"), lines(&files, "epoch")), (22, 6));
}

/// Taken up from whatever checkpoints a run keeps: what it keeps at the end is the same.
#[test]
fn what_is_kept_is_the_same() {
    let out = tempfile::tempdir().unwrap();
    let whole = files(&Sparing::training().out(out.path()).run().unwrap().folder.unwrap());
    let states = || whole.keys().filter(|name| name.ends_with("state.json"));
    assert_eq!(states().count(), 2, "{:?}", states().collect::<Vec<_>>());
    for last in 1..24 {
        let mut seen = 0;
        let mut end = |event: &Event<'_>| {
            seen += u64::from(matches!(event, Event::Step(_)));
            if seen == last { Err(Error::Dataset("no more".to_owned())) } else { Ok(()) }
        };
        let place = out.path().join(last.to_string());
        assert!(Sparing::training().out(&place).run_with(&mut end).is_err());
        let again = Sparing::training().out(&place).resume_newest().run();
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
    let out = tempfile::tempdir().unwrap();
    let whole = files(&Sparing::training().out(out.path()).run().unwrap().folder.unwrap());
    let folder = out.path().join("killed");
    killed(&whole, 24, &folder);
    let partial = folder.join("checkpoints/.step-00000027.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("model.safetensors"), "half").unwrap();
    Sparing::training().resume(&folder).run().unwrap();
    assert_equal(&files(&folder), &whole, "with a partial folder");
}

/// A process that is ended by the system at whatever instant, again and again, across saves, renames and lines half written.
#[test]
fn a_run_that_is_killed_again_and_again() {
    let out = tempfile::tempdir().unwrap();
    let run = |place: &str, more: &[&str], wait: Option<Duration>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_program"));
        command.args(["--quiet", "--set", r#"checkpoint.every={"Steps":1}"#, "--out", place]).args(more);
        let mut child = command
            .current_dir(out.path())
            .env("RAYON_NUM_THREADS", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(wait) = wait {
            std::thread::sleep(wait);
            // It may have ended by itself.
            let _ = child.kill();
        }
        child.wait_with_output().unwrap()
    };
    let began = Instant::now();
    let only = |place: &str| {
        let mut runs: Vec<_> = fs::read_dir(out.path().join(place).join("small_digits"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        runs.sort();
        runs.pop().unwrap()
    };
    assert!(run("whole", &[], None).status.success());
    let whole = files(&only("whole"));
    let length = began.elapsed();

    let (mut kills, mut random) = (0, 1_u32);
    let mut ended = run("killed", &[], Some(length / 4));
    while !ended.status.success() {
        kills += u32::from(ended.status.code().is_none());
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wait = length / 3 * (random >> 24) / 256;
        ended = run("killed", &["--resume"], (kills < 12).then_some(wait));
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        if said.contains("there is no run") || said.contains("there is no checkpoint") {
            ended = run("killed", &[], Some(length / 2));
        } else {
            assert!(said.is_empty(), "{said}");
        }
    }
    assert!(kills >= 3, "{kills} kills");
    assert_equal(&files(&only("killed")), &whole, &format!("after {kills} kills"));
}

/// The tape engine, which a program gets where the planned one does not run, led by hand.
#[test]
fn the_tape_engine() {
    let out = tempfile::tempdir().unwrap();
    let mut training = Adam::training();
    let (graph, data, spec) = (training.graph().unwrap(), training.data().unwrap(), training.spec().unwrap());
    let settings = training.settings().unwrap();
    let start = Start {
        name: "adam",
        spec: &spec,
        spec_hash: &trainspec::spec::hash(&spec),
        overrides: &[],
        settings,
        graph: &graph,
        data: &data,
    };
    let tape = || {
        let objective = Box::new(std::sync::Arc::clone(&settings.loss));
        Tape::new(graph.clone(), objective, settings.seed, candle_core::Device::Cpu).unwrap()
    };
    let weights = |engine: &Tape| -> Vec<u32> {
        let tensors = engine.parameters().unwrap();
        let numbers = tensors.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        numbers.flatten().map(f32::to_bits).collect()
    };
    let mut folder = Folder::create(out.path(), &start).unwrap();
    let mut engine = tape();
    let outcome = train::run(&mut engine, &graph, settings, &data, &mut folder).unwrap();
    folder.finish("completed", Some(&outcome)).unwrap();
    let whole = files(folder.path());
    for k in 1..=outcome.steps {
        let path = out.path().join(k.to_string());
        killed(&whole, k, &path);
        let (mut folder, saved, _) = Folder::resume(&path, &start, &[]).unwrap();
        let mut resumed = tape();
        let again = train::resume(&mut resumed, &graph, settings, &data, saved, &mut folder).unwrap();
        folder.finish("completed", Some(&again)).unwrap();
        assert_eq!((&again, weights(&resumed)), (&outcome, weights(&engine)), "from step {k}");
        assert_equal(&files(&path), &whole, &format!("from step {k}"));
    }
}

/// A run of 24 steps that was ended, and what a resumed run says.
fn ended() -> (tempfile::TempDir, PathBuf, BTreeMap<String, Vec<u8>>) {
    let out = tempfile::tempdir().unwrap();
    let whole = files(&Adam::training().out(out.path()).run().unwrap().folder.unwrap());
    let folder = out.path().join("killed");
    killed(&whole, 20, &folder);
    (out, folder, whole)
}

fn resumed(training: Training<Net>, folder: &Path) -> Result<Resumed> {
    let mut said = None;
    let mut look = |event: &Event<'_>| {
        if let Event::Resume(resumed) = event {
            said = Some((*resumed).clone());
        }
        Ok(())
    };
    training.resume(folder).run_with(&mut look)?;
    Ok(said.unwrap())
}

/// Each file of the newest checkpoint cut, with a bit flipped, empty, or gone: the one before it is used, and the run
/// ends the same.
#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let (out, folder, whole) = ended();
    let newest = format!("{}/", checkpoint(20));
    let names: Vec<_> = whole.keys().filter(|name| name.starts_with(&newest)).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for (place, name) in names.into_iter().enumerate() {
        for (kind, what) in ["cut", "flipped", "empty", "gone"].into_iter().enumerate() {
            let folder = out.path().join(format!("{place}-{kind}"));
            killed(&whole, 20, &folder);
            let mut bytes = whole[name].clone();
            match what {
                "cut" => bytes.truncate(bytes.len() / 3),
                "flipped" => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 4;
                }
                _ => bytes.clear(),
            }
            fs::write(folder.join(name), bytes).unwrap();
            if what == "gone" {
                fs::remove_file(folder.join(name)).unwrap();
            }
            let said = resumed(Adam::training(), &folder).unwrap();
            assert_eq!((said.step, said.damaged.len()), (19, 1), "{name} {what}");
            let sentence = &said.damaged[0];
            let file = name.strip_prefix(&newest).unwrap();
            assert!(sentence.starts_with("step-00000020 is not whole: `"), "{sentence}");
            assert!(sentence.contains(file) || file == "SHA256SUMS", "{name} {what}: {sentence}");
            let mut found = files(&folder);
            found.retain(|name, _| !name.contains(".damaged/"));
            assert_equal(&found, &whole, &format!("{name} {what}"));
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
            assert_eq!(manifest["resumed"][0]["damaged"][0], *sentence);
            assert_eq!(
                (&manifest["resumed"][0]["step"], &manifest["exit"]),
                (&19.into(), &"completed".into())
            );
        }
    }
    drop(folder);
}

/// What a damaged list of lines takes with it are the checkpoints that came after the damage.
#[test]
fn a_log_that_is_shorter_than_a_checkpoint_says_passes_it_over() {
    let (_out, folder, whole) = ended();
    let state: serde_json::Value =
        serde_json::from_slice(&whole[&format!("{}/state.json", checkpoint(11))]).unwrap();
    let length = state["metrics"]["bytes"].as_u64().unwrap() as usize;
    fs::write(folder.join("metrics.jsonl"), &whole["metrics.jsonl"][..length]).unwrap();
    let said = resumed(Adam::training(), &folder).unwrap();
    assert_eq!((said.step, said.damaged.len()), (11, 9));
    assert!(said.damaged[0].contains("at the checkpoint it had"), "{:?}", said.damaged);
    fs::remove_file(folder.join("metrics.jsonl")).unwrap();
    let problem = resumed(Adam::training(), &folder).unwrap_err().to_string();
    assert!(problem.contains("no checkpoint can be used: step-00000024 is not whole: "), "{problem}");
}

#[test]
fn a_changed_spec_is_refused_by_the_names_of_its_keys() {
    let (_out, folder, whole) = ended();
    let mut before = files(&folder);
    before.insert("lock".to_owned(), Vec::new());
    let changed = || {
        let training = Adam::training().set("optimizer.lr", "0.5").unwrap();
        training.set("ema.decay", "0.8").unwrap().set("epochs", "4").unwrap()
    };
    let problem = resumed(changed(), &folder).unwrap_err().to_string();
    for words in [
        "resume: ",
        "step-00000020 is of another spec: `ema.decay` was 0.9, is 0.8; `epochs` was 3, is 4; `optimizer.lr` was 0.02, is 0.5;",
        "--allow-spec-change ema.decay,epochs,optimizer.lr",
    ] {
        assert!(problem.contains(words), "`{words}` is not in: {problem}");
    }
    let problem = resumed(changed().allow_spec_change("optimizer").allow_spec_change("epochs"), &folder);
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("`ema.decay` was") && !problem.contains("`epochs` was"), "{problem}");
    assert_equal(&files(&folder), &before, "refused");

    let permitted =
        ["optimizer.lr", "epochs", "ema"].into_iter().fold(changed(), Training::allow_spec_change);
    let said = resumed(permitted, &folder).unwrap();
    assert_eq!(said.changes.len(), 3);
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let (manifest, spec) = (json("manifest.json"), json("spec.json"));
    assert_eq!(manifest["resumed"][0]["spec_changes"][1], "`epochs` was 3, is 4");
    assert_eq!((&spec["spec"]["epochs"], &spec["hash"]), (&4.into(), &manifest["spec_hash"]));
    assert!(lines(&files(&folder), "step") > lines(&whole, "step"), "it went on for longer");
}

/// What is permitted must fit the state nevertheless.
#[test]
fn a_state_that_does_not_fit_is_refused() {
    let (_out, folder, _) = ended();
    let tried = |key: &str, value: &str| {
        let training = Adam::training().set(key, value).unwrap().allow_spec_change(key);
        resumed(training, &folder).unwrap_err().to_string()
    };
    let problem = tried("batch", "5");
    assert!(problem.contains("that is no place in a run of 18 steps, 6 an epoch"), "{problem}");
    let problem = resumed(Adam::training().set("epochs", "2").unwrap().allow_spec_change("epochs"), &folder);
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("no place in a run of 16 steps"), "{problem}");
    let sgd = Sgd { momentum: 0.9, ..<Sgd as trainspec::Config>::DEFAULT };
    let training = Adam::training().optimizer(&sgd).allow_spec_change("optimizer");
    let problem = resumed(training, &folder).unwrap_err().to_string();
    assert!(
        problem.contains("not the state of `Sgd`: ") && problem.contains("`linear_1.bias.m` is left over"),
        "{problem}"
    );
}

/// A checkpoint of another program, another model, other data.
#[test]
fn what_is_of_another_run_is_refused() {
    let (out, folder, _) = ended();
    let problem = Momentum::training().resume(&folder).run().unwrap_err().to_string();
    assert!(problem.contains("`name` was \"adam\", is \"momentum\""), "{problem}");
    let problem = Adam::training().resume(out.path().join("nowhere")).run().unwrap_err().to_string();
    assert!(problem.contains("nowhere is no folder; expected that of a run"), "{problem}");
}

/// One number of one sample has changed.
#[test]
fn other_data_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let folder = Moving::training().out(out.path()).run().unwrap().folder.unwrap();
    MOVED.store(true, Ordering::Relaxed);
    let problem = Moving::training().resume(&folder).run().unwrap_err().to_string();
    let words = ["data: they are not those of ", "their fingerprint was ", "the data it was begun with"];
    assert!(words.iter().all(|words| problem.contains(words)), "{problem}");
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let (_out, folder, _) = ended();
    let mut problem = None;
    let mut look = |event: &Event<'_>| {
        if let Event::Begin(_) = event {
            problem = Some(Adam::training().resume(&folder).run().unwrap_err().to_string());
        }
        Ok(())
    };
    Adam::training().resume(&folder).run_with(&mut look).unwrap();
    let problem = problem.unwrap();
    assert!(problem.contains("another process is at work in this run folder"), "{problem}");
}

/// Files whose sums are right, but that no run has written: each value of the state in turn, and each byte of the headers of
/// tensors. Whatever is in them, it is an error or a run.
#[test]
fn no_bytes_make_it_panic() {
    let out = tempfile::tempdir().unwrap();
    let training = || Adam::training().set("checkpoint.every", r#"{ "Steps": 30 }"#).unwrap();
    let whole = files(&Adam::training().out(out.path()).run().unwrap().folder.unwrap());
    let place = checkpoint(20);
    let try_with = |name: &str, bytes: Vec<u8>| {
        let folder = out.path().join("changed");
        let _ = fs::remove_dir_all(&folder);
        let mut changed: BTreeMap<_, _> = whole
            .iter()
            .filter(|(name, _)| !name.starts_with("checkpoints/") || name.starts_with(&place))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        changed.insert(format!("{place}/{name}"), bytes);
        let mut sums = String::new();
        for (name, bytes) in &changed {
            let name = name.strip_prefix(&format!("{place}/")).filter(|name| *name != "SHA256SUMS");
            if let Some(name) = name {
                for byte in Sha256::digest(bytes) {
                    write!(sums, "{byte:02x}").unwrap();
                }
                writeln!(sums, "  {name}").unwrap();
            }
        }
        changed.insert(format!("{place}/SHA256SUMS"), sums.into_bytes());
        for (name, bytes) in &changed {
            write(&folder.join(name), bytes);
        }
        training().allow_spec_change("checkpoint").resume(&folder).run().map(|_| ())
    };
    let text = &whole[&format!("{place}/state.json")];
    let state: serde_json::Value = serde_json::from_slice(text).unwrap();
    try_with("state.json", text.clone()).unwrap();
    let mut paths = Vec::new();
    leaves(&state, String::new(), &mut paths);
    paths.retain(|path| !path.starts_with("/spec/") && !path.starts_with("/metrics/"));
    assert!(paths.len() > 30, "{paths:?}");
    let (mut errors, mut runs) = (0, 0);
    for path in &paths {
        for value in
            ["null", "0", "-1", "18446744073709551615", "1e308", "\"NaN\"", "[]", "{}", "[[1],[2,3]]"]
        {
            let mut changed = state.clone();
            *changed.pointer_mut(path).unwrap() = serde_json::from_str(value).unwrap();
            match try_with("state.json", serde_json::to_vec(&changed).unwrap()) {
                Ok(()) => runs += 1,
                Err(_) => errors += 1,
            }
        }
    }
    assert!(errors > runs, "{errors} errors, {runs} runs");
    for name in ["model.safetensors", "optimizer.safetensors"] {
        let bytes = &whole[&format!("{place}/{name}")];
        for byte in (0..160).step_by(3).chain([usize::MAX]) {
            let mut changed = bytes.clone();
            match changed.get_mut(byte) {
                Some(byte) => *byte ^= 0x11,
                None => changed.truncate(100),
            }
            let _ = try_with(name, changed);
        }
    }
}

/// The paths of the values within a value, as JSON pointers.
fn leaves(json: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match json {
        serde_json::Value::Object(keys) => {
            keys.iter().for_each(|(key, value)| leaves(value, format!("{path}/{key}"), paths));
        }
        serde_json::Value::Array(list) => {
            list.iter()
                .take(3)
                .enumerate()
                .for_each(|(key, value)| leaves(value, format!("{path}/{key}"), paths));
        }
        _ => {}
    }
    paths.push(path);
}

/// A manifest or spec that was damaged does not matter: both are made anew.
#[test]
fn the_other_files_are_no_part_of_the_state() {
    let (_out, folder, whole) = ended();
    fs::write(folder.join("manifest.json"), "{").unwrap();
    fs::write(folder.join("spec.json"), "").unwrap();
    resumed(Adam::training(), &folder).unwrap();
    assert_equal(&files(&folder), &whole, "without manifest and spec");
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["id"], &manifest["exit"]), (&"killed".into(), &"completed".into()));
}
