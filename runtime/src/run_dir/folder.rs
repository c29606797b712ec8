//! The folder of one run: created when it starts, written during the run, closed when it ends.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use super::append_log::AppendLog;
use super::checkpoint::{Checkpoints, Origin, Recording};
use super::checkpoint_store::Slot;
use super::clock;
use super::curves::Curves;
use super::environment::Environment;
use super::lock::Lock;
use super::manifest::Manifest;
use super::metrics::{METRICS, Metrics};
use super::newest::{MOST, age, newest_of};
use super::probe::notices;
use super::start::Start;
use super::state::Records;
use super::trace::{TRACE, Trace};
use crate::error::{Error, Result};
use crate::files::{pretty, sync_folder, write_atomic, write_whole_by};
use crate::trainer::{Event, Exit, Observer, Outcome};

/// The folder of one run: `<out>/<name>/<id>`.
///
/// The id is the start time of the run in UTC: `20261123-184501`, with `-2`, `-3`… if another run
/// has that id already. Among the runs of a program in one folder, the last run always has the highest id: if the clock
/// was set back, the new run reuses the last run's timestamp with the next suffix.
///
/// A separate thread writes the checkpoints during the steps, one at a time. An error of it ends the run: at the
/// next step, or at the end, which waits for the thread. Dropping the value waits too.
///
/// The final model is written before it is evaluated, so a failed evaluation does not lose the weights.
///
/// The folder is locked as long as the value lives, so no other process can write there.
pub struct Folder {
    pub(super) path: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) metrics: Metrics,
    pub(super) trace: Trace,
    pub(super) checkpoints: Checkpoints,
    pub(super) curves: Curves,
    /// What is left to do before a resumed run continues. Until then nothing has been written.
    pub(super) pending: Option<Pending>,
    pub(super) notices: Vec<String>,
    pub(super) lock: Lock,
}

/// The changes that turn a folder into that of a run which is resumed from one of its checkpoints.
pub(super) struct Pending {
    /// The checkpoints to keep, and the newer ones that are damaged.
    pub(super) slots: Vec<Slot>,
    pub(super) damaged: Vec<Slot>,
    /// The step to resume from.
    pub(super) step: u64,
    /// The last step of the best epoch so far.
    pub(super) best: Option<u64>,
    /// `spec.json`, if it has changed.
    pub(super) spec: Option<String>,
}

impl Folder {
    /// Creates the folder, and writes what is known before the first step.
    ///
    /// # Errors
    /// If the folder cannot be created or written.
    pub fn create(out: &Path, start: &Start<'_>) -> Result<Self> {
        // Git runs first, because it takes time: a process killed meanwhile leaves no folder without a run.
        let environment = Environment::of(start);
        let (path, id) = claim(&out.join(start.name), &timestamp(clock::now()))?;
        let folder = Self::fill(path.clone(), &id, start, environment);
        if folder.is_err() {
            // It was created here and holds no run. The error to report is why it could not be set up.
            let _ = fs::remove_dir_all(&path);
        }
        folder
    }

    fn fill(path: PathBuf, id: &str, start: &Start<'_>, environment: Environment) -> Result<Self> {
        // The parent folders may be new as well.
        for folder in path.ancestors().skip(1).take(2).filter(|folder| !folder.as_os_str().is_empty()) {
            sync_folder(folder)?;
        }
        let mut lock = Lock::take(&path)?;
        lock.keep();
        write_atomic(&path.join("spec.json"), spec_text(start).as_bytes())?;
        let manifest = Manifest::write_start(path.join("manifest.json"), id, start, environment)?;
        let metrics = Metrics::of(AppendLog::create(&path.join(METRICS))?);
        let trace = Trace::begin(AppendLog::create(&path.join(TRACE))?, start.graph)?;
        let synced = sync_folder(&path)?;
        let keep = start.settings.checkpoint.map_or(1, |checkpoint| checkpoint.keep);
        let checkpoints = Checkpoints::new(path.join("checkpoints"), keep, Origin::of(start));
        let curves = Curves::new(start.name);
        let notices = notices(&path, &lock, synced.as_ref());
        Ok(Self { path, manifest, metrics, trace, checkpoints, curves, pending: None, notices, lock })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the final model.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// One sentence for each operation that the folder's file system does not support and the run does without: locks, syncing
    /// folders.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Records how the run ended: the reason, and the result if there is one. For a run that was to be resumed and
    /// has not continued, nothing is recorded.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(&mut self, exit: &str, outcome: Option<&Outcome>) -> Result<()> {
        if self.pending.is_some() {
            return Ok(());
        }
        // Each file is written even if another fails.
        let checkpoints = self.checkpoints.wait();
        let metrics = self.metrics.flush();
        let rest = self.finish_rest(exit, outcome);
        checkpoints.and(metrics).and(rest)
    }

    /// The lengths of the logs.
    fn record(&mut self) -> Result<Recording> {
        let logs = [self.metrics.log()?, self.trace.log()?];
        let records = Records { metrics: self.metrics.recorded(), trace: self.trace.recorded() };
        Ok(Recording { records, logs })
    }

    fn finish_rest(&mut self, exit: &str, outcome: Option<&Outcome>) -> Result<()> {
        let picture = self.curves.draw();
        let drawn =
            picture.map_or(Ok(()), |picture| write_atomic(&self.path.join("curves.svg"), picture.as_bytes()));
        let recorded = self.manifest.write_end(exit, outcome);
        drawn.and(recorded)?;
        match outcome {
            Some(outcome) if !matches!(outcome.exit, Exit::Interrupted { .. }) => self.checkpoints.clear(),
            _ => Ok(()),
        }
    }
}

impl Observer for Folder {
    fn on(&mut self, event: &Event<'_>) -> Result<()> {
        // A failed checkpoint does not prevent saving the model, or the state of an interrupted run.
        if !matches!(event, Event::End(_) | Event::Final(_) | Event::Interrupt(_)) {
            self.checkpoints.poll()?;
        }
        match event {
            Event::Step(report) => {
                self.curves.step(report.step, report.lr);
                self.trace.step(report);
                self.metrics.step(report)
            }
            Event::Skip(report) => {
                self.trace.step(report);
                self.metrics.step(report)
            }
            Event::Trace(point) => self.trace.point(point),
            Event::Epoch(report) => {
                if report.is_best {
                    self.checkpoints.best(report.step);
                }
                self.curves.epoch(report);
                self.trace.epoch(report);
                self.metrics.epoch(report)
            }
            Event::Checkpoint(snapshot) => {
                let recording = self.record()?;
                self.checkpoints.save(snapshot, recording)
            }
            Event::Interrupt(snapshot) => {
                let recording = self.record()?;
                self.checkpoints.save_interrupted(snapshot, recording)
            }
            Event::Begin(plan) => self.apply_pending(plan.steps),
            Event::DataLoad(load) => {
                self.manifest.note_load(load);
                Ok(())
            }
            Event::Final(weights) => {
                let (checkpoints, metrics) = (self.checkpoints.wait(), self.metrics.flush());
                let file = self.checkpoints.model(weights)?;
                write_whole_by(&self.model(), |to| file.write(to))?;
                checkpoints.and(metrics)
            }
            // Flushing and saving must be done before the model or the end of the run is recorded.
            Event::End(_) | Event::Verify(_) | Event::Resume(_) | Event::Advice(_) | Event::Notice(_) => {
                Ok(())
            }
        }
    }
}

/// The format of `spec.json` that this version writes.
pub(super) const SPEC_FORMAT: u32 = 1;

/// `spec.json`: the whole spec, and its hash.
pub(super) fn spec_text(start: &Start<'_>) -> String {
    pretty(&json!({ "format": SPEC_FORMAT, "hash": start.spec_hash, "spec": start.spec }))
}

/// Creates a new folder below `parent`, named `id` or as close to it as possible.
fn claim(parent: &Path, id: &str) -> Result<(PathBuf, String)> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source: std::io::Error| {
            let problem = format!(
                "the run folder cannot be created ({source}); choose another place with `--out` or `Experiment::out`"
            );
            Error::File { path, cause: std::io::Error::new(source.kind(), problem) }
        }
    };
    fs::create_dir_all(parent).map_err(refused(parent))?;
    let (id, first) = after_all(parent, id)?;
    for attempt in first..=MOST {
        let id = if attempt == 1 { id.clone() } else { format!("{id}-{attempt}") };
        let path = parent.join(&id);
        // Creating the folder decides between runs that start at the same time.
        match fs::create_dir(&path) {
            Ok(()) => return Ok((path, id)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(refused(&path)(error)),
        }
    }
    let taken = std::io::Error::other("no run number is left after this one; move this folder elsewhere");
    Err(Error::File { path: parent.join(format!("{id}-{MOST}")), cause: taken })
}

/// The id and the number that follow those of every run below `parent`: this id, if it is the newest.
fn after_all(parent: &Path, id: &str) -> Result<(String, u32)> {
    let Some((newest, path)) = newest_of(parent)? else { return Ok((id.to_owned(), 1)) };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(id);
    if age(id).is_none_or(|age| age.0 > newest.0) {
        return Ok((id.to_owned(), 1));
    }
    let time = name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
    Ok((time, newest.1.saturating_add(1)))
}

/// `20261123-184501`
fn timestamp(time: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.chars()
        .filter_map(|letter| match letter {
            'T' => Some('-'),
            '-' | ':' | 'Z' => None,
            digit => Some(digit),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fixture::experiment;
    use crate::run_dir::newest;
    use crate::spec::hash;

    #[test]
    fn timestamp_is_utc() {
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_459_501)), "20261123-184501");
    }

    #[test]
    fn concurrent_runs_have_separate_folders() {
        let out = tempfile::tempdir().unwrap();
        let ids: Vec<_> = (0..3).map(|_| claim(out.path(), "20261123-184501").unwrap().1).collect();
        assert_eq!(ids, ["20261123-184501", "20261123-184501-2", "20261123-184501-3"]);
    }

    /// A folder created by hand with the highest 32-bit number is not a run folder. After the highest number
    /// of a run there is none left.
    #[test]
    fn run_number_does_not_overflow() {
        let out = tempfile::tempdir().unwrap();
        let claimed = || claim(out.path(), "20261123-184501").map(|(_, id)| id);
        fs::create_dir(out.path().join("20261123-184501-4294967295")).unwrap();
        assert_eq!([claimed().unwrap(), claimed().unwrap()], ["20261123-184501", "20261123-184501-2"]);
        fs::create_dir(out.path().join("20261123-184501-999999999")).unwrap();
        assert_eq!(claimed().unwrap(), "20261123-184501-1000000000");
        let problem = claimed().unwrap_err().to_string();
        assert!(problem.contains("20261123-184501-1000000000: no run number is left"), "{problem}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 5);
    }

    /// The clock goes back, as when a battery is empty or a clock is set.
    #[test]
    fn newest_run_does_not_depend_on_clock() {
        let out = tempfile::tempdir().unwrap();
        let mut last = PathBuf::new();
        for (seconds, id) in [
            (1_795_459_501, "20261123-184501"),
            (1_795_459_500, "20261123-184501-2"),
            (-5, "20261123-184501-3"),
            (1_795_459_501, "20261123-184501-4"),
            (1_795_459_502, "20261123-184502"),
            (0, "20261123-184502-2"),
        ] {
            clock::set(seconds);
            last = experiment().out(out.path()).epochs(1).run().unwrap().folder.unwrap();
            assert!(last.ends_with(id), "{} is not {id}", last.display());
            assert_eq!(newest(out.path(), "line").unwrap(), last);
        }
        clock::set(-5);
        let run = experiment().out(out.path()).epochs(1).resume_newest().run().unwrap();
        assert_eq!(run.folder.unwrap(), last);
        let manifest = fs::read_to_string(last.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let times = [&manifest["start"], &manifest["resumed"][0]["time"], &manifest["end"]];
        assert!(times.is_sorted_by_key(|time| time.as_str().unwrap()), "{times:?}");
    }

    #[test]
    fn unwritable_output_folder_is_rejected_with_instructions() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("taken");
        fs::write(&file, "").unwrap();
        let error = experiment().out(&file).run().unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("taken/line") && text.contains("--out"), "{text}");
    }

    #[test]
    fn run_writes_spec_manifest_metrics_model_and_picture() {
        let out = tempfile::tempdir().unwrap();
        let run = experiment().out(out.path().join("not/yet/there")).epochs(2).run().unwrap();
        let path = run.folder.unwrap();
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        let spec: serde_json::Value = serde_json::from_str(&read("spec.json")).unwrap();
        assert_eq!(spec["hash"], hash(&spec["spec"]));
        assert_eq!(spec["spec"]["epochs"], 2);
        let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
        assert_eq!(manifest["exit"], "completed");
        assert_eq!(manifest["overrides"][0]["key"], "epochs");
        assert_eq!(manifest["spec_hash"], spec["hash"]);
        assert!(manifest["end"].is_string());
        assert_eq!(read("metrics.jsonl").lines().filter(|line| line.contains("\"epoch\",")).count(), 2);
        assert!(path.join("model.safetensors").exists());
        assert!(read("curves.svg").starts_with("<svg"));
    }

    #[test]
    fn equal_runs_write_equal_metrics() {
        let out = tempfile::tempdir().unwrap();
        let metrics = || {
            let run = experiment().out(out.path()).run().unwrap();
            fs::read(run.folder.unwrap().join("metrics.jsonl")).unwrap()
        };
        assert_eq!(metrics(), metrics());
    }

    #[test]
    fn failed_run_is_recorded_in_manifest() {
        let out = tempfile::tempdir().unwrap();
        let mut steps = 0;
        let mut stop = |event: &Event<'_>| match event {
            Event::Step(_) => {
                steps += 1;
                if steps == 3 { Err(Error::Dataset("no more".to_owned())) } else { Ok(()) }
            }
            _ => Ok(()),
        };
        assert!(experiment().out(out.path()).run_with(&mut stop).is_err());
        let folder = fs::read_dir(out.path().join("line")).unwrap().next().unwrap().unwrap().path();
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["exit"], "failed: data: no more");
        // The three steps before the failure are recorded.
        assert_eq!(fs::read_to_string(folder.join("metrics.jsonl")).unwrap().lines().count(), 3);
    }

    #[test]
    fn spec_hash_does_not_depend_on_key_order() {
        let one: serde_json::Value = serde_json::from_str(r#"{"a":{"x":1,"y":[2.5]},"b":null}"#).unwrap();
        let other: serde_json::Value = serde_json::from_str(r#"{"b":null,"a":{"y":[2.5],"x":1}}"#).unwrap();
        assert_eq!(hash(&one), hash(&other));
        assert_eq!(pretty(&one), pretty(&other));
    }
}
