//! Records the counts of the reliability tests for the table in `docs/reliability.md`.

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::{Map, Value};

/// Records figures under the name of the test subject: a line of JSON in the file that `RELIABILITY_OUT` names, if any.
///
/// # Panics
/// If the file cannot be written.
pub fn record(target: &str, figures: &[(&str, u64)]) {
    let mut line = Map::from_iter([("target".to_owned(), Value::from(target))]);
    line.extend(figures.iter().map(|&(name, count)| (name.to_owned(), count.into())));
    let line = Value::from(line);
    println!("{line}");
    let Some(path) = std::env::var_os("RELIABILITY_OUT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the file of the figures");
    file.write_all(format!("{line}\n").as_bytes()).expect("a line of figures");
}

/// Returns the number of repetitions: `usual`, or the value of the environment variable if it is set.
///
/// # Panics
/// If the variable is not a number.
#[must_use]
pub fn times(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}
