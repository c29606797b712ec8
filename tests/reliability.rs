//! Runs the reliability tests many times and writes `docs/reliability.md`: each guarantee, its tests, and their counts.
//!
//! `cargo run --release -p trainspec-tests --bin reliability` (some minutes; `-- --quick` runs only as much as the test suite)

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use trainspec_tests::promises::{PAGE, PROMISES, Promise, head};

type Error = Box<dyn std::error::Error>;

/// The test targets, their counting modules, and the variables that increase the number of repetitions.
const TARGETS: [&str; 2] = ["runs", "memory"];
const MODULES: [&str; 5] = ["resume::", "signals::", "faults::", "inputs::", "verify::"];
const THOROUGH: [(&str, &str); 2] = [("KILLS", "250"), ("FUZZ_SECONDS", "60")];

fn main() -> Result<(), Error> {
    let is_quick = std::env::args().any(|word| word == "--quick");
    let folder = tempfile::tempdir()?;
    let figures = folder.path().join("figures.jsonl");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "-p", "trainspec-tests"]).env("RELIABILITY_OUT", &figures);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    for target in TARGETS {
        cargo.args(["--test", target]);
    }
    if !is_quick {
        cargo.envs(THOROUGH);
    }
    // The page may lack a guarantee, or not exist: it is about to be written.
    cargo.arg("--").args(MODULES).args(["--skip", "reliability_page_lists_every_guarantee"]);
    if !cargo.status()?.success() {
        return Err("a test failed; the page is unchanged".into());
    }
    let counted = counted(&std::fs::read_to_string(&figures)?)?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    std::fs::write(&page, text(&counted)?)?;
    println!("wrote {PAGE}");
    Ok(())
}

/// The figures of each test subject.
type Counted = BTreeMap<String, Vec<(String, u64)>>;

fn counted(lines: &str) -> Result<Counted, Error> {
    let mut counted = Counted::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let Some(target) = line["target"].as_str() else { continue };
        let figures = line.as_object().into_iter().flatten();
        let figures = figures.filter_map(|(name, count)| Some((name.replace('_', " "), count.as_u64()?)));
        counted.insert(target.to_owned(), figures.collect());
    }
    Ok(counted)
}

fn text(counted: &Counted) -> Result<String, Error> {
    let mut page = head();
    page += "| guarantee | tests | counts of the last run |\n| --- | --- | --- |\n";
    for Promise { promise, tests, figures } in PROMISES {
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let mut told = Vec::new();
        for (target, figures) in
            counted.iter().filter(|(target, _)| figures.iter().any(|it| target.starts_with(it)))
        {
            let figures: Vec<_> = figures.iter().map(|(name, count)| format!("{count} {name}")).collect();
            told.push(format!("{target}: {}", figures.join(", ")));
        }
        if !figures.is_empty() && told.is_empty() {
            return Err(format!("nothing was counted for `{promise}`").into());
        }
        writeln!(page, "| {promise} | {} | {} |", tests.join(", "), told.join("; "))?;
    }
    Ok(page)
}
