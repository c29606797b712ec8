//! Resuming the run of a folder.

use std::path::Path;

use super::append_log::AppendLog;
use super::checkpoint::{Checkpoints, Origin};
use super::data_files::differing_files;
use super::difference::{Change, changes};
use super::folder::{Folder, Pending, spec_text};
use super::links::refuse_links;
use super::lock::Lock;
use super::logs::Logs;
use super::manifest::Manifest;
use super::metrics::{METRICS, Metrics};
use super::probe::notices;
use super::replay::replay;
use super::restore::{Found, IntactCheckpoint, newest_intact};
use super::start::Start;
use super::trace::{TRACE, Trace};
use crate::error::{Error, Result};
use crate::files::{clear_aside, is_no_file, read_file, sync_folder, write_atomic};
use crate::format::plain;
use crate::trainer::{Resumed, Saved};

impl Folder {
    /// Resumes the run of this folder from its newest intact checkpoint. Returns the state, and where it was found.
    ///
    /// The folder is reset to that checkpoint: later lines of `metrics.jsonl` are removed, and newer checkpoints,
    /// which are damaged, are renamed to `step-….damaged`. That happens when the run continues, at
    /// [`Event::Begin`](crate::trainer::Event::Begin), after all checks. A run that is rejected before leaves the folder
    /// unchanged.
    ///
    /// `permitted` are keys of the spec that may have changed, each with everything below it.
    ///
    /// # Errors
    /// If there is no intact checkpoint; if the spec has changed in another key, or the state does not match it; if the data have
    /// changed; if another process is using the folder; if a file cannot be read.
    pub fn resume(path: &Path, start: &Start<'_>, permitted: &[String]) -> Result<(Self, Saved, Resumed)> {
        if !path.is_dir() {
            let problem = format!("{} is not a folder; expected a run folder", path.display());
            return Err(refused(problem));
        }
        refuse_links(path)?;
        let lock = Lock::take(path)?;
        let fault = |problem: String| refused(format!("{}: {problem}", path.display()));
        let (place, logs) = (path.join("checkpoints"), Logs::read(path)?);
        let Found { checkpoint, slots, damaged } = newest_intact(&place, &logs)?;
        let (saved, changes) = judge(path, &checkpoint, start, permitted)?;
        let lines = checkpoint.state.metrics.part(METRICS, &logs.metrics).map_err(fault)?;
        let traced = checkpoint.state.trace.part(&logs.trace).map_err(fault)?;
        let replayed = replay(start.name, lines).map_err(fault)?;
        let spec = spec_text(start);
        let is_written = match read_file(&path.join("spec.json")) {
            Err(error) if is_no_file(&error) => false,
            written => written.map_err(Error::file(path.join("spec.json")))? == spec.as_bytes(),
        };
        let notices = notices(path, &lock, sync_folder(path)?.as_ref());
        let (damaged, sentences) = damaged.into_iter().unzip();
        let resumed = Resumed { checkpoint: checkpoint.path, step: saved.step, damaged: sentences, changes };
        let keep = start.settings.checkpoint.map_or(1, |checkpoint| checkpoint.keep);
        let trace = AppendLog::reopen(&path.join(TRACE), traced)?;
        let folder = Self {
            path: path.to_owned(),
            manifest: Manifest::resumed(path.join("manifest.json"), start, &resumed)?,
            metrics: Metrics::of(AppendLog::reopen(&path.join(METRICS), lines)?),
            trace: Trace::resume(trace, start.graph, &checkpoint.state.trace)?,
            checkpoints: Checkpoints::new(place, keep, Origin::of(start)),
            curves: replayed.curves,
            pending: Some(Pending {
                slots,
                damaged,
                step: saved.step,
                best: replayed.best,
                spec: (!is_written).then_some(spec),
            }),
            notices,
            lock,
        };
        Ok((folder, saved, resumed))
    }

    /// Applies the pending changes to the folder of a run of so many steps, if there are any.
    pub(super) fn apply_pending(&mut self, steps: u64) -> Result<()> {
        let Some(Pending { slots, damaged, step, best, spec }) = &self.pending else { return Ok(()) };
        clear_aside(&self.path)?;
        // A run that continues has no final model. One that has all its steps replaces the model by the same bytes.
        if *step < steps {
            remove_if_there(&self.model())?;
        }
        self.checkpoints.resume(slots.clone(), *best, damaged)?;
        self.metrics.cut()?;
        self.trace.cut()?;
        if let Some(spec) = spec {
            write_atomic(&self.path.join("spec.json"), spec.as_bytes())?;
        }
        self.manifest.write()?;
        self.lock.keep();
        self.pending = None;
        Ok(())
    }
}

/// Returns the state of a checkpoint for this run, and a line for each key of the spec that has changed. A change that was not
/// permitted is an error, which describes how to permit it only if the state matches the changed spec. Other data are an
/// error too.
fn judge(
    run: &Path,
    checkpoint: &IntactCheckpoint,
    start: &Start<'_>,
    permitted: &[String],
) -> Result<(Saved, Vec<String>)> {
    let changes = changes(&checkpoint.state.spec, start.spec);
    let (allowed, other): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.is_among(permitted));
    let text = |changes: &[Change]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let saved = fitting(run, checkpoint, start);
    if other.is_empty() {
        return Ok((saved?, text(&allowed)));
    }
    let keys: Vec<_> = other.iter().map(|change| change.key.as_str()).collect();
    let way = match saved {
        Ok(_) => format!(", or permit the change with `--allow-spec-change {}`", keys.join(",")),
        Err(error) => {
            let reason = match error {
                Error::Setting { problem, .. } => problem,
                error => error.to_string(),
            };
            format!("; the change cannot be permitted: {}", plain(&reason, 400))
        }
    };
    Err(refused(format!(
        "{} was recorded with a different spec: {}; use the spec that the run was started with{way}",
        checkpoint.path.display(),
        text(&other).join("; "),
    )))
}

/// Returns the state, if the run can be resumed from it with these data and settings.
fn fitting(run: &Path, checkpoint: &IntactCheckpoint, start: &Start<'_>) -> Result<Saved> {
    let was = &checkpoint.state.data_fingerprint;
    let is = start.data.fingerprint_like(was)?;
    if *was != is {
        return Err(Error::Dataset(format!(
            "the data set differs from that of {} (fingerprint {was}, now {is}); a run resumes with the data it was started with{}",
            checkpoint.path.display(),
            differing_files(run, start)
        )));
    }
    let saved = checkpoint.decode(start.graph, start.settings)?;
    saved.check(start.graph, start.settings, start.data)?;
    Ok(saved)
}

fn refused(problem: String) -> Error {
    Error::Setting { key: "resume".to_owned(), problem }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}
