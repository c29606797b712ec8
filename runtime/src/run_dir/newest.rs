//! The run that was started last.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The newest run folder of the program `name` below `out`.
pub(crate) fn newest(out: &Path, name: &str) -> Result<PathBuf> {
    let runs = out.join(name);
    let none = || Error::Setting {
        key: "resume".to_owned(),
        problem: format!("there is no run in {}; pass its folder, or set `--out`", runs.display()),
    };
    newest_of(&runs)?.map(|(_, path)| path).ok_or_else(none)
}

/// The newest run folder in `runs`, with its age; `None` if there is none.
pub(super) fn newest_of(runs: &Path) -> Result<Option<((u64, u32), PathBuf)>> {
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(Error::file(runs))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::file(runs))?;
        let age = entry.file_name().to_str().and_then(age);
        found.extend(age.filter(|_| entry.path().is_dir()).map(|age| (age, entry.path())));
    }
    Ok(found.into_iter().max())
}

/// The highest number among the runs of a second. A folder with a higher one is not a run folder: no program starts so many.
pub(super) const MOST: u32 = 1_000_000_000;

/// The time in a run's id, and its number among the runs of that second.
pub(super) fn age(id: &str) -> Option<(u64, u32)> {
    // A sign is not allowed, though `parse` would accept it.
    let mut parts =
        id.split('-').map(|part| part.bytes().all(|digit| digit.is_ascii_digit()).then_some(part));
    let day: u64 = parts.next()??.parse().ok()?;
    let second: u64 = parts.next()??.parse().ok().filter(|&second| second < 1_000_000)?;
    let number = parts.next().map_or(Some(1), |number| number?.parse().ok())?;
    if number > MOST {
        return None;
    }
    let time = day.checked_mul(1_000_000)?.checked_add(second)?;
    parts.next().is_none().then_some((time, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_run_is_found_by_name() {
        let out = tempfile::tempdir().unwrap();
        let problem = newest(out.path(), "line").unwrap_err().to_string();
        assert!(problem.contains("there is no run in"), "{problem}");
        for id in ["20261123-184501", "20261123-184501-9", "20261123-184501-10", "20261122-235959", "notes"] {
            fs::create_dir_all(out.path().join("line").join(id)).unwrap();
        }
        fs::write(out.path().join("line/20271123-184501"), "").unwrap();
        assert!(newest(out.path(), "line").unwrap().ends_with("20261123-184501-10"));
    }

    #[test]
    fn other_folder_names_are_not_runs() {
        for id in
            ["", "-", "2026", "20261123-", "20261123-1234567", "20261123-184501-", "20261123-184501-1-1", "é"]
        {
            assert_eq!(age(id), None, "{id}");
        }
        for id in [
            "+20261123-184501",
            "20261123-184501-+2",
            "20261123-184501-4294967295",
            "20261123-184501-1000000001",
        ] {
            assert_eq!(age(id), None, "{id}");
        }
        assert_eq!(age("20261123-184501-1000000000"), Some((20_261_123_184_501, MOST)));
    }
}
