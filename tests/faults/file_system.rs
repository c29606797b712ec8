//! File systems with unsupported operations, and failing disks: a preloaded library replaces the results of system calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trainspec_tests::run_files::only;

/// Syncs of folders whose path contains `SYNC_OF` fail with the error `SYNC_ERRNO`, locks with `LOCK_ERRNO`.
const ANSWERS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int answer(const char *name) {
    const char *text = getenv(name);
    errno = text ? atoi(text) : 0;
    return errno ? -1 : 0;
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    struct stat about;
    char link[64], path[4096];
    const char *of = getenv("SYNC_OF");
    if (fstat(file, &about) == 0 && S_ISDIR(about.st_mode)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length < 0 ? 0 : length] = 0;
        if ((!of || strstr(path, of)) && answer("SYNC_ERRNO"))
            return -1;
    } else if (answer("FILE_SYNC_ERRNO"))
        return -1;
    return real(file);
}

int flock(int file, int operation) {
    int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return answer("LOCK_ERRNO") ? -1 : real(file, operation);
}
"#;

/// The library, if there is a compiler for it.
fn answers(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("answers.c"), folder.join("answers.so"));
    fs::write(&source, ANSWERS).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("skipped: this system has no compiler for C");
        return None;
    }
    Some(library)
}

const EINVAL: &str = "22";
const ENOLCK: &str = "37";
const EIO: &str = "5";

fn program(library: &Path, folder: &Path, words: &[&str], answers: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_program"))
        .args(words)
        .current_dir(folder)
        .env("LD_PRELOAD", library)
        .envs(answers.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Both a check and a run report it once, and the run continues; it can be resumed and verified.
#[test]
fn file_system_without_locks_and_folder_sync_is_supported() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = answers(folder.path()) else { return };
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let lacking = [("SYNC_ERRNO", EINVAL), ("LOCK_ERRNO", ENOLCK)];
    for words in [&["check"][..], &["--epochs", "1"], &["--epochs", "1", "--resume"]] {
        let output = program(&library, &place, words, &lacking);
        let said = said(&output);
        assert!(output.status.success(), "{words:?}: {said}");
        for note in [
            "the file system has no locks (No locks available",
            "the file system does not sync folders (Invalid argument",
        ] {
            assert_eq!(said.matches(note).count(), 1, "{words:?}, `{note}`: {said}");
        }
    }
    let run = only(&place.join("runs/small_digits")).unwrap();
    let output = program(&library, &place, &["verify", run.to_str().unwrap()], &lacking);
    assert!(output.status.success(), "{}", said(&output));
    let output = program(&library, &place, &["check"], &[]);
    assert!(output.status.success() && !said(&output).contains("note: "), "{}", said(&output));
}

/// A file system that syncs no file either: every file of a run, checkpoints included, is written all the same.
#[test]
fn file_system_without_any_sync_is_supported() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = answers(folder.path()) else { return };
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let lacking = [("SYNC_ERRNO", EINVAL), ("FILE_SYNC_ERRNO", EINVAL)];
    let output = program(&library, &place, &["--epochs", "2"], &lacking);
    assert!(output.status.success(), "{}", said(&output));
    let run = only(&place.join("runs/small_digits")).unwrap();
    assert!(run.join("model.safetensors").is_file());
}

/// A disk error stops a run and a check; an error in the new folder of a run leaves no folder.
#[test]
fn disk_failure_is_distinguished_from_unsupported_operation() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = answers(folder.path()) else { return };
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    for words in [&["check"][..], &["--epochs", "1"]] {
        for failing in [("SYNC_ERRNO", EIO), ("LOCK_ERRNO", EIO)] {
            let output = program(&library, &place, words, &[failing]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains("the run folder cannot be created (Input/output error"), "{said}");
            assert_eq!(fs::read_dir(&place).unwrap().count(), 0, "{words:?}");
        }
    }
    // The probe succeeds and the folder fails.
    let failing = [("SYNC_ERRNO", EIO), ("SYNC_OF", "runs/small_digits/")];
    let output = program(&library, &place, &["--epochs", "1"], &failing);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("Input/output error"),
        "{}",
        said(&output)
    );
    assert_eq!(only(&place.join("runs/small_digits")), None, "a folder without a run is left");
}
