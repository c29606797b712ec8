use super::*;
use crate::fixture::experiment;

fn program(line: &str) -> Result<String> {
    let mut out = Vec::new();
    let command = Arguments::read("line", "", line.split_whitespace().map(Into::into)).unwrap();
    run(experiment(), command, &mut out, false)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn train_reports_progress_and_result() {
    let folder = tempfile::tempdir().unwrap();
    let text = program(&format!("line --epochs 2 --out {}", folder.path().display())).unwrap();
    assert!(text.starts_with("line: Line, 6 parameters, AdamW at 1.00e-3, seed 0, cpu with "), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 2, "{text}");
    assert!(text.contains("\ncompleted after 2 epochs, "), "{text}");
    assert!(text.contains("model.safetensors"), "{text}");
}

#[test]
fn resume_reports_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    program(&format!("line -q --epochs 2 --out {out}")).unwrap();
    let text = program(&format!("line --resume --epochs 2 --out {out}")).unwrap();
    assert!(text.starts_with("resuming from ") && text.contains("step-00000010\n\nline: Line"), "{text}");
    assert!(text.contains("\ncompleted after 2 epochs, 10 steps"), "{text}");
    let problem = program(&format!("line --resume --out {out}")).unwrap_err().to_string();
    assert!(problem.contains("`epochs` was 2, is 3; "), "{problem}");
    let text = program(&format!("line --resume --allow-spec-change epochs --out {out}")).unwrap();
    assert!(text.contains("step-00000010\nchanged: `epochs` was 2, is 3\n\nline: "), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 1, "{text}");
    let run = std::fs::read_dir(folder.path().join("line")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(run.join("checkpoints/step-00000015/state.json"), "{}").unwrap();
    let text = program(&format!("line --resume {} --allow-spec-change epochs", run.display())).unwrap();
    let words = "skipped: step-00000015 is damaged: `state.json` has changed since it was written";
    assert!(text.starts_with(words), "{text}");
    let problem = program(&format!("line --resume {} --out {out}", run.display())).unwrap_err();
    assert!(problem.to_string().contains("remove `--out`"), "{problem}");
}

#[test]
fn verify_diff_and_replay_read_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    program(&format!("line -q --seed 3 --out {out}")).unwrap();
    program(&format!("line -q --seed 4 --out {out}")).unwrap();
    let mut runs: Vec<_> =
        std::fs::read_dir(folder.path().join("line")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort_by_key(|run| run.display().to_string().len());
    let [one, other] = runs.as_slice() else { panic!("{runs:?}") };

    let text = program(&format!("line verify {}", one.display())).unwrap();
    assert!(text.starts_with("comparing ") && text.contains(" from the start\n"), "{text}");
    for words in [
        "the same bit for bit: ",
        "steps        1 to 15",
        "at 3 steps",
        "checkpoints  10, 15",
        "final model  the same",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let text = program(&format!("line verify {} --from 10 -q", one.display())).unwrap();
    assert_eq!(text, "");
    let problem = program(&format!("line verify {} --from 3", one.display())).unwrap_err().to_string();
    assert!(problem.contains("no checkpoint of step 3; expected one of 10, 15, or the start"), "{problem}");

    let text = program(&format!("line diff {} {}", one.display(), other.display())).unwrap();
    for words in
        ["started with seed=", "\nspec\n  seed: ", "\nenvironment  the same\n", "differ first at step 1: "]
    {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let text = program(&format!("line diff {0} {0}", one.display())).unwrap();
    assert!(text.ends_with("the runs are the same bit for bit\n"), "{text}");

    let file = folder.path().join("ten");
    let line = format!("line replay {} --to 10 --out {}", one.display(), file.display());
    assert!(program(&line).unwrap().contains("the model after step 10: "));
    let checkpoint = one.join("checkpoints/step-00000010/model.safetensors");
    assert!(std::fs::read(&file).unwrap() == std::fs::read(checkpoint).unwrap());
    assert!(program(&line).unwrap_err().to_string().contains("the file exists"));
    let problem = program(&format!("line replay {} --to 16", one.display())).unwrap_err().to_string();
    assert!(problem.contains("no step 16; expected a step from 1 to 15"), "{problem}");
}

#[test]
fn find_lr_suggests_learning_rate_and_draws_curve() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("found.svg");
    let text =
        program(&format!("line find-lr --from 1e-4 --to 100 --steps 60 --svg {}", svg.display())).unwrap();
    assert!(text.starts_with("line: AdamW, "), "{text}");
    assert!(text.contains("  suggested"), "{text}");
    assert!(std::fs::read_to_string(svg).unwrap().contains("line: loss against learning rate"));
    let wrong = program("line find-lr --from 1 --to 0.5").unwrap_err().to_string();
    assert!(wrong.contains("to is 0.5; expected a learning rate above `from`, 1"), "{wrong}");
}

#[test]
fn quiet_flag_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(program(&format!("line train -q --out {}", folder.path().display())).unwrap(), "");
}

#[test]
fn eval_uses_split_of_training_run() {
    let out = tempfile::tempdir().unwrap();
    let folder = experiment().out(out.path()).seed(7).run().unwrap().folder.unwrap();
    let model = folder.join("model.safetensors");
    let text = program(&format!("line eval {} --part train", model.display())).unwrap();
    assert!(text.contains("on the training data, seed 7\n"), "{text}");
    // The location of the file does not matter.
    let elsewhere = out.path().join("copy");
    std::fs::copy(&model, &elsewhere).unwrap();
    let text = program(&format!("line eval {}", elsewhere.display())).unwrap();
    assert!(text.contains("on the test data, seed 7\n"), "{text}");
    let text = program(&format!("line eval {} --seed 8", elsewhere.display())).unwrap();
    assert!(text.contains("on the test data, seed 8\n"), "{text}");
}

#[test]
fn spec_and_summary_do_not_open_data() {
    let spec: serde_json::Value =
        serde_json::from_str(&program("line spec --set optimizer.lr=0.5").unwrap()).unwrap();
    assert_eq!(spec["spec"]["optimizer"]["lr"], 0.5);
    assert_eq!(spec["hash"], hash(&spec["spec"]));
    assert!(program("line summary --set batch=7").unwrap().contains("[7, 3]"));
}

/// Two spellings of a value give the same spec.
#[test]
fn equal_values_have_equal_spec_hash() {
    let hash = |set: &str| {
        let spec: serde_json::Value =
            serde_json::from_str(&program(&format!("line spec --set {set}")).unwrap()).unwrap();
        spec["hash"].as_str().unwrap().to_owned()
    };
    for spellings in [
        ["optimizer.weight_decay=-0", "optimizer.weight_decay=0", "optimizer.weight_decay=-0.0"],
        ["optimizer.lr=.001", "optimizer.lr=1e-3", "optimizer.lr=+0.0010"],
        ["optimizer.lr=1.", "optimizer.lr=1", "optimizer.lr=+1e0"],
        ["batch=+8", "batch=8", "batch=08"],
    ] {
        let hashes: std::collections::BTreeSet<_> = spellings.map(hash).into_iter().collect();
        assert_eq!(hashes.len(), 1, "{spellings:?}");
    }
    let error = program("line --set seed=-1").unwrap_err();
    assert!(sentence(&error).contains("expected a whole number, 0 or more"), "{}", sentence(&error));
}

#[test]
fn schedule_command_draws_without_training() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("rates.svg");
    let line = format!("line schedule --set optimizer.lr=0.02 --svg {}", file.display());
    let text = program(&line).unwrap();
    // 18 samples in batches of 4 are 5 steps per epoch.
    assert!(text.starts_with("line: AdamW at 2.00e-2; 15 steps, 5 per epoch\n"), "{text}");
    assert!(text.contains("  Constant           1         15   2.00e-2  2.00e-2\n"), "{text}");
    assert!(std::fs::read_to_string(file).unwrap().contains("line: learning rate"));
    assert!(program("line schedule --svg /proc/no/rates.svg").is_err());
}

#[test]
fn set_option_errors_name_the_key() {
    let error = program("line --set optimizer.lr=-1").unwrap_err();
    assert_eq!(sentence(&error), "optimizer.lr: AdamW: lr is -1; expected a number above 0");
    let error = program("line --set optimizer.lrr=1").unwrap_err();
    assert!(sentence(&error).contains("unknown key `lrr`; did you mean `lr`? expected one of"), "{error}");
    let error = program("line --set precison=F32").unwrap_err();
    let said = sentence(&error);
    assert!(
        said.starts_with(
            "precison: unknown key `precison`; did you mean `precision`? expected one of accumulate, "
        ),
        "{said}"
    );
}

#[test]
fn control_characters_in_keys_are_escaped() {
    let key = "optimizer.lr\u{1b}[2J\n";
    let error = experiment().set(key, "1").map(|_| ()).unwrap_err();
    assert!(sentence(&error).contains("lr\\u{1b}[2J\\n"), "{}", sentence(&error));
    assert!(!sentence(&error).contains(char::is_control));
}

/// An exit, a key and its value that were written to mislead the reader.
#[test]
fn control_characters_in_run_folder_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    program(&format!("line -q --seed 3 --out {}", out.display())).unwrap();
    let run = std::fs::read_dir(out.join("line")).unwrap().next().unwrap().unwrap().path();
    let path = run.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["exit"] = json!("completed\u{1b}[2J\u{202e}\nthe runs are the same bit for bit");
    manifest["overrides"] = json!([{ "key": "seed\u{9b}31m", "value": "3\r4" }]);
    manifest["threads"] = json!(77);
    manifest["device"] = json!("cpu\u{2066}\u{7}");
    std::fs::write(&path, manifest.to_string()).unwrap();
    program(&format!("line -q --seed 4 --out {}", out.display())).unwrap();
    let newest = crate::run_dir::newest(out, "line").unwrap();
    let text = program(&format!("line diff {} {}", run.display(), newest.display())).unwrap();
    for words in [
        "completed\\u{1b}[2J\\u{202e}\\nthe runs are the same bit for bit\n",
        "started with seed\\u{9b}31m=3\\r4\n",
        "device: \"cpu\\u{2066}",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let is_shown = |letter: char| letter == '\n' || !(letter.is_control() || letter == '\u{202e}');
    assert!(text.chars().all(is_shown) && !text.contains('\u{2066}'), "{text}");
    // The keys of the run are invalid; the error escapes them, too.
    let problem = sentence(&program(&format!("line verify {}", run.display())).unwrap_err());
    assert!(problem.contains("seed\\u{9b}31m"), "{problem}");
}

/// The output path is checked before the work.
#[test]
fn output_path_is_checked_before_computing() {
    for line in ["find-lr --svg", "schedule --svg", "export x.safetensors --out"] {
        let folder = tempfile::tempdir().unwrap();
        let problem = program(&format!("line {line} {}", folder.path().display())).unwrap_err().to_string();
        assert!(problem.ends_with("this is a folder; pass a file name"), "{problem}");
    }
}

#[test]
fn exported_model_evaluates_like_original() {
    let out = tempfile::tempdir().unwrap();
    let folder = experiment().out(out.path()).run().unwrap().folder.unwrap();
    let file = out.path().join("exported.safetensors");
    let text = program(&format!("line export {} --out {}", folder.display(), file.display())).unwrap();
    assert!(text.contains("  3 tensors with 9 values; inputs are not normalized\n"), "{text}");
    assert!(text.ends_with("exported.safetensors\n"), "{text}");
    let measured = |path: &std::path::Path| {
        let text = program(&format!("line eval {}", path.display())).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(measured(&file), measured(&folder.join("model.safetensors")));
    let model = folder.join("model.safetensors");
    let problem = program(&format!("line export {} --out {0}", model.display())).unwrap_err().to_string();
    assert!(problem.contains("is the model to export; choose another file"), "{problem}");
}

#[test]
fn missing_model_file_is_named_once() {
    let text = sentence(&program("line eval nowhere.safetensors").unwrap_err());
    assert!(text.starts_with("nowhere.safetensors: "), "{text}");
    assert_eq!(text.matches("No such file").count(), 1, "{text}");
}
