//! The generated program as a user runs it: its commands, its files, and its errors.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn program(arguments: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_program")).args(arguments).current_dir(out).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn train_reports_progress_and_output_paths() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(&["--epochs", "1", "--set", "optimizer.lr=0.05"], folder.path());
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    for word in ["accuracy", "test", "model.safetensors"] {
        assert!(shown.contains(word), "`{word}` is not in:\n{shown}");
    }
    let run =
        std::fs::read_dir(folder.path().join("runs/small_digits")).unwrap().next().unwrap().unwrap().path();
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(run.join(name)).unwrap()).unwrap()
    };
    assert_eq!(json("spec.json")["spec"]["optimizer"]["lr"], 0.05);
    assert_eq!(json("manifest.json")["spec_hash"], json("spec.json")["hash"]);
    for line in std::fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines() {
        let _: serde_json::Value = serde_json::from_str(line).unwrap();
    }

    let file = run.join("model.safetensors");
    let output = program(&["eval", file.to_str().unwrap()], folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("accuracy"));
}

#[test]
fn quiet_flag_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(&["--quiet", "--epochs", "1"], folder.path());
    assert!(output.status.success());
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
}

#[test]
fn summary_and_spec_do_not_train() {
    let folder = tempfile::tempdir().unwrap();
    let summary = text(&program(&["summary"], folder.path()).stdout);
    for word in ["conv2d_1", "batch_norm_1", "[32, 8, 6, 6]", "linear_1"] {
        assert!(summary.contains(word), "`{word}` is not in:\n{summary}");
    }
    let spec: serde_json::Value = serde_json::from_slice(&program(&["spec"], folder.path()).stdout).unwrap();
    assert_eq!(spec["spec"]["optimizer"]["dampening"], 0.0, "defaults are spelled out");
    assert_eq!(spec["hash"].as_str().unwrap().len(), 64);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn schedule_command_does_not_train() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(&["schedule", "--set", "optimizer.lr=0.4", "--svg", "rates.svg"], folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for words in ["Sgd at 4.00e-1", "Warmup", "Cosine", "first step", "4.00e-1", "1.00e-4", "┤", "┬"] {
        assert!(shown.contains(words), "`{words}` is not in:\n{shown}");
    }
    let picture = std::fs::read_to_string(folder.path().join("rates.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("learning rate"));
    assert!(!folder.path().join("runs").exists());
}

/// An error is one line on standard error, without a backtrace, and leaves no folder.
#[test]
fn command_line_errors_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (["--set", "optimizer.lr=-1"].as_slice(), "lr is -1; expected a number above 0"),
        (&["--set", "optimizer.rate=1"], "unknown key `rate`; expected one of"),
        (&["--set", "btach=1"], "unknown key `btach`; did you mean `batch`? expected one of"),
        (
            &["--set", "precison=F32"],
            "unknown key `precison`; did you mean `precision`? expected one of accumulate, ",
        ),
        (&["--set", "batch=0"], "batch is 0; expected at least 1"),
        (&["--set", "batch=+0", "check"], "batch is 0; expected at least 1"),
        (&["--set", "optimizer.lr=-.5", "spec"], "lr is -0.5; expected a number above 0"),
        (&["--seed", "-1"], "invalid value '-1' for '--seed <NUMBER>': expected a whole number, 0 or more"),
        (&["--set", "batch=1.5"], "floating point `1.5`, expected a whole number, 0 or more"),
        (
            &["--set", "loss.reduction={}"],
            "loss.reduction: unknown variant `{}`, expected one of `Mean`, `mean`, `Sum`, `sum`",
        ),
        (
            &["--set", "checkpoint.every=10"],
            "checkpoint.every: unknown variant `10`, expected `Steps` or `Epochs`",
        ),
        (
            &["--set", "early_stop.monitor=[]"],
            "early_stop.monitor: `[]` cannot be monitored; expected `val_loss`",
        ),
        (&["--set", "on_non_finite.limit=3"], "is \"Stop\" and has no keys; set `on_non_finite` itself"),
        (&["--set", "schedule.0.steps=100000"], "need 100000 steps, but the run has"),
        (&["--set", "early_stop.monitor=val_recall"], "`recall` is not a metric of the run"),
        (&["--set", "optimizer.type=Adam"], "unknown key `type`; expected one of"),
        (&["--set", r#"optimizer={"type":"Adam","lr":1}"#], "whose type is fixed at compile time; set"),
        (&["--set", "optimizer=Adam"], "whose type is fixed at compile time; set"),
        (
            &["--set", r#"ema={"halflife":5}"#],
            "unknown name `halflife`; did you mean `half_life`? expected one of",
        ),
        (&["--set", "on_non_finite={}"], "missing field `limit`"),
        (&["--set", "schedule=[]"], "expected a list of 2: its length is fixed at compile time"),
        (&["--epochs", "3", "--set", "steps=100"], "`epochs` is also set; a run has only one length"),
        (&["--epochs", "0"], "epochs is 0; expected at least 1"),
        (&["--device", "cuda"], "cuda"),
        (&["--out", "/proc/nowhere"], "/proc/nowhere"),
        (&["eval", "missing.safetensors"], "missing.safetensors"),
    ] {
        let output = program(arguments, folder.path());
        assert!(!output.status.success(), "{arguments:?} is accepted");
        let shown = text(&output.stderr);
        assert!(shown.contains(words), "{arguments:?}: `{words}` is not in:\n{shown}");
        assert!(!shown.contains("panicked"), "{shown}");
    }
}

#[test]
fn check_reports_advice_without_training() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |arguments: &[&str]| {
        let output = program(arguments, folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let sane = shown(&["check", "--set", "early_stop.patience=1", "--epochs", "3"]);
    assert!(sane.ends_with("\n\nno errors, no advice\n"), "{sane}");
    assert!(sane.contains(" of memory; ") && sane.contains("1,287 training samples, "), "{sane}");
    let advised = shown(&["check"]);
    for words in [
        "\nadvice: LongPatience: a patience of 2 in a run of 2 evaluations\n  why      the run takes all its steps",
        "\n  or       `allow: [Advice::LongPatience]`\n",
        "\nno errors\n",
    ] {
        assert!(advised.contains(words), "`{words}` is not in:\n{advised}");
    }
    assert!(!shown(&["check", "--set", "allow=[\"LongPatience\"]"]).contains("advice:"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was written");
    for (arguments, words) in [
        (["check", "--set", "schedule.0.steps=100000"].as_slice(), "need 100000 steps, but the run has"),
        (&["check", "--out", "/proc/nowhere"], "the run folder cannot be created"),
    ] {
        let output = program(arguments, folder.path());
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(words), "{error}");
    }
}

/// The exit code reports whether a run matches its run folder.
#[test]
fn run_folder_is_verified_and_model_replayed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(program(&["--quiet", "--seed", "12"], folder.path()).status.success());
    let runs = folder.path().join("runs/small_digits");
    let run = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    let run = run.to_str().unwrap();
    let output = program(&["verify", run], folder.path());
    let shown = text(&output.stdout);
    assert!(
        output.status.success() && shown.contains("the same bit for bit: "),
        "{shown}{}",
        text(&output.stderr)
    );
    assert!(program(&["replay", run, "--to", "15", "--average"], folder.path()).status.success());
    let model = folder.path().join("small_digits-step-00000015-average.safetensors");
    assert!(program(&["eval", model.to_str().unwrap()], folder.path()).status.success());
    assert!(program(&["diff", run, run], folder.path()).status.success());

    let log = Path::new(run).join("metrics.jsonl");
    let lines = std::fs::read_to_string(&log).unwrap().replacen("\"loss\":", "\"loss\":1", 1);
    std::fs::write(log, lines).unwrap();
    let output = program(&["verify", run, "--quiet"], folder.path());
    let error = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(
        error.contains("the re-run differs from the record: step 1: `loss` in metrics.jsonl was 1"),
        "{error}"
    );
}
