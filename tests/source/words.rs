//! The text of this repository is plain English: phrases of the dialect that it once had do not come back.

use std::fs;
use std::path::PathBuf;

use super::{files, root};

/// What is not written any more, and what is written instead. Looked for in lower case, at the borders of words.
const BANNED: &[(&str, &str)] = &[
    ("is told", "is reported"),
    ("are told", "are reported"),
    ("told of", "reported"),
    ("tells of", "describes, reports"),
    ("gone on with", "resumed"),
    ("goes on with", "resumes, continues"),
    ("going on from", "resuming from"),
    ("taken up again", "resumed"),
    ("take up again", "resume"),
    ("begun", "initialized, started"),
    ("made again", "re-run, regenerated"),
    ("made anew", "regenerated"),
    ("there whole", "complete, atomic"),
    ("whole or not at all", "atomic"),
    ("passed over", "skipped"),
    ("foretold", "predicted"),
    ("by heart", "memorize"),
    ("held against", "checked against"),
    ("is no layer", "is not a layer"),
    ("is no model", "is not a model"),
    ("is no key", "unknown key"),
    ("is no optimizer", "is not an optimizer"),
    ("is no loss", "is not a loss"),
    ("is no metric", "is not a metric"),
    ("is no kind", "is not a kind"),
    ("is no configuration", "is not a configuration"),
    ("is no number", "is not a number, is NaN"),
    ("are no numbers", "are not numbers, are NaN"),
    ("its kind is part of", "its type is fixed at compile time"),
    ("the nearest left", "unmatched tensors with similar names"),
    ("behind each other", "consecutive"),
    ("beside", "next to, besides, compared with"),
    ("to be had", "available"),
    ("nobody", "no one, nothing"),
    ("whoever", "name the subject"),
];

/// The files that people read.
fn texts() -> Vec<PathBuf> {
    let root = root();
    let pages =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|page| root.join(page));
    let folders = ["docs", "runtime/src", "macros/src", "kernels/src", "examples", "tests"];
    let folders = folders.iter().flat_map(|folder| files(&root.join(folder), &["rs", "md", "stderr"]));
    let is_this = |path: &PathBuf| path.ends_with("tests/source/words.rs");
    pages.into_iter().chain(folders).filter(|path| !is_this(path)).collect()
}

/// Whether a phrase stands in a line as words of its own.
fn has(line: &str, phrase: &str) -> bool {
    let is_letter =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    line.match_indices(phrase).any(|(start, found)| {
        let (before, after) = (&line[..start], &line[start + found.len()..]);
        !is_letter(before.chars().next_back()) && !is_letter(after.chars().next())
    })
}

#[test]
fn banned_phrases_are_absent() {
    let mut found = Vec::new();
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        for (number, line) in (1..).zip(text.lines()) {
            for (phrase, instead) in BANNED.iter().filter(|(phrase, _)| has(line, phrase)) {
                found.push(format!("{}:{number}: `{phrase}`; write: {instead}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn phrase_is_found_only_as_whole_words() {
    assert!(has("beside it", "beside"));
    assert!(!has("besides", "beside"));
    assert!(!has("is_told", "told"));
}
