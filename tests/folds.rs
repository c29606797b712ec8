//! Cross-validation: `folds --k 5`, `Experiment::folds`.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use trainspec::data::{Dataset, InMemory, Split};
use trainspec::interrupt::Interrupt;
use trainspec::prelude::*;
use trainspec::trainer::{Event, Exit};
use trainspec::{Error, Experiment, Result};

#[model]
fn Net(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).relu().linear(out = 2)
}

const SAMPLES: usize = 60;

fn points() -> Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..SAMPLES).flat_map(|i| [(i % 7) as f32 / 7.0, (i % 11) as f32 / 11.0]).collect();
    let classes = (0..SAMPLES).map(|i| u32::from(i % 7 > i % 11)).collect();
    let data = InMemory::<Features<2>, Class<2>>::new(inputs, classes)?;
    Ok(data.with_split(Split::Random { validation: 0.2, test: 0.2 }))
}

train! {
    Points {
        model: Net,
        data: points(),
        metrics: [Accuracy, ConfusionMatrix],
        batch: 6,
        epochs: 3,
        seed: 8,
        optimizer: AdamW { lr: 1e-2 },
    }
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn with(out: &Path) -> Experiment<Net> {
    Points::experiment().out(out)
}

#[test]
fn folds_are_runs_and_their_results_are_summarized() {
    let out = tempfile::tempdir().unwrap();
    let result = with(out.path()).folds(4).unwrap().run().unwrap();
    assert_eq!((result.folds.len(), result.folds.iter().map(|fold| fold.samples).sum::<u64>()), (4, 48));
    let names: Vec<_> = result.metrics.keys().map(String::as_str).collect();
    assert_eq!(names, ["accuracy", "loss"]);
    let losses: Vec<f64> = result.folds.iter().map(|fold| fold.metrics["loss"]).collect();
    let mean = losses.iter().sum::<f64>() / 4.0;
    let estimate = result.metrics["loss"];
    assert!((estimate.mean - mean).abs() < 1e-15);
    assert!(estimate.interval[0] < mean && mean < estimate.interval[1]);
    assert!(losses.windows(2).all(|pair| pair[0].to_bits() != pair[1].to_bits()), "{losses:?}");
    let record = json(&result.folder.join("folds.json"));
    assert_eq!((&record["division"], &record["test_samples_left_out"]), (&"classes".into(), &12.into()));
    assert_eq!(record["metrics"]["loss"]["mean"], mean);
    for (place, fold) in result.folds.iter().enumerate() {
        let manifest = json(&fold.run.join("manifest.json"));
        assert_eq!(manifest["result"]["validation"]["loss"], fold.metrics["loss"]);
        assert_eq!(
            (&manifest["data"]["training_samples"], &manifest["data"]["test_samples"]),
            (&36.into(), &0.into())
        );
        let spec = json(&fold.run.join("spec.json"));
        assert_eq!(spec["spec"]["fold"], serde_json::json!({ "of": 4, "fold": place }));
        // The fold is read from the run.
        assert!(Points::experiment().verify(&fold.run, None).unwrap().first.is_none());
    }
    // The same folds elsewhere have the same values; nothing is trained again here.
    let other = tempfile::tempdir().unwrap();
    let again = with(other.path()).folds(4).unwrap().run().unwrap();
    assert_eq!(again.metrics, result.metrics);
    let runs = |folder: &Path| std::fs::read_dir(folder.join("fold-1/points")).unwrap().count();
    assert_eq!(with(out.path()).folds(4).unwrap().run().unwrap(), result);
    assert_eq!(runs(&result.folder), 1);
    // Another spec has its own folder.
    let longer = with(out.path()).epochs(4).folds(4).unwrap();
    assert_ne!(longer.folder(), result.folder);
    assert_eq!(longer.next_fold(), Some(1));
}

#[test]
fn interrupted_folds_continue_with_the_same_bytes() {
    let [whole, parts] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let expected = with(whole.path()).folds(3).unwrap().run().unwrap();
    let interrupt = Interrupt::new();
    let mut folds = with(parts.path()).interrupted_by(&interrupt).folds(3).unwrap();
    folds.train_next(&mut |_: &Event<'_>| Ok(())).unwrap();
    let handle = interrupt.clone();
    let mut stop = |event: &Event<'_>| {
        if let Event::Step(report) = event
            && report.step == 4
        {
            handle.request();
        }
        Ok(())
    };
    assert!(matches!(folds.train_next(&mut stop), Err(Error::Interrupted(_))));
    assert_eq!(folds.next_fold(), Some(2));
    let folder = folds.folder().to_owned();
    // Another process may not use the folder meanwhile.
    assert!(with(parts.path()).folds(3).is_err());
    drop(folds);
    // A fold that completed, but whose process was killed before it was recorded.
    let mut folds = with(parts.path()).folds(3).unwrap();
    assert_eq!((folds.next_fold(), folds.folder()), (Some(2), folder.as_path()));
    let mut resumed = false;
    let mut watch = |event: &Event<'_>| {
        resumed |= matches!(event, Event::Resume(_));
        Ok(())
    };
    folds.train_next(&mut watch).unwrap();
    assert!(resumed);
    let before = json(&folder.join("folds.json"));
    folds.train_next(&mut |_: &Event<'_>| Ok(())).unwrap();
    drop(folds);
    std::fs::write(folder.join("folds.json"), before.to_string()).unwrap();
    let folds = with(parts.path()).folds(3).unwrap();
    assert_eq!(folds.next_fold(), Some(3));
    let found = folds.run().unwrap();
    assert_eq!(std::fs::read_dir(folder.join("fold-3/points")).unwrap().count(), 1);
    assert_eq!(found.metrics, expected.metrics);
    for (found, expected) in found.folds.iter().zip(&expected.folds) {
        let bytes = |run: &Path, name: &str| std::fs::read(run.join(name)).unwrap();
        for name in ["model.safetensors", "metrics.jsonl"] {
            assert_eq!(bytes(&found.run, name), bytes(&expected.run, name), "{name}");
        }
    }
}

#[test]
fn run_of_a_fold_resumes_with_its_fold() {
    let out = tempfile::tempdir().unwrap();
    let interrupt = Interrupt::new();
    let mut folds = with(out.path()).interrupted_by(&interrupt).folds(3).unwrap();
    let handle = interrupt.clone();
    let mut stop = |event: &Event<'_>| {
        if let Event::Step(_) = event {
            handle.request();
        }
        Ok(())
    };
    assert!(folds.train_next(&mut stop).is_err());
    let runs: PathBuf = folds.folder().join("fold-1/points");
    let run = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    let resumed = Points::experiment().resume(&run).run().unwrap();
    assert!(matches!(resumed.outcome.exit, Exit::Completed));
    assert_eq!(resumed.outcome.validation.unwrap().samples, 16);
}

#[test]
fn folds_that_cannot_be_trained_are_rejected() {
    let out = tempfile::tempdir().unwrap();
    let problem = |experiment: Experiment<Net>, k| experiment.folds(k).err().unwrap().to_string();
    let range = "expected 2 to 48, the number of training and validation samples";
    assert_eq!(problem(with(out.path()), 1), format!("folds: k is 1; {range}"));
    assert_eq!(problem(with(out.path()), 49), format!("folds: k is 49; {range}"));
    assert!(
        problem(Points::experiment().without_folder(), 3)
            .starts_with("folds: a cross-validation writes a folder")
    );
    assert!(problem(with(out.path()).resume(out.path()), 3).ends_with("remove `resume`"));
    // Nothing is left behind.
    assert!(std::fs::read_dir(out.path()).unwrap().next().is_none());
    let folds = with(out.path()).folds(2).unwrap();
    let folder = folds.folder().to_owned();
    drop(folds);
    std::fs::write(folder.join("folds.json"), "{}").unwrap();
    let problem = problem(with(out.path()), 2);
    assert!(problem.contains("not the record of a cross-validation"), "{problem}");
}

#[test]
fn folds_command_prints_and_continues() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..50).map(|row| format!("{row},{},{}\n", row % 3, row * 2)).collect::<Vec<_>>().concat();
    std::fs::write(folder.path().join("rows.csv"), rows).unwrap();
    let shown = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_table"));
        let output = program.args(arguments).current_dir(folder.path()).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    };
    let command = ["folds", "--k", "3", "--data", "rows.csv"];
    let (is_success, text) = shown(&command);
    assert!(is_success, "{text}");
    for words in [
        "3 folds of 45 samples, divided at random; the 5 test samples are in no fold",
        "fold 3 of 3",
        "the data are from rows.csv",
        "30 training samples, 15 validation, 0 test",
        "standard deviation",
        "95 % interval from",
        "Student's t with 2 degrees of freedom",
        "folds.json",
    ] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    let (is_success, again) = shown(&command);
    let table = |text: &str| text[text.rfind("standard deviation").unwrap()..].to_owned();
    assert!(is_success && !again.contains("fold 1 of 3") && table(&again) == table(&text), "{again}");
    // The model of a fold is evaluated on its own validation samples.
    let runs = std::fs::read_dir(folder.path().join("runs/table")).unwrap();
    let folds =
        runs.map(|entry| entry.unwrap().path()).find(|path| path.join("folds.json").is_file()).unwrap();
    let record = json(&folds.join("folds.json"));
    let model = folds.join(record["folds"][1]["run"].as_str().unwrap()).join("model.safetensors");
    let model = model.to_str().unwrap();
    let (is_success, text) = shown(&["eval", model, "--part", "validation", "--data", "rows.csv"]);
    let loss = record["folds"][1]["validation"]["loss"].as_f64().unwrap();
    assert!(is_success && text.contains(&format!("{loss:.4}")) && text.contains("15"), "{loss} {text}");
    assert!(shown(&["eval", model, "--data", "rows.csv"]).0);
    let (is_success, text) = shown(&["folds", "--k", "46", "--data", "rows.csv"]);
    assert!(!is_success && text.contains("folds: k is 46; expected 2 to 45"), "{text}");
    assert!(!shown(&["folds"]).0);
}
