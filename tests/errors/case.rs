//! Parses a UI case and its recorded messages.

use std::path::{Path, PathBuf};

/// One file of `ui/`.
pub(crate) struct Case {
    /// `model/dropout_one`
    pub(crate) name: String,
    /// The description of the mistake: a title and further lines.
    pub(crate) title: String,
    pub(crate) meaning: Vec<String>,
    /// The section of the page.
    pub(crate) about: Option<String>,
    pub(crate) lines: Vec<Line>,
    pub(crate) messages: Vec<Message>,
}

/// A source line.
pub(crate) enum Line {
    Both(String),
    Wrong(String),
    Right(String),
}

/// A message without locations and without what rustc adds.
pub(crate) struct Message {
    pub(crate) text: String,
    /// The label at the offending token, if it differs from the text.
    pub(crate) label: Option<String>,
    /// The notes that this project adds to an error of rustc.
    pub(crate) notes: Vec<String>,
    /// Whether a trait is not implemented; this project adds notes to these errors.
    is_of_trait: bool,
}

impl Case {
    /// Reads all cases below the folder of the tests, sorted by name.
    pub(crate) fn all(root: &Path) -> Vec<Self> {
        let mut paths: Vec<PathBuf> = ["model", "train"]
            .iter()
            .flat_map(|folder| std::fs::read_dir(root.join("ui").join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
        let source = std::fs::read_to_string(path).unwrap();
        let mut said =
            source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim().to_owned());
        let title = said.next().filter(|title| !title.is_empty());
        let title = title
            .unwrap_or_else(|| panic!("{name}: start with `//! ` and a sentence that describes the mistake"));
        let meaning = said.collect();
        let about = source
            .lines()
            .find_map(|line| line.strip_prefix("//~ about:"))
            .map(|about| about.trim().to_owned());
        // The build script reads a new case before its message is recorded; the tests reject one without a message.
        let stderr = std::fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
        Self { title, meaning, about, lines: lines(&name, &source), messages: messages(&stderr), name }
    }

    /// Returns whether the case states a correction.
    pub(crate) fn is_righted(&self) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Wrong(_) | Line::Right(_)))
    }
}

/// Parses the source without its header; marks each line as incorrect, corrected, or both.
fn lines(name: &str, source: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut is_run = false;
    for text in source
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.starts_with("//~") || line.is_empty())
    {
        let Some(instead) = text.trim_start().strip_prefix("//~ instead:") else {
            is_run = false;
            lines.push(Line::Both(text.to_owned()));
            continue;
        };
        if !is_run {
            match lines.pop() {
                Some(Line::Both(wrong)) if !wrong.is_empty() => lines.push(Line::Wrong(wrong)),
                _ => panic!("{name}: `//~ instead:` must follow the incorrect line"),
            }
        }
        is_run = true;
        if !instead.trim().is_empty() {
            let margin = &text[..text.len() - text.trim_start().len()];
            push(&mut lines, format!("{margin}{}", instead.strip_prefix(' ').unwrap_or(instead)));
        }
    }
    lines
}

/// Adds a corrected line. If it equals the incorrect line, because lines were only added to it, it is both.
fn push(lines: &mut Vec<Line>, right: String) {
    let run = lines.iter().rposition(|line| !matches!(line, Line::Right(_)));
    match run.map(|place| (place, &lines[place])) {
        Some((place, Line::Wrong(wrong))) if *wrong == right => {
            lines.remove(place);
            lines.push(Line::Both(right));
        }
        _ => lines.push(Line::Right(right)),
    }
}

/// Parses the errors of a `.stderr`.
fn messages(stderr: &str) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for line in stderr.lines() {
        if let Some(error) = line.strip_prefix("error") {
            let text = error.split_once(": ").map_or(error, |(_, text)| text);
            let text = text.strip_prefix("evaluation panicked: ").unwrap_or(text);
            let is_of_trait = error.starts_with("[E0277]");
            messages.push(Message {
                text: without_places(text),
                label: None,
                notes: Vec::new(),
                is_of_trait,
            });
        } else if let Some(message) = messages.last_mut()
            && let Some(note) = line.trim_start().strip_prefix("= note: ")
            && message.is_of_trait
            && !note.starts_with("required for")
        {
            message.notes.push(without_places(note));
        } else if let Some(message) = messages.last_mut()
            && message.label.is_none()
            && let Some((_, label)) = line.rsplit_once("^ ")
            && line.trim_start().starts_with('|')
            && !label.starts_with("evaluation of")
            && !label.starts_with("required by")
        {
            // Markers of another token on the same line precede the label.
            let label = label.trim_start_matches([' ', '-']).trim_start_matches("help: ");
            message.label = Some(without_places(label));
        }
    }
    messages
}

/// Returns a text without the locations of closures.
fn without_places(text: &str) -> String {
    let mut parts = text.split("{closure@");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short += "{closure}";
        short += part.split_once('}').map_or("", |(_, rest)| rest);
    }
    short
}
