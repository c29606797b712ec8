//! The corrected programs as one text, which must compile. `build.rs` writes it.

use super::case::{Case, Line};

/// Returns a module for each corrected program.
pub(crate) fn crate_of(cases: &[Case]) -> String {
    let modules = cases.iter().filter(|case| case.is_righted()).map(|case| {
        let lines = case
            .lines
            .iter()
            .filter_map(|line| match line {
                Line::Both(text) | Line::Right(text) => Some(text),
                Line::Wrong(_) => None,
            })
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
        format!(
            "\n#[rustfmt::skip]\nmod {} {{\n{}}}\n",
            case.name.replace('/', "_"),
            lines.collect::<String>()
        )
    });
    modules.collect()
}
