//! Writes the page as Markdown.

use std::fmt::Write;

use super::case::{Case, Line};

/// The sections in order, each with its description.
pub(crate) const SECTIONS: [(&str, &str); 16] = [
    ("Layers", "The keys of a layer or of a sub-model: names, types and ranges."),
    ("Shapes", "The input and output shapes of layers. Shapes describe one sample, without the batch axis."),
    ("The body of a model", "The statements and expressions of a function under `#[model]`."),
    (
        "Layers that share parameters",
        "Layers that are bound to a name and called several times, and weights that are tied to those of another layer.",
    ),
    ("The signature of a model", "The inputs, the keys and the return type of a model."),
    ("Model and data", "The keys `model` and `data` of `train!`, and their compatibility."),
    ("The block and its keys", "The syntax of `train!`."),
    ("Loss and metrics", "The keys `loss` and `metrics`."),
    ("Batches and length", "The keys `batch`, `accumulate`, `drop_last`, `epochs`, `steps` and `seed`."),
    ("Optimizer", "The key `optimizer`."),
    (
        "Gradients and weights",
        "The keys `groups`, `clip`, `gradient_noise`, `constrain`, `ema`, `init` and `init_from`.",
    ),
    ("Learning rate", "The keys `schedule` and `scale_lr`."),
    ("Training samples", "The keys `augment` and `sampler`."),
    ("Mixed samples", "The key `mix`."),
    ("Precision", "The key `precision`."),
    ("Stopping and saving", "The keys `early_stop`, `checkpoint`, `on_non_finite`, `device` and `allow`."),
];

const HEAD: &str = "\
# Every message, and what to write instead

<!-- Generated from tests/ui by `ERRORS=overwrite cargo test -p trainspec-tests --test spec errors`; do not edit. -->

Each entry is a mistake that `cargo check` reports: the message, followed by the incorrect lines (`-`) and the corrected
lines (`+`). rustc shows the message at the offending token and may add notes of its own. The same rules apply to
`--set key=value` on the command line, with the same messages.

";

/// Returns the text of `docs/errors.md`.
pub(crate) fn page(cases: &[Case]) -> String {
    let of = |section: &str| {
        cases.iter().filter(|case| case.about.as_deref() == Some(section)).collect::<Vec<_>>()
    };
    let sections = SECTIONS.map(|(name, about)| (name, about, of(name)));
    let mut page = HEAD.to_owned();
    for (name, about, cases) in &sections {
        writeln!(page, "- [{name}](#{}), {}: {about}", anchor(name), cases.len()).unwrap();
    }
    for (name, about, cases) in &sections {
        writeln!(page, "\n## {name}\n\n{about}").unwrap();
        for case in cases {
            page += &entry(case);
        }
    }
    page
}

/// Returns the anchor that GitHub generates for a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

fn entry(case: &Case) -> String {
    let mut entry = format!("\n### {}\n\n", case.title.trim_end_matches('.'));
    if !case.meaning.is_empty() {
        writeln!(entry, "{}\n", case.meaning.join("\n").trim()).unwrap();
    }
    entry += "```text\n";
    for message in &case.messages {
        writeln!(entry, "{}", message.text).unwrap();
        if let Some(label) = &message.label {
            writeln!(entry, "    {label}").unwrap();
        }
        for note in &message.notes {
            writeln!(entry, "    note: {note}").unwrap();
        }
    }
    entry += "```\n\n```diff\n";
    for (place, paragraph) in shown(case).into_iter().enumerate() {
        entry += if place > 0 { "\n" } else { "" };
        for line in paragraph {
            match line {
                Line::Both(text) => writeln!(entry, " {text}").unwrap(),
                Line::Wrong(text) => writeln!(entry, "-{text}").unwrap(),
                Line::Right(text) => writeln!(entry, "+{text}").unwrap(),
            }
        }
    }
    entry + "```\n"
}

/// Returns the paragraphs with an incorrect line; if none is marked, all but the usual imports and `main`.
fn shown(case: &Case) -> Vec<&[Line]> {
    let is_blank = |line: &Line| matches!(line, Line::Both(text) if text.is_empty());
    let begins = |lines: &[Line], word: &str| matches!(lines.first(), Some(Line::Both(text)) if text.starts_with(word));
    let is_shown = |lines: &&[Line]| {
        if case.is_righted() {
            lines.iter().any(|line| !matches!(line, Line::Both(_)))
        } else {
            !begins(lines, "use ") && !begins(lines, "fn main")
        }
    };
    case.lines.split(is_blank).filter(is_shown).collect()
}
