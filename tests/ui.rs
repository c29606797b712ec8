//! Invalid specs: each file in `ui/` is one mistake, and its `.stderr` is the expected message. `errors/mod.rs` describes the
//! format of a case; `docs/errors.md` is generated from them.
//!
//! The messages come from rustc, so their text depends on its version; with another version than the one below,
//! the test reports this and does nothing. To accept new texts: `TRYBUILD=overwrite cargo test -p trainspec-tests
//! --test spec ui`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

#[rustversion::all(since(1.95), before(1.96))]
#[test]
fn ui_cases_match_recorded_messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/model/*.rs");
    cases.compile_fail("ui/train/*.rs");
}

#[rustversion::not(all(since(1.95), before(1.96)))]
#[test]
fn ui_cases_match_recorded_messages() {
    eprintln!("skipped: the messages were recorded with rustc 1.95");
}

/// Returns the files of a folder with this extension and their text.
fn files(extension: &str) -> Vec<(String, String)> {
    ["ui/model", "ui/train"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// Messages must not require knowledge of the macros.
#[test]
fn messages_do_not_expose_macro_internals() {
    for (name, text) in files("stderr") {
        for inside in [
            "__private",
            "__run",
            "__layer",
            "__trace",
            "__value",
            "__scope",
            "__kinds",
            "__look",
            "CheckReturn",
            "macro expansion",
            "this error originates in",
        ] {
            assert!(!text.contains(inside), "{name} shows `{inside}`");
        }
    }
}

#[test]
fn every_ui_case_has_recorded_message() {
    let names = |extension| {
        let names = files(extension).into_iter();
        names.map(|(name, _)| name.trim_end_matches(extension).to_owned()).collect::<BTreeSet<_>>()
    };
    let (cases, messages) = (names("rs"), names("stderr"));
    let alone: Vec<_> = cases.symmetric_difference(&messages).collect();
    assert!(alone.is_empty(), "these have a case or a message alone: {alone:?}");
}
