//! Wrong specs: each file in `ui/` is one mistake, its `.stderr` what the user reads. `errors/mod.rs` tells how a case is
//! written; `docs/errors.md` is made from them.
//!
//! The messages come from rustc, so their text depends on its version; elsewhere than on the version below
//! the test says so and does nothing. To accept new texts: `TRYBUILD=overwrite cargo test -p trainspec-tests
//! --test spec ui`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

#[rustversion::all(since(1.95), before(1.96))]
#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/model/*.rs");
    cases.compile_fail("ui/train/*.rs");
}

#[rustversion::not(all(since(1.95), before(1.96)))]
#[test]
fn mistakes_are_explained() {
    eprintln!("skipped: the messages were recorded with rustc 1.95");
}

/// The files of a folder with this extension, with their text.
fn files(extension: &str) -> Vec<(String, String)> {
    ["ui/model", "ui/train"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// A user must not have to know how the macros work.
#[test]
fn no_message_shows_the_macros_insides() {
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
            "Judged",
            "macro expansion",
            "this error originates in",
        ] {
            assert!(!text.contains(inside), "{name} shows `{inside}`");
        }
    }
}

#[test]
fn every_mistake_has_its_message() {
    let names = |extension| {
        let names = files(extension).into_iter();
        names.map(|(name, _)| name.trim_end_matches(extension).to_owned()).collect::<BTreeSet<_>>()
    };
    let (cases, messages) = (names("rs"), names("stderr"));
    let alone: Vec<_> = cases.symmetric_difference(&messages).collect();
    assert!(alone.is_empty(), "these have a case or a message alone: {alone:?}");
}
