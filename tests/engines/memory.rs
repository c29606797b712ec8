//! Compares the memory planned before a run with the memory its process uses: for each way in which a run can end, and for
//! every other operation on it.
//!
//! Each runs in its own process, whose peak the system records: this test starts itself with the task.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use trainspec::data::InMemory;
use trainspec::interrupt::Interrupt;
use trainspec::prelude::*;
use trainspec::trainer::{Event, Exit, RateSearch};
use trainspec::{Experiment, Result, Work};

/// 6.3 million values, 24 MiB.
#[model]
fn Wide(x: Features<1024>) -> Logits<10> {
    x.linear(out = 2048).relu().linear(out = 2048).relu().linear(out = 10)
}

fn samples() -> Result<InMemory<Features<1024>, Class<10>>> {
    let numbers = (0..40 * 1024_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 32768.0 - 1.0);
    InMemory::new(numbers.collect(), (0..40).map(|i| i % 10).collect())
}

train! {
    Ends {
        model: Wide,
        data: samples(),
        batch: 8,
        epochs: 2,
        optimizer: AdamW { lr: 1e-3 },
    }
}

const STOP: (&str, &str) = ("early_stop", r#"{"monitor":"val_loss","patience":1,"min_delta":100.0}"#);
const EMA: (&str, &str) = ("ema", "{}");
const SAVE: (&str, &str) = ("checkpoint", r#"{"every":{"Steps":2},"keep":1}"#);

/// The task of a process in a folder.
struct Way {
    name: &'static str,
    /// The task that must run first.
    after: Option<&'static str>,
    work: Work,
    keys: &'static [(&'static str, &'static str)],
    run: fn(Experiment<Wide>, &Path),
    /// Whether it uses all planned memory; it does not where the plan covers something that may happen.
    is_reached: bool,
}

fn train(training: Experiment<Wide>, _: &Path) {
    assert!(matches!(training.run().unwrap().outcome.exit, Exit::Completed));
}

fn stop_early(training: Experiment<Wide>, _: &Path) {
    assert!(matches!(training.run().unwrap().outcome.exit, Exit::StoppedEarly { .. }));
}

fn interrupt(training: Experiment<Wide>, _: &Path) {
    let interrupt = Interrupt::new();
    let request = |event: &Event<'_>| {
        if matches!(event, Event::Step(report) if report.step == 3) {
            interrupt.request();
        }
        Ok(())
    };
    let run = training.interrupted_by(&interrupt).run_with(&mut { request }).unwrap();
    assert!(matches!(run.outcome.exit, Exit::Interrupted { .. }));
}

fn only(folder: &Path) -> std::path::PathBuf {
    std::fs::read_dir(folder.join("ends")).unwrap().next().unwrap().unwrap().path()
}

const PLAIN: Way =
    Way { name: "done", after: None, work: Work::Train, keys: &[], run: train, is_reached: true };

fn ways() -> Vec<Way> {
    vec![
        PLAIN,
        Way {
            name: "without_folder",
            run: |training, _| train(training.without_folder(), Path::new("")),
            ..PLAIN
        },
        Way { name: "saved", keys: &[SAVE], ..PLAIN },
        Way { name: "averaged", keys: &[EMA], ..PLAIN },
        Way { name: "stopped", keys: &[STOP], run: stop_early, ..PLAIN },
        Way { name: "stopped_averaged_saved", keys: &[STOP, EMA, SAVE], run: stop_early, ..PLAIN },
        Way { name: "interrupted", run: interrupt, ..PLAIN },
        Way { name: "interrupted_averaged", keys: &[EMA], run: interrupt, ..PLAIN },
        Way {
            name: "resumed",
            after: Some("interrupted"),
            work: Work::Resume,
            run: |training, folder| train(training.resume(only(folder)), folder),
            ..PLAIN
        },
        Way {
            name: "begun_with_a_file",
            after: Some("done"),
            run: |training, folder| {
                let model = only(folder).join("model.safetensors");
                train(training.set("init_from", model.to_str().unwrap()).unwrap().without_folder(), folder);
            },
            ..PLAIN
        },
        Way {
            name: "find_rate",
            work: Work::FindRate,
            run: |training, _| {
                training.find_rate(RateSearch { from: 1e-6, to: 1e-4, steps: 10 }).unwrap();
            },
            ..PLAIN
        },
        Way {
            name: "evaluated",
            after: Some("done"),
            work: Work::Evaluate,
            run: |training, folder| {
                let model = training.load(only(folder).join("model.safetensors")).unwrap();
                training.evaluate(&model, trainspec::data::PreparedDataset::validation).unwrap();
            },
            ..PLAIN
        },
        Way {
            name: "verified",
            after: Some("saved"),
            work: Work::Verify,
            keys: &[SAVE],
            run: |training, folder| assert!(training.verify(only(folder), None).unwrap().first.is_none()),
            is_reached: true,
        },
        Way {
            name: "replayed",
            after: Some("saved"),
            work: Work::Replay,
            keys: &[SAVE],
            run: |training, folder| {
                training.replay(only(folder), 7).unwrap().model.save(folder.join("seventh")).unwrap();
            },
            is_reached: false,
        },
    ]
}

fn training(way: &Way, folder: &Path) -> Experiment<Wide> {
    let training = Ends::experiment().out(folder);
    way.keys.iter().fold(training, |training, (key, value)| training.set(key, value).unwrap())
}

/// Returns the peak memory of the process in bytes, without the pages of its files, such as its code.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() << 10
    };
    // Pages of files are read once and stay.
    of("VmHWM:") - of("RssFile:")
}

const WAY: &str = "TRAINSPEC_TEST_WAY";
const FOLDER: &str = "TRAINSPEC_TEST_FOLDER";

/// Runs one task in its own process; returns the bytes that it used in addition to its initial memory.
fn measured(name: &str, folder: &Path) -> u64 {
    let (_, module) = module_path!().split_once("::").unwrap();
    let test = format!("{module}::peak_memory_matches_the_plan");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&test, "--exact", "--nocapture", "--test-threads=1"]).env(WAY, name).env(FOLDER, folder);
    // The plan does not include freed memory that an allocator keeps.
    command.env("MALLOC_MMAP_THRESHOLD_", "65536").env("RAYON_NUM_THREADS", "2");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, number) = text.split_once("took ").unwrap();
    number.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn peak_memory_matches_the_plan() {
    if let Ok(name) = std::env::var(WAY) {
        let folder = std::env::var(FOLDER).unwrap();
        let way = ways().into_iter().find(|way| way.name == name).unwrap();
        let before = peak();
        (way.run)(training(&way, folder.as_ref()), folder.as_ref());
        println!("\ntook {} bytes", peak() - before);
        return;
    }
    let mut wrong = Vec::new();
    // The folders of the tasks that others depend on.
    let mut folders = BTreeMap::new();
    for way in ways() {
        let folder = match way.after {
            Some(after) => folders.remove(after).unwrap_or_else(|| {
                let folder = tempfile::tempdir().unwrap();
                measured(after, folder.path());
                folder
            }),
            None => tempfile::tempdir().unwrap(),
        };
        let took = measured(way.name, folder.path());
        let planned = training(&way, folder.path()).memory(way.work).unwrap().total();
        // The data, the scratch memory of the threads.
        let most = planned + (12 << 20);
        let least = if way.is_reached { planned / 10 * 8 } else { 0 };
        let line = format!("{}: planned {} MiB, took {} MiB", way.name, planned >> 20, took >> 20);
        println!("{line}");
        if !(least..=most).contains(&took) {
            wrong.push(line);
        }
        // A resumed run can no longer be resumed by another task.
        if let Some(after) = way.after.filter(|_| way.work != Work::Resume) {
            folders.insert(after, folder);
        } else {
            folders.insert(way.name, folder);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The model file and its exported form, from which the exported file is written.
#[test]
fn export_memory_is_two_models() {
    if std::env::var(WAY).is_ok() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    measured("done", folder.path());
    let model = only(folder.path()).join("model.safetensors");
    let size = std::fs::metadata(&model).unwrap().len();
    let took = exported(&model, &folder.path().join("exported"));
    assert!(took <= 2 * size + (12 << 20), "{took} bytes for a model of {size}");
}

const MODEL: &str = "TRAINSPEC_TEST_MODEL";

fn exported(model: &Path, to: &Path) -> u64 {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("{module}::export_in_child_process"), "--exact", "--nocapture"]);
    let output = command.env(MODEL, model).env(FOLDER, to).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, number) = text.split_once("took ").unwrap();
    number.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn export_in_child_process() {
    let (Ok(model), Ok(to)) = (std::env::var(MODEL), std::env::var(FOLDER)) else { return };
    let before = peak();
    Wide::load(model).unwrap().export(to).unwrap();
    println!("\ntook {} bytes", peak() - before);
}
