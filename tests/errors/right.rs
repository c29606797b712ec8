//! Writes the corrected programs into one file, which must compile.

use super::case::Case;

const HEAD: &str = "\
//! The corrections of `docs/errors.md`, compiled. Generated from the UI cases by `ERRORS=overwrite cargo test -p
//! trainspec-tests --test spec errors`; do not edit.

#![allow(warnings, clippy::all, clippy::pedantic)]

fn main() {}
";

/// Returns the text of `ui/right.rs`.
pub(crate) fn crate_of(cases: &[Case]) -> String {
    let modules = cases.iter().filter(|case| case.is_righted()).map(|case| {
        let lines = case
            .righted()
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
        format!(
            "\n#[rustfmt::skip]\nmod {} {{\n{}}}\n",
            case.name.replace('/', "_"),
            lines.collect::<String>()
        )
    });
    HEAD.to_owned() + &modules.collect::<String>()
}
