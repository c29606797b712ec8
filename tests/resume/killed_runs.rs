//! What a run leaves that is ended while it works, and what it keeps.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trainspec::Error;
use trainspec::prelude::*;
use trainspec::train::Event;

use trainspec_tests::run_files::scratch;

use super::{Blots, Net, assert_equal, files, killed};

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

/// Taken up from whatever checkpoints a run keeps: what it keeps at the end is the same.
#[test]
fn what_is_kept_is_the_same() {
    let out = scratch();
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
    let out = scratch();
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
    let out = scratch();
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
        // The tenth run of a second comes after the ninth.
        runs.sort_by_key(|run| {
            let id = run.file_name().unwrap().to_str().unwrap();
            let (time, number) = id.split_at("20261124-101500".len());
            (time.to_owned(), number.trim_start_matches('-').parse::<u32>().unwrap_or(1))
        });
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
