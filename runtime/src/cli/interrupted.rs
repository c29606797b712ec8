//! The report of an interrupted run: its position, and the command that resumes it.

use std::fmt::{Display, Formatter};
use std::path::Path;

use crate::format::count;
use crate::trainer::Outcome;

/// A run that was interrupted.
pub(super) struct Interrupted<'a> {
    pub(super) outcome: &'a Outcome,
    /// The program, as it was called.
    pub(super) program: &'a str,
    /// The run folder, if there is one.
    pub(super) folder: Option<&'a Path>,
    /// The overrides of the declared spec.
    pub(super) changes: &'a [(String, String)],
    /// The keys of the spec that may differ from those the run was started with.
    pub(super) allowed: &'a [String],
}

impl Display for Interrupted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let &Self { outcome, program, folder, changes, allowed } = self;
        writeln!(f, "\n{} after {} steps", outcome.exit, count(outcome.steps))?;
        let Some(folder) = folder else { return Ok(()) };
        write!(f, "resume with\n\n  {} --resume {}", quoted(program), quoted(&folder.display().to_string()))?;
        for (key, value) in changes {
            write!(f, " --set {}", quoted(&format!("{key}={value}")))?;
        }
        if !allowed.is_empty() {
            write!(f, " --allow-spec-change {}", quoted(&allowed.join(",")))?;
        }
        writeln!(f)
    }
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_word_is_one_shell_word() {
        for word in ["a", "", "two words", "it's", r#"schedule=[{"type":"Cosine"}]"#, "$HOME", "a\nb", r"\"] {
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("printf %s {}", quoted(word)))
                .output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), word);
        }
    }
}
