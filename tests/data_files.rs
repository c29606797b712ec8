//! The same program with other data: `data_file(…)`, `Experiment::data_file`, `--data`.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trainspec::data::InMemory;
use trainspec::prelude::*;
use trainspec::{Experiment, Result};

#[model]
fn Line(x: Features<2>) -> Values<1> {
    x.linear(out = 1)
}

/// The declared file does not exist, so a run that reads it fails.
fn points() -> Result<InMemory<Features<2>, Values<1>>> {
    Csv::open(data_file("not-there/points.csv")).header().read()
}

train! {
    Points {
        model: Line,
        data: points(),
        batch: 8,
        epochs: 2,
        seed: 4,
        checkpoint: Checkpoint { every: Epochs(1), keep: 4 },
    }
}

train! {
    NoFile { model: Line, data: InMemory::<Features<2>, Values<1>>::new(vec![0.0; 20], vec![0.0; 10]), epochs: 1 }
}

fn table(folder: &Path, name: &str, slope: usize) -> PathBuf {
    let rows = (0..40).map(|row| format!("{row},{},{}\n", row % 3, row * slope));
    let path = folder.join(name);
    std::fs::write(&path, format!("a,b,c\n{}", rows.collect::<String>())).unwrap();
    path
}

fn manifest(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(run.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn run_on_another_file_is_recorded_verified_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (table(folder.path(), "one.csv", 2), table(folder.path(), "other.csv", 3));
    let with = |path: &Path| Points::experiment().data_file(path).out(folder.path().join("runs"));
    let whole = with(&path).run().unwrap().folder.unwrap();
    let file = &manifest(&whole)["data"]["files"][0];
    assert_eq!(file["declared"], "not-there/points.csv");
    assert_eq!(file["path"], path.to_str().unwrap());
    assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
    // The spec is that of the program, and the recorded file is read again.
    let spec = |run: &Path| std::fs::read(run.join("spec.json")).unwrap();
    assert_eq!(spec(&whole), spec(&with(&other).run().unwrap().folder.unwrap()));
    assert!(Points::experiment().verify(&whole, None).unwrap().first.is_none());
    Points::experiment().replay(&whole, 3).unwrap();
    let part = with(&path).epochs(1).run().unwrap().folder.unwrap();
    let resumed = || Points::experiment().resume(&part).allow_spec_change("epochs");
    let problem = resumed().data_file(&other).run().unwrap_err().to_string();
    let [expected, files] = [
        "the data set differs from that of".to_owned(),
        format!(
            "the run was started with {} (SHA-256 {}), and this is {} (",
            path.display(),
            file["sha256"].as_str().unwrap(),
            other.display()
        ),
    ];
    assert!(problem.contains(&expected) && problem.contains(&files), "{problem}");
    let problem = Points::experiment().data_file(&other).verify(&whole, None).unwrap_err().to_string();
    assert!(problem.contains(&expected) && problem.contains(&files), "{problem}");
    resumed().run().unwrap();
    for name in ["model.safetensors", "metrics.jsonl"] {
        assert_eq!(
            std::fs::read(part.join(name)).unwrap(),
            std::fs::read(whole.join(name)).unwrap(),
            "{name}"
        );
    }
    // A moved file is found where it is now.
    let moved = folder.path().join("moved.csv");
    std::fs::rename(&path, &moved).unwrap();
    let problem = Points::experiment().verify(&whole, None).unwrap_err().to_string();
    assert!(problem.starts_with(path.to_str().unwrap()), "{problem}");
    assert!(Points::experiment().data_file(&moved).verify(&whole, None).unwrap().first.is_none());
}

#[test]
fn data_without_a_replaceable_file_are_rejected() {
    let problem =
        |experiment: Experiment<Line>| experiment.data_file("x.csv").check().unwrap_err().to_string();
    let text = problem(NoFile::experiment());
    assert!(
        text.starts_with("data: x.csv replaces no file: the data of this program take none; write"),
        "{text}"
    );
    assert!(problem(Points::experiment()).starts_with("x.csv: No such file"));
}

fn program(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_table")).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn command_line_reads_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |slope: usize| {
        (0..40).map(|row| format!("{row},{},{}\n", row % 3, row * slope)).collect::<Vec<_>>().concat()
    };
    std::fs::write(folder.path().join("other.csv"), rows(2)).unwrap();
    std::fs::write(folder.path().join("wide.csv"), "1,2,3,4\n").unwrap();
    let shown = |arguments: &[&str]| {
        let output = program(arguments, folder.path());
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    };
    for command in [
        ["train", "--data", "other.csv"].as_slice(),
        &["--data", "other.csv"],
        &["--data", "other.csv", "check"],
    ] {
        let (is_success, text) = shown(command);
        assert!(is_success && text.contains("the data are from other.csv"), "{command:?}: {text}");
    }
    let runs = std::fs::read_dir(folder.path().join("runs/table")).unwrap();
    let run = runs.map(|run| run.unwrap().path()).max().unwrap();
    let model = run.join("model.safetensors");
    for command in [
        ["eval", model.to_str().unwrap(), "--data", "other.csv"].as_slice(),
        &["schedule", "--data", "other.csv"],
        &["find-lr", "--steps", "10", "--data", "other.csv"],
        &["verify", run.to_str().unwrap()],
        &["verify", run.to_str().unwrap(), "--data", "other.csv"],
        &["replay", run.to_str().unwrap(), "--to", "2"],
    ] {
        let (is_success, text) = shown(command);
        assert!(is_success, "{command:?}: {text}");
    }
    for (command, words) in [
        (
            ["train", "--data", "wide.csv"].as_slice(),
            "wide.csv:1: 4 columns; expected 2 for `Features` and 1 for `Values`",
        ),
        (&["summary", "--data", "other.csv"], "unexpected argument '--data'"),
        (&["--data", "other.csv", "spec"], "`--data` is not an option of this command"),
        (
            &["--data", "a", "train", "--data", "b"],
            "`--data` is set twice, before and after the command; remove one",
        ),
    ] {
        let (is_success, text) = shown(command);
        assert!(!is_success && text.contains(words), "{command:?}: {text}");
    }
}
