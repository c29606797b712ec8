//! Runs that are killed at random instants, repeatedly.
//!
//! The programs save after each step, so they spend most of their time writing: the kills hit saves, renames, the removal of
//! old checkpoints and half-written lines. `KILLS` sets the number of kills of each run.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use trainspec_tests::record::{record, times};
use trainspec_tests::run_files::{assert_equal, files, only, scratch};

/// A program that is killed.
struct Victim<'a> {
    /// The name of its counts.
    label: String,
    /// The folder of its runs, relative to its working folder.
    program: &'static str,
    /// Returns the command that starts or resumes a run of this many epochs below a folder.
    command: &'a dyn Fn(&Path, usize) -> Command,
}

impl Victim<'_> {
    fn live(&self, out: &Path, epochs: usize) -> Child {
        (self.command)(out, epochs)
            .env("RAYON_NUM_THREADS", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// `resumable`, which chooses between both itself.
fn resumable(program: &str, engine: &str, out: &Path, epochs: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resumable"));
    command.args([program, engine]).arg(out).arg(epochs.to_string());
    command
}

/// A program as users write it: a run without a checkpoint is started again, any other is resumed with `--resume`.
fn small_digits(out: &Path, epochs: usize) -> Command {
    let runs = out.join("small_digits");
    let mut command = Command::new(env!("CARGO_BIN_EXE_program"));
    if checkpoints(&runs).iter().any(|name| !name.to_string_lossy().starts_with('.')) {
        command.arg("--resume");
    } else {
        let _ = fs::remove_dir_all(runs);
    }
    // The run must not stop early.
    command.args([
        "--quiet",
        "--set",
        r#"checkpoint.every={"Steps":1}"#,
        "--set",
        "early_stop.patience=1000",
    ]);
    command.args(["--set", &format!("epochs={epochs}"), "--out"]).arg(out);
    command
}

/// Returns the names in the checkpoint folder of the only run of a program.
fn checkpoints(program: &Path) -> Vec<OsString> {
    let Some(run) = only(program) else { return Vec::new() };
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort();
    names
}

/// The time of a kill.
enum End {
    /// This long after the start.
    After(Duration),
    /// This long after a change among the checkpoints, so that the run progresses.
    AfterChange(Duration),
}

/// Kills a run `KILLS` times and compares its final files.
fn survives(victim: &Victim<'_>) {
    let kills = times("KILLS", 60);
    // Each process progresses by about two steps; an epoch has more than twenty.
    let epochs = kills / 6;
    let out = scratch();
    let whole = out.path().join("whole");
    let timed = || {
        let began = Instant::now();
        let output = victim.live(&whole, epochs).wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        began.elapsed()
    };
    // A second process resumes a completed run, which measures the time that is not spent on steps.
    let (length, start) = (timed(), timed());
    let whole = files(&only(&whole.join(victim.program)).unwrap());
    let log = String::from_utf8_lossy(&whole["metrics.jsonl"]).into_owned();
    let steps = log.lines().filter(|line| line.starts_with(r#"{"kind":"step""#)).count();
    let step = length.saturating_sub(start) / steps as u32;

    // The time of a step depends on the load of the machine: the earlier the kills, the more of them hit the run.
    for part in [1, 4, 16, 64] {
        let out = out.path().join(part.to_string());
        let survived = killed(victim, &out, epochs, kills, start / part, step / part);
        let files = files(&only(&out.join(victim.program)).unwrap());
        assert_equal(&files, &whole, &format!("{}, after {survived} kills", victim.label));
        if survived * 2 >= kills {
            record(&format!("killed: {}", victim.label), &[("kills survived", survived as u64)]);
            return;
        }
    }
    panic!("{}: every run was too short for {kills} kills", victim.label);
}

/// Kills a run up to this often, mostly within two steps of a change, sometimes while it resumes; returns the number of kills.
fn killed(
    victim: &Victim<'_>,
    out: &Path,
    epochs: usize,
    kills: usize,
    start: Duration,
    step: Duration,
) -> usize {
    let place = out.join(victim.program);
    let (mut survived, mut random) = (0, 7_u32);
    loop {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let share = f64::from(random >> 8) / f64::from(1 << 24);
        let end = if survived % 8 == 7 {
            End::After(start.mul_f64(share))
        } else {
            End::AfterChange((step * 2).mul_f64(share))
        };
        let before = checkpoints(&place);
        let mut child = victim.live(out, epochs);
        if survived < kills {
            let wait = match end {
                End::After(wait) => wait,
                End::AfterChange(wait) => {
                    while child.try_wait().unwrap().is_none() && checkpoints(&place) == before {
                        std::thread::sleep(Duration::from_micros(200));
                    }
                    wait
                }
            };
            std::thread::sleep(wait);
            // It may have exited by itself.
            let _ = child.kill();
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "{said}");
        if output.status.success() {
            return survived;
        }
        assert_eq!(output.status.code(), None, "it ends by itself or is killed");
        survived += 1;
    }
}

/// Runs `resumable` with a program on an engine.
fn resumable_survives(program: &'static str, engine: &'static str) {
    survives(&Victim {
        label: format!("{program}, {engine} engine"),
        program,
        command: &|out, epochs| resumable(program, engine, out, epochs),
    });
}

#[test]
fn killed_digits_run_resumes_on_planned_engine() {
    resumable_survives("digits", "planned");
}

#[test]
fn killed_digits_run_resumes_on_tape_engine() {
    resumable_survives("digits", "tape");
}

#[test]
fn killed_transformer_run_resumes_on_planned_engine() {
    resumable_survives("transformer", "planned");
}

#[test]
fn killed_transformer_run_resumes_on_tape_engine() {
    resumable_survives("transformer", "tape");
}

#[test]
fn killed_program_is_resumed_by_command_line() {
    survives(&Victim {
        label: "a program, by its command line".to_owned(),
        program: "small_digits",
        command: &small_digits,
    });
}
