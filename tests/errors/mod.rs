//! `docs/errors.md`, every message with what to write instead, made from the UI cases; and `ui/right.rs`, where what it
//! says to write instead is compiled.
//!
//! A case, a file in `ui/`, is one mistake:
//!
//! ```text
//! //! What is wrong, as a sentence. It is the title of the page's entry.
//! //! More lines, if any, stand below it.
//! //~ about: Optimizer
//!
//! use trainspec::prelude::*;
//! …
//!         optimizer: AdamW { lr: -1e-3 },
//!         //~ instead: optimizer: AdamW { lr: 1e-3 },
//! ```
//!
//! `about` is one of the [`page::SECTIONS`]. `//~ instead:` with a line stands for the line above it; several in a row stand
//! for several lines, and one without a line leaves the line above it out. To accept what changed: `ERRORS=overwrite cargo
//! test -p trainspec-tests --test spec errors`.

#![allow(clippy::unwrap_used)]

mod case;
mod page;
mod right;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use case::Case;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every case, in the order of their names.
fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = ["model", "train"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join("ui").join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

/// That a file holds this text; or, if so asked, that it does from now on.
fn holds(path: &Path, text: &str) {
    if std::env::var_os("ERRORS").is_some_and(|value| value == "overwrite") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} is not what the UI cases say; run `ERRORS=overwrite cargo test -p trainspec-tests --test spec errors`",
        path.display()
    );
}

#[test]
fn the_page_is_what_the_cases_say() {
    holds(&root().join("../docs/errors.md"), &page::page(&cases()));
}

#[test]
fn the_right_versions_are_what_the_cases_say() {
    holds(&root().join("ui/right.rs"), &right::crate_of(&cases()));
}

#[test]
fn nearly_every_mistake_is_shown_with_what_is_right() {
    let cases = cases();
    let without: Vec<_> = cases.iter().filter(|case| !case.is_righted()).map(|case| &case.name).collect();
    assert!(without.len() * 20 < cases.len(), "these have no `//~ instead:` {without:?}");
}

/// So that a link to an entry leads there, and a reader knows which is which.
#[test]
fn each_mistake_has_a_title_and_a_section_of_its_own() {
    let mut titles = BTreeSet::new();
    for case in cases() {
        assert!(
            titles.insert(case.title.clone()),
            "{}: another case has the title `{}`",
            case.name,
            case.title
        );
        let about = case.about.as_deref().unwrap_or_default();
        let is_known = page::SECTIONS.iter().any(|(name, _)| *name == about);
        assert!(is_known, "{}: `//~ about: {about}` is none of the sections in page.rs", case.name);
    }
}
