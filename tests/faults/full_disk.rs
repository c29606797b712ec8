//! Full disks: a small file system of the test, and a limit on the size of files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use trainspec_tests::record::record;
use trainspec_tests::run_files::{assert_equal, files, only};

const EPOCHS: &str = "2";

fn resumable(out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_resumable"))
        .args(["digits", "planned"])
        .arg(out)
        .arg(EPOCHS)
        .output()
        .unwrap()
}

/// A shell script in which `$1` is the program and `$2` the folder.
fn shell(script: &str, out: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_resumable")]).arg(out);
    command
}

fn uninterrupted(out: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    assert!(resumable(out).status.success());
    files(&only(&out.join("digits")).unwrap())
}

/// The error has the reason, and the run can be resumed once there is space.
fn goes_on(refused: &Output, out: &Path, whole: &std::collections::BTreeMap<String, Vec<u8>>, reason: &str) {
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(said.contains(reason), "{said}");
    // A run folder that could not be created is not left behind.
    for run in fs::read_dir(out.join("digits")).into_iter().flatten() {
        assert!(run.unwrap().path().join("manifest.json").exists(), "{said}");
    }
    let again = resumable(out);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let found = files(&only(&out.join("digits")).unwrap());
    assert_equal(&found, whole, &format!("after `{}`", said.trim()));
}

/// File systems of given sizes: from one without space for the first checkpoint to one that is full near the end. They are
/// mounted in a namespace of the process, which some systems do not permit.
#[test]
fn full_file_system_stops_run_with_error() {
    let out = tempfile::tempdir().unwrap();
    let whole = uninterrupted(&out.path().join("whole"));
    let mount = "mkdir -p \"$2\" && mount -t tmpfs -o size=\"${SIZE}k\" none \"$2\"";
    let is_possible = |mut unshare: Command| unshare.output().is_ok_and(|output| output.status.success());
    let mut probe = Command::new("unshare");
    probe.args(["-rm", "sh", "-c", mount, "sh", "unused"]).arg(out.path().join("probe")).env("SIZE", "64");
    if !is_possible(probe) {
        println!("skipped: this system does not permit mounting a file system in a namespace");
        return;
    }
    let mut filled = 0;
    for size in [8, 12, 16, 20, 24, 40, 64, 96, 128, 160, 192] {
        let (disk, kept) = (out.path().join(format!("disk-{size}")), out.path().join(format!("kept-{size}")));
        // The files of the small file system are gone with the namespace.
        let script = format!(
            "{mount} && {{ \"$1\" digits planned \"$2\" {EPOCHS}; code=$?; cp -a \"$2\" \"$KEPT\"; exit $code; }}"
        );
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_resumable")])
            .arg(&disk)
            .env("SIZE", size.to_string())
            .env("KEPT", &kept);
        let output = command.output().unwrap();
        if output.status.success() {
            continue;
        }
        goes_on(&output, &kept, &whole, "No space left on device");
        filled += 1;
    }
    assert!(filled >= 4, "{filled} file systems were full");
    record("full disk: a small file system", &[("disks filled", filled)]);
}

/// Limits the size of files in blocks, which every system permits.
#[test]
fn file_size_limit_stops_run_with_error() {
    let out = tempfile::tempdir().unwrap();
    let whole = uninterrupted(&out.path().join("whole"));
    let longest = whole.values().map(Vec::len).max().unwrap() / 512;
    let mut refused = 0;
    for blocks in (0..longest).step_by((longest / 8).max(1)) {
        let place = out.path().join(blocks.to_string());
        // The signal that accompanies it would kill the process.
        let script = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$1\" digits planned \"$2\" {EPOCHS}");
        let output = shell(&script, &place).output().unwrap();
        if output.status.success() {
            continue;
        }
        goes_on(&output, &place, &whole, "File too large");
        refused += 1;
    }
    assert!(refused >= 4, "{refused} runs were refused");
    record("full disk: a limit on files", &[("runs refused", refused)]);
}

/// A folder that is readable and not writable.
#[test]
fn read_only_folder_is_rejected() {
    let out = tempfile::tempdir().unwrap();
    let script = "mkdir -p \"$2\" && mount -t tmpfs none \"$2\" && mount -o remount,ro \"$2\" && \
                  exec \"$1\" digits planned \"$2\" 1";
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_resumable")])
        .arg(out.path().join("disk"));
    let Ok(output) = command.output() else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare") || said.contains("mount:") {
        println!("skipped: this system does not permit mounting a file system in a namespace");
        return;
    }
    assert!(said.contains("the run folder cannot be created"), "{said}");
    assert!(fs::read_dir(out.path().join("disk")).unwrap().next().is_none());
    record("read-only folder", &[("runs refused", 1)]);
}
