//! Runs that the system ends at random instants, again and again.
//!
//! The programs save after each step, so that most of their time goes into writing: what is hit are saves, renames, the removal of
//! old checkpoints and half-written lines. `KILLS` says how many kills each run is to survive.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use trainspec_tests::record::{record, times};
use trainspec_tests::run_files::{assert_equal, files, only};

/// One life of a run: it ends by itself, or is killed after `wait`.
fn live(program: &str, engine: &str, out: &Path, epochs: usize, wait: Option<Duration>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_survivor"))
        .args([program, engine])
        .arg(out)
        .arg(epochs.to_string())
        .env("RAYON_NUM_THREADS", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(wait) = wait {
        std::thread::sleep(wait);
        // It may have ended by itself.
        let _ = child.kill();
    }
    child.wait_with_output().unwrap()
}

/// Kills a run so often, each time after a random part of the time that three steps and a start take.
fn survives(program: &str, engine: &str, epochs: usize, kills: usize) {
    let out = tempfile::tempdir().unwrap();
    let (whole, killed) = (out.path().join("whole"), out.path().join("killed"));
    let began = Instant::now();
    assert!(live(program, engine, &whole, epochs, None).status.success());
    let whole = only(&whole.join(program)).unwrap();
    let length = began.elapsed();
    // A life that takes up a run and ends at once: what a life needs besides its steps.
    let began = Instant::now();
    assert!(live(program, engine, &out.path().join("whole"), epochs, None).status.success());
    let start = began.elapsed();

    let whole = files(&whole);
    let (mut survived, mut random) = (0, 7_u32);
    // It is as long as it takes until there is no more to be survived.
    let stretch = (length.saturating_sub(start) / kills as u32 * 2).max(Duration::from_millis(4));
    loop {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let share = f64::from(random >> 8) / f64::from(1 << 24);
        let wait = (survived < kills).then(|| start.mul_f64(0.5) + (start / 2 + stretch).mul_f64(share));
        let life = live(program, engine, &killed, epochs, wait);
        let said = String::from_utf8_lossy(&life.stderr);
        assert!(said.is_empty(), "{said}");
        if life.status.success() {
            break;
        }
        assert_eq!(life.status.code(), None, "it ends by itself or is killed");
        survived += 1;
    }
    let killed = files(&only(&killed.join(program)).unwrap());
    assert_equal(&killed, &whole, &format!("{program}, {engine}, after {survived} kills"));
    assert!(survived * 2 >= kills, "the run ended after {survived} of {kills} kills; make it longer");
    record(&format!("killed: {program}, {engine} engine"), &[("kills survived", survived as u64)]);
}

#[test]
fn digits_on_the_planned_engine() {
    survives("digits", "planned", 4, times("KILLS", 60));
}

#[test]
fn digits_on_the_tape_engine() {
    survives("digits", "tape", 4, times("KILLS", 60));
}

#[test]
fn a_transformer_on_the_planned_engine() {
    survives("transformer", "planned", 4, times("KILLS", 60));
}

#[test]
fn a_transformer_on_the_tape_engine() {
    survives("transformer", "tape", 4, times("KILLS", 60));
}
