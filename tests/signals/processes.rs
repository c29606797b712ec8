//! Signals to processes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;

use super::{Files, assert_equal, files, manifest, only};

/// The handled signals with their conventional exit codes.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

fn send(signal: &str, child: &Child) {
    let line = format!("kill -{signal} {}", child.id());
    // It may have exited by itself.
    let _ = command("sh").args(["-c", &line]).stderr(Stdio::null()).status().unwrap();
}

/// A command whose process starts with default signals. A process inherits what its parent ignores (a shell ignores SIGINT for
/// what it starts with `&`), but not what its parent handles; so these tests handle the three signals.
fn command(path: &str) -> Command {
    static HANDLED: Once = Once::new();
    HANDLED.call_once(|| {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Without a handler it would kill these tests.
            register_conditional_default(signal, Arc::new(AtomicBool::new(true))).unwrap();
        }
    });
    Command::new(path)
}

fn program(folder: &Path, arguments: &[&str]) -> Child {
    command(env!("CARGO_BIN_EXE_program"))
        .args(arguments)
        .current_dir(folder)
        .env("RAYON_NUM_THREADS", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Returns the command that the run prints for resuming it.
fn way_on(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = said.split_once("resume with\n\n  ").unwrap_or_else(|| panic!("no command in:\n{said}"));
    rest.lines().next().unwrap().to_owned()
}

/// Resumes the run by the printed command repeatedly, until a process completes it.
#[test]
fn signaled_run_resumes_by_printed_command() {
    let out = tempfile::tempdir().unwrap();
    let changes = ["--seed", "3", "--set", r#"checkpoint={"every":{"Steps":7},"keep":2}"#];
    let began = Instant::now();
    let whole = out.path().join("whole");
    fs::create_dir(&whole).unwrap();
    let output = program(&whole, &changes).wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let length = began.elapsed();
    let whole = files(&only(&whole.join("runs/small_digits")).unwrap());

    // The time of a run depends on the load of the machine: the earlier the signals, the more of them hit it.
    for part in [2, 4, 8, 16, 32, 64] {
        let place = out.path().join(part.to_string());
        fs::create_dir(&place).unwrap();
        if interrupted(&place, &changes, length / part, &whole) >= 3 {
            return;
        }
    }
    panic!("no run received three signals");
}

/// Interrupts a run after waits of up to this long and compares its final files; returns the number of interruptions.
fn interrupted(place: &Path, changes: &[&str], longest: Duration, whole: &Files) -> usize {
    let mut child = program(place, changes);
    let (mut interrupted, mut random) = (0, 2_u32);
    for life in 0.. {
        let (signal, code) = SIGNALS[interrupted % SIGNALS.len()];
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wait = longest * (random >> 24) / 256;
        // After enough interruptions, or if all were too early: let it complete.
        if interrupted < 7 && life < 40 {
            std::thread::sleep(wait);
            send(signal, &child);
        }
        let output = child.wait_with_output().unwrap();
        let folder = only(&place.join("runs/small_digits"));
        if output.status.success() {
            break;
        }
        if output.status.signal().is_some() {
            // Before the handler was installed, which is before any work.
            child = match folder {
                None => program(place, changes),
                Some(_) => resumed(place, &["--resume"], changes),
            };
            continue;
        }
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text, format!("interrupted by SIG{signal}\n"));
        interrupted += 1;
        child = match folder {
            // While data are read.
            None => program(place, changes),
            Some(folder) if String::from_utf8_lossy(&output.stdout).contains("resume with") => {
                assert_eq!(manifest(&folder)["exit"], format!("interrupted by SIG{signal}"));
                // It exists only if the last evaluation was interrupted, and then it is the final checkpoint of the run.
                let model = fs::read(folder.join("model.safetensors"));
                assert!(model.is_err() || model.unwrap() == whole["model.safetensors"]);
                let line = format!("exec {}", way_on(&output));
                command("sh")
                    .args(["-c", &line])
                    .current_dir(place)
                    .env("RAYON_NUM_THREADS", "1")
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            }
            // While data are read again.
            Some(_) => resumed(place, &["--resume"], changes),
        };
    }
    let folder = only(&place.join("runs/small_digits")).unwrap();
    assert_eq!(manifest(&folder)["exit"], "completed");
    assert_equal(&files(&folder), whole, &format!("after {interrupted} interruptions"));
    interrupted
}

fn resumed(place: &Path, first: &[&str], changes: &[&str]) -> Child {
    program(place, &[first, changes].concat())
}

/// A table without an end: its reader waits.
struct Waiting {
    child: Child,
    pipe: File,
    folder: tempfile::TempDir,
}

/// A process with these arguments that reads `table.csv` in this folder, a pipe.
fn reader(folder: &tempfile::TempDir, words: &[&str]) -> Child {
    let path = folder.path().join("table.csv");
    assert!(command("mkfifo").arg(&path).status().unwrap().success());
    command(env!("CARGO_BIN_EXE_table"))
        .args(words)
        .current_dir(folder.path())
        .env("TABLE", &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A process with these arguments that has read a line of its data, and waits for the next.
fn waiting(words: &[&str]) -> Waiting {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let mut child = reader(&folder, words);
    // Opening waits for the other side, which opens after the process has installed its handler.
    let opening = std::thread::spawn(move || File::options().write(true).open(path));
    while !opening.is_finished() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it read");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut pipe = opening.join().unwrap().unwrap();
    pipe.write_all(b"1,2,3\n").unwrap();
    Waiting { child, pipe, folder }
}

#[test]
fn signal_interrupts_reading_data() {
    for (words, (signal, code)) in [["train"], ["check"], ["find-lr"]].iter().zip(SIGNALS) {
        let Waiting { mut child, mut pipe, folder } = waiting(words);
        send(signal, &child);
        // Data after the signal are not read.
        let until = Instant::now() + Duration::from_mins(1);
        while pipe.write_all(&b"1,2,3\n".repeat(1000)).is_ok() && Instant::now() < until {}
        if Instant::now() >= until {
            let _ = child.kill();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("interrupted by SIG{signal}\n"));
        assert!(!folder.path().join("runs").exists());
    }
}

/// A pipe without a writer, and one whose writer writes no more.
#[test]
fn signal_interrupts_waiting_for_pipe() {
    for (is_opened, (signal, code)) in [false, true].into_iter().zip(SIGNALS) {
        let (mut child, folder, pipe) = if is_opened {
            let Waiting { child, pipe, folder } = waiting(&["train"]);
            (child, folder, Some(pipe))
        } else {
            let folder = tempfile::tempdir().unwrap();
            let child = reader(&folder, &["train"]);
            listens(&child);
            (child, folder, None)
        };
        send(signal, &child);
        let until = Instant::now() + Duration::from_mins(1);
        while child.try_wait().unwrap().is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{is_opened}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("interrupted by SIG{signal}\n"));
        assert!(!folder.path().join("runs").exists());
        drop(pipe);
    }
}

/// Waits until a process handles SIGINT.
fn listens(child: &Child) {
    let path = format!("/proc/{}/status", child.id());
    let until = Instant::now() + Duration::from_mins(1);
    let is_caught = || {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t").map(str::to_owned));
        mask.and_then(|mask| u64::from_str_radix(&mask, 16).ok())
            .is_some_and(|mask| mask >> (SIGINT - 1) & 1 == 1)
    };
    while !is_caught() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A process that never checks for interruption: the first signal has no effect, and the second kills the process.
#[test]
fn second_signal_exits_immediately() {
    for (first, (second, code)) in ["TERM", "INT", "INT"].into_iter().zip(SIGNALS) {
        let mut child = command(env!("CARGO_BIN_EXE_table"))
            .env("STUCK", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 6];
        child.stdout.take().unwrap().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"stuck\n");
        send(first, &child);
        // Waits until its handler has run, since pending signals of one kind are merged.
        let pending = || {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:\t").map(str::to_owned));
            mask.is_some_and(|mask| mask.contains(|digit| digit != '0'))
        };
        while pending() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none(), "one signal does not kill a process that cannot check");
        send(second, &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{first}, {second}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

/// A program started with an ignored signal, as by `nohup`, keeps ignoring it.
#[test]
#[cfg(target_os = "linux")]
fn ignored_signal_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("trap '' HUP INT; exec {} find-lr --steps 1000000", env!("CARGO_BIN_EXE_program"));
    let mut child = command("sh")
        .args(["-c", &line])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let caught = || {
        let status = fs::read_to_string(&status).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t").map(str::to_owned)).unwrap();
        u64::from_str_radix(&mask, 16).unwrap()
    };
    let term = 1 << 14;
    while caught() & term == 0 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(caught() & 0b11, 0, "neither HUP nor INT");
    send("HUP", &child);
    send("INT", &child);
    send("TERM", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{output:?}");
}

/// As in `program | head -1`.
#[test]
fn closed_output_pipe_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for words in [["--epochs", "1"].as_slice(), &["summary"], &["spec"], &["--help"], &["schedule"]] {
        let mut child = program(folder.path(), words);
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success() && said.is_empty(), "{words:?}: {status}\n{said}");
    }
    assert_eq!(manifest(&only(&folder.path().join("runs/small_digits")).unwrap())["exit"], "completed");
}
