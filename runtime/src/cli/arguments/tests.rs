use super::*;

fn read(line: &str) -> Result<Command, clap::Error> {
    Arguments::read("digits", "Classifies digits.", line.split_whitespace().map(OsString::from))
}

#[test]
fn command_definitions_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn missing_command_defaults_to_train() {
    for line in ["digits --epochs 3 --quiet --set a.b=1", "digits train --epochs 3 --quiet --set a.b=1"] {
        let Ok(Command::Train(train)) = read(line) else { panic!("{line}") };
        assert!(train.quiet);
        let keys: Vec<_> = train.changes.keys().collect();
        assert_eq!(keys, [("epochs".into(), "3".into()), ("a.b".into(), "1".into())]);
    }
    assert!(matches!(read("digits"), Ok(Command::Train(_))));
}

#[test]
fn resume_accepts_optional_folder() {
    let resume = |line: &str| match read(line) {
        Ok(Command::Train(train)) => (train.resume, train.allow_spec_change),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(resume("digits"), (None, vec![]));
    assert_eq!(resume("digits --resume"), (Some(None), vec![]));
    assert_eq!(resume("digits train --resume --quiet"), (Some(None), vec![]));
    let run = Some(Some("runs/1".into()));
    let keys = vec!["epochs".to_owned(), "optimizer.lr".to_owned()];
    assert_eq!(resume("digits --resume runs/1 --allow-spec-change epochs,optimizer.lr"), (run, keys));
    assert!(read("digits --allow-spec-change epochs").is_err());
}

#[test]
fn options_are_accepted_before_the_command() {
    let keys = |line: &str| match read(line) {
        Ok(
            Command::Check(Check { changes, .. })
            | Command::Spec(changes)
            | Command::Train(Train { changes, .. }),
        ) => changes.keys().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(keys("digits --set a=b check"), "a=b");
    assert_eq!(keys("digits --set a=1 --seed 3 spec --set a=2"), "seed=3 a=1 a=2");
    assert_eq!(keys("digits --epochs 2 train --set a=2"), "epochs=2 a=2");
    let Ok(Command::Check(check)) = read("digits --out there check") else { panic!() };
    assert_eq!(check.out, Some("there".into()));
    let Ok(Command::Train(train)) = read("digits --quiet --resume=runs/1 train") else { panic!() };
    assert!(train.quiet && train.resume == Some(Some("runs/1".into())));
    for (line, words) in [
        ("digits --quiet summary", "`--quiet` is not an option of this command"),
        ("digits --set a=1 diff a b", "`--set` is not an option of this command"),
        ("digits --seed 1 verify a", "`--seed` is not an option of this command"),
        ("digits --resume=a check", "`--resume` is not an option of this command"),
        ("digits --seed 1 check --seed 2", "`--seed` is set twice, before and after the command"),
    ] {
        let message = read(line).unwrap_err().to_string();
        assert!(message.contains(words), "{line}: {message}");
    }
}

#[test]
fn data_option_belongs_to_commands_that_read_data() {
    for line in [
        "digits train --data x.csv",
        "digits --data x.csv",
        "digits --data x.csv check",
        "digits eval m --data x.csv",
        "digits folds --k 3 --data x.csv",
        "digits --data x.csv schedule",
        "digits find-lr --data x.csv",
        "digits verify a --data x.csv",
        "digits replay a --to 3 --data x.csv",
    ] {
        let mut command = read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(command.data().unwrap().file, Some("x.csv".into()), "{line}");
    }
    for (line, words) in [
        ("digits --data a diff b c", "`--data` is not an option of this command"),
        ("digits summary --data a", "unexpected argument '--data'"),
        ("digits --data a train --data b", "`--data` is set twice, before and after the command"),
        ("digits folds", "--k <NUMBER>"),
        ("digits folds --k -1", "expected a whole number, 0 or more"),
    ] {
        let message = read(line).unwrap_err().to_string();
        assert!(message.contains(words), "{line}: {message}");
    }
}

/// Numbers follow Rust's grammar.
#[test]
fn number_arguments_follow_rust_syntax() {
    for (line, seed) in [("digits --seed 7", 7), ("digits --seed +7", 7), ("digits --seed=007", 7)] {
        let Ok(Command::Train(train)) = read(line) else { panic!("{line}") };
        assert_eq!(train.changes.seed, Some(seed));
    }
    for line in ["digits --seed -1", "digits --epochs -3", "digits find-lr --steps -1", "digits --seed 1.5"] {
        let message = read(line).unwrap_err().to_string();
        assert!(message.contains("expected a whole number, 0 or more"), "{line}: {message}");
    }
    let message = read("digits --seed 18446744073709551616").unwrap_err().to_string();
    assert!(message.contains("at most 18446744073709551615"), "{message}");
    for (text, number) in [(".001", 0.001), ("1.", 1.0), ("+1e-3", 0.001), ("-1", -1.0)] {
        let Ok(Command::FindLr(search)) = read(&format!("digits find-lr --from {text}")) else { panic!() };
        assert_eq!(search.from.to_bits(), f64::to_bits(number));
    }
    for text in ["nan", "inf", "1,5"] {
        assert!(read(&format!("digits find-lr --from {text}")).is_err(), "{text}");
    }
}

/// Every list of commands has every command.
#[test]
fn every_command_is_documented() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    for file in
        ["README.md", "macros/src/train/expand.rs", "runtime/src/cli/mod.rs", "runtime/src/docs/train.md"]
    {
        let text = std::fs::read_to_string(format!("{root}{file}")).unwrap();
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let is_listed = [format!("`{name}`"), format!("digits {name}"), format!("digits [{name}]")]
                .iter()
                .any(|form| text.contains(form));
            assert!(is_listed, "{file} does not list `{name}`");
        }
    }
}

#[test]
fn eval_uses_test_split_by_default() {
    let Ok(Command::Eval(eval)) = read("digits eval m.safetensors") else { panic!() };
    assert_eq!(eval.part, Part::Test);
    let Ok(Command::Eval(eval)) = read("digits eval m.safetensors --part validation") else { panic!() };
    assert_eq!(eval.part, Part::Validation);
}

#[test]
fn verify_accepts_start_or_checkpoint() {
    let from = |line: &str| match read(line) {
        Ok(Command::Verify(verify)) => verify.from,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(from("digits verify runs/1"), Begin(None));
    assert_eq!(from("digits verify runs/1 --from start"), Begin(None));
    assert_eq!(from("digits verify --from 20 runs/1"), Begin(Some(20)));
    for wrong in ["digits verify runs/1 --from 0", "digits verify runs/1 --from best"] {
        let message = read(wrong).unwrap_err().to_string();
        assert!(message.contains("expected `start`, or the step of a checkpoint"), "{message}");
    }
    for wrong in ["digits verify", "digits diff a", "digits diff a b c", "digits replay a"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert!(matches!(read("digits diff a b"), Ok(Command::Diff(diff)) if diff.runs.len() == 2));
}

#[test]
fn malformed_set_option_reports_expected_syntax() {
    for line in ["digits --set lr", "digits --set =3"] {
        let message = read(line).unwrap_err().to_string();
        assert!(message.contains("expected a key, `=` and a value"), "{message}");
    }
    let message = read("digits --device gpu").unwrap_err().to_string();
    assert!(message.contains("`gpu` is not a device of this build; expected `cpu`"), "{message}");
}

#[test]
fn usage_names_the_program() {
    let message = read("target/debug/other --nonsense").unwrap_err().to_string();
    assert!(message.contains("Usage: digits "), "{message}");
    let message = read("target/debug/other eval --nonsense").unwrap_err().to_string();
    assert!(message.contains("Usage: digits eval "), "{message}");
}
