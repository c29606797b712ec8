//! A run folder that is taken up again.

use std::path::Path;

use super::checkpoint::{Checkpoints, Origin};
use super::difference::changes;
use super::folder::{Folder, spec_text};
use super::journal::Journal;
use super::links::refuse_links;
use super::lock::Lock;
use super::logs::Logs;
use super::manifest::Manifest;
use super::metrics::{METRICS, Metrics};
use super::replay::replay;
use super::restore::{Found, newest_whole};
use super::start::Start;
use super::state::State;
use super::trace::{TRACE, Trace};
use crate::error::{Error, Result};
use crate::files::read_regular;
use crate::files::{clear_aside, write_whole};
use crate::trainer::{Resumed, Saved};

impl Folder {
    /// Takes up the run of this folder from its newest whole checkpoint. Gives the state, and where it was found.
    ///
    /// The folder becomes what it was at that checkpoint: lines of `metrics.jsonl` that came later go, and newer checkpoints,
    /// which are not whole, are set aside as `step-….damaged`. Nothing is changed before all is checked.
    ///
    /// `permitted` are keys of the spec that may have changed since, each with all that it holds.
    ///
    /// # Errors
    /// If there is no whole checkpoint; if the spec has changed in another key; if the data have changed; if another
    /// process is at work in the folder; if a file cannot be read or written.
    pub fn resume(path: &Path, start: &Start<'_>, permitted: &[String]) -> Result<(Self, Saved, Resumed)> {
        if !path.is_dir() {
            let problem = format!("{} is no folder; expected that of a run", path.display());
            return Err(refused(problem));
        }
        refuse_links(path)?;
        let lock = Lock::take(path)?;
        let (place, logs) = (path.join("checkpoints"), Logs::read(path)?);
        let Found { whole, slots, damaged } = newest_whole(&place, &logs)?;
        let changes = compare(&whole.path, &whole.state, start, permitted)?;
        let saved = whole.decode(start.graph, start.settings)?;
        let lines = whole
            .state
            .metrics
            .part(METRICS, &logs.metrics)
            .map_err(|problem| refused(format!("{}: {problem}", path.display())))?;
        let trace = whole
            .state
            .trace
            .part(&logs.trace)
            .map_err(|problem| refused(format!("{}: {problem}", path.display())))?;
        let replayed =
            replay(start.name, lines).map_err(|problem| refused(format!("{}: {problem}", path.display())))?;
        let (newer, damaged): (Vec<_>, Vec<_>) = damaged.into_iter().unzip();
        let resumed = Resumed { checkpoint: whole.path, step: saved.step, damaged, changes };

        clear_aside(path)?;
        let keep = start.settings.checkpoint.map_or(1, |checkpoint| checkpoint.keep);
        let mut checkpoints = Checkpoints::new(place, keep, Origin::of(start));
        checkpoints.take_up(slots, replayed.best, &newer)?;
        let metrics = Metrics::of(Journal::reopen(&path.join(METRICS), lines)?);
        let trace = Journal::reopen(&path.join(TRACE), trace)?;
        let trace = Trace::go_on(trace, start.graph, &whole.state.trace)?;
        let spec = spec_text(start);
        if read_regular(&path.join("spec.json")).ok().as_deref() != Some(spec.as_bytes()) {
            write_whole(&path.join("spec.json"), spec.as_bytes())?;
        }
        let manifest = Manifest::write_resumed(path.join("manifest.json"), start, &resumed)?;
        let folder = Self {
            path: path.to_owned(),
            manifest,
            metrics,
            trace,
            checkpoints,
            curves: replayed.curves,
            _lock: lock,
        };
        Ok((folder, saved, resumed))
    }
}

/// A line on each key of the spec that has changed; those that were not permitted are an error, and so are other data.
fn compare(checkpoint: &Path, state: &State, start: &Start<'_>, permitted: &[String]) -> Result<Vec<String>> {
    let changes = changes(&state.spec, start.spec);
    let (allowed, other): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.is_among(permitted));
    let text = |changes: &[_]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    if !other.is_empty() {
        let keys: Vec<_> = other.iter().map(|change| change.key.as_str()).collect();
        let problem = format!(
            "{} is of another spec: {}; give the run the spec that it was begun with, or permit the change with \
             `--allow-spec-change {}`",
            checkpoint.display(),
            text(&other).join("; "),
            keys.join(","),
        );
        return Err(refused(problem));
    }
    let (was, is) = (&state.data_fingerprint, start.data.fingerprint());
    if was != is {
        return Err(Error::Dataset(format!(
            "they are not those of {}: their fingerprint was {was}, is {is}; a run goes on with the data it was begun with",
            checkpoint.display()
        )));
    }
    Ok(text(&allowed))
}

fn refused(problem: String) -> Error {
    Error::Setting { key: "resume".to_owned(), problem }
}
