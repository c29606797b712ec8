//! Generates `docs/errors.md` from the UI cases: every message with its correction. `build.rs` generates a program of all
//! corrections, which `right.rs` compiles.
//!
//! A case is a file in `ui/` with one mistake:
//!
//! ```text
//! //! A sentence that describes the mistake: the title of the page's entry.
//! //! Further lines, if any, follow it.
//! //~ about: Optimizer
//!
//! use trainspec::prelude::*;
//! …
//!         optimizer: AdamW { lr: -1e-3 },
//!         //~ instead: optimizer: AdamW { lr: 1e-3 },
//! ```
//!
//! `about` is one of the [`page::SECTIONS`]. `//~ instead:` with a line replaces the line above it; several in a row replace
//! it with several lines, and one without a line removes it. To accept changes: `ERRORS=overwrite cargo test -p
//! trainspec-tests --test spec errors`.

#![allow(clippy::unwrap_used)]

mod case;
mod page;

use std::collections::BTreeSet;
use std::path::Path;

use case::Case;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all cases sorted by name.
fn cases() -> Vec<Case> {
    Case::all(root())
}

/// Asserts that a file has this text; with `ERRORS=overwrite`, writes it.
fn holds(path: &Path, text: &str) {
    if std::env::var_os("ERRORS").is_some_and(|value| value == "overwrite") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} does not match the UI cases; run `ERRORS=overwrite cargo test -p trainspec-tests --test spec errors`",
        path.display()
    );
}

#[test]
fn error_page_matches_ui_cases() {
    holds(&root().join("../docs/errors.md"), &page::page(&cases()));
}

#[test]
fn every_ui_case_has_a_message() {
    let without: Vec<_> =
        cases().into_iter().filter(|case| case.messages.is_empty()).map(|case| case.name).collect();
    assert!(
        without.is_empty(),
        "these have no .stderr; run `TRYBUILD=overwrite cargo test -p trainspec-tests --test spec ui`: {without:?}"
    );
}

#[test]
fn most_ui_cases_have_a_correction() {
    let cases = cases();
    let without: Vec<_> = cases.iter().filter(|case| !case.is_righted()).map(|case| &case.name).collect();
    assert!(without.len() * 20 < cases.len(), "these have no `//~ instead:` {without:?}");
}

/// Unique titles make links to entries unambiguous.
#[test]
fn every_ui_case_has_unique_title_and_section() {
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
