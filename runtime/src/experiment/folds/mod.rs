//! Cross-validation: one run for each fold of the data.

mod record;
mod student;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::record::{Finished, Record};
pub use self::student::Estimate;
use super::{Experiment, Resume, Run};
use crate::data::{Division, Fold};
use crate::error::{Error, Result};
use crate::files::{read_file, sha256};
use crate::model::Model;
use crate::run_dir::{FolderLock, finished_validation, newest, newest_checkpoint};
use crate::trainer::{Event, Exit, Observer};

/// A cross-validation in its folder: `<out>/<name>/folds-<k>-<hash>`, where the hash is that of the spec and the data.
///
/// Each fold is a run in a folder `fold-<number>` with everything that a run writes, and `folds.json` has the results. Opening the same
/// cross-validation again continues it: finished folds are not trained again, and an interrupted one resumes from its last checkpoint.
/// The same seed initializes and shuffles every fold, so folds differ by their samples only.
///
/// ```
/// # let out = tempfile::tempdir().unwrap();
/// # use trainspec::prelude::*;
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// # train! {
/// #     Digits {
/// #         model: Net,
/// #         data: Digits8x8::embedded()?.with_split(Split::DEFAULT),
/// #         metrics: [Accuracy],
/// #         epochs: 1,
/// #     }
/// # }
/// let result = Digits::experiment()
/// #   .out(out.path())
///     .folds(5)?
///     .run()?;
/// let accuracy = result.metrics["accuracy"];
/// println!("{:.3}, 95 % interval {:.3?}", accuracy.mean, accuracy.interval);
/// # assert_eq!(result.folds.len(), 5);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # What the interval says
/// The folds share training samples, so their results are not independent, and the interval is somewhat too narrow (Bengio and Grandvalet,
/// "No unbiased estimator of the variance of K-fold cross-validation", 2004). With `early_stop`, the epoch is chosen by the samples that
/// validate it, and the results are slightly too good. The test samples of the data's split are in no fold: evaluate the final model on them.
///
/// The command `eval` finds the parts of a fold by the run folder of the model. In code, [`Experiment::evaluate`] takes those of the split, of which
/// only the test part is new to the model of a fold.
pub struct Folds<M: Model> {
    experiment: Experiment<M>,
    folder: PathBuf,
    record: Record,
    _lock: FolderLock,
}

/// The result of a cross-validation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CrossValidation {
    /// Its folder.
    pub folder: PathBuf,
    /// Each fold, in order.
    pub folds: Vec<FoldResult>,
    /// The estimate of the validation loss, `loss`, and of each validation metric by its name; NaN if it is undefined in a fold.
    pub metrics: BTreeMap<String, Estimate>,
}

/// The result of one fold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoldResult {
    /// Its run folder.
    pub run: PathBuf,
    /// The number of its validation samples.
    pub samples: u64,
    /// The validation loss, `loss`, and each validation metric by its name; NaN if it is undefined.
    pub metrics: BTreeMap<String, f64>,
}

impl<M: Model> Experiment<M> {
    /// Prepares a cross-validation with `k` folds, from 2 to the number of training and validation samples, in a folder below that of
    /// [`Experiment::out`]. Where there is one of the same spec and data, it continues.
    ///
    /// The samples that the data's split has for training and validation are divided at random, from the seed; if the target is one class,
    /// each class is divided, so that each fold has the same shares of them. Each fold validates a model that is trained on the others. Data
    /// with `Split::InOrder` or `Split::Fixed`, and time series, have no folds.
    ///
    /// # Errors
    /// If the settings or the data are invalid, or the data have no `k` folds; if the experiment has no folder, resumes a run, or has several
    /// processes; if another process is using the folder.
    pub fn folds(mut self, k: usize) -> Result<Folds<M>> {
        let refused =
            |problem: &str| Err(Error::Setting { key: "folds".to_owned(), problem: problem.to_owned() });
        let Some(out) = self.out.clone() else {
            return refused("a cross-validation writes a folder for each fold; set one with `out`");
        };
        if self.resume.is_some() {
            return refused("a cross-validation continues when it is started again; remove `resume`");
        }
        if !self.world.is_single() {
            return refused(
                "a cross-validation trains in one process; start it without a `World` of several",
            );
        }
        let identity = self.identity()?;
        let first = Fold { of: k, fold: 0 };
        self.with_fold(first, out.clone()).map_err(|error| Error::Setting {
            key: "folds".to_owned(),
            problem: format!(
                "each fold starts from the declared run, and cannot repeat a change of a key's type: {error}; declare it in `train!`"
            ),
        })?;
        self.fold = Some(first);
        let data = self.data()?;
        let plan = data.fold_plan().ok_or(Error::Internal("a fold has no plan"))?;
        let (spec_hash, fingerprint) = (identity.spec_hash(), data.fingerprint());
        let id = sha256(format!("{spec_hash} {fingerprint}"));
        let folder = out.join(self.name).join(format!("folds-{k}-{}", id.get(..8).unwrap_or_default()));
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let lock = FolderLock::take(&folder)?;
        let seed = self.settings()?.seed;
        let mut record = Record::new(self.name, k, seed, spec_hash, fingerprint, plan).continued(&folder)?;
        record.write(&folder)?;
        Ok(Folds { experiment: self, folder, record, _lock: lock })
    }

    /// Takes the training and validation samples from the fold that a model was trained on, if its file is in the run folder of a fold. The
    /// split of the data would mix them.
    pub(crate) fn with_fold_of(self, model: &Path) -> Self {
        // In the run folder, or in a checkpoint.
        let specs = model.ancestors().skip(1).take(3).map(|folder| folder.join("spec.json"));
        let read = |path: PathBuf| {
            let spec: serde_json::Value = serde_json::from_slice(&read_file(&path).ok()?).ok()?;
            serde_json::from_value(spec.pointer("/spec/fold")?.clone()).ok()
        };
        let fold = specs.filter(|path| path.is_file()).find_map(read);
        Self { fold, ..self }
    }

    /// The same experiment before any run, with the changes that were made.
    fn with_fold(&self, fold: Fold, out: PathBuf) -> Result<Self> {
        let mut own = Self {
            settings: self.spec.settings(),
            overrides: Vec::new(),
            out: Some(out),
            resume: None,
            permitted: Vec::new(),
            interrupt: self.interrupt.clone(),
            world: self.world.clone(),
            data_file: self.data_file.clone(),
            fold: Some(fold),
            ..*self
        };
        for (key, value) in &self.overrides {
            own.change(key, value)?;
        }
        Ok(own)
    }
}

impl<M: Model> Folds<M> {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of folds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.record.k
    }

    /// The number of samples that are divided.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.record.samples
    }

    /// The number of test samples, which are in no fold.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.record.test_samples_left_out
    }

    /// How the samples are divided.
    #[must_use]
    pub fn division(&self) -> Division {
        self.record.division
    }

    /// The next fold to train, from 1; `None` if all are finished.
    #[must_use]
    pub fn next_fold(&self) -> Option<usize> {
        let next = self.record.folds.len() + 1;
        (next <= self.record.k).then_some(next)
    }

    /// The experiment of a fold, from 1, as it is started.
    pub(crate) fn experiment(&self, fold: usize) -> Result<Experiment<M>> {
        let out = self.folder.join(format!("fold-{fold}"));
        self.experiment.with_fold(Fold { of: self.record.k, fold: fold.saturating_sub(1) }, out)
    }

    /// Trains the folds that are not finished, and returns the results of all.
    ///
    /// # Errors
    /// As [`Folds::train_next`].
    pub fn run(mut self) -> Result<CrossValidation> {
        while self.next_fold().is_some() {
            self.train_next(&mut |_: &Event<'_>| Ok(()))?;
        }
        self.result().ok_or(Error::Internal("a cross-validation has an unfinished fold"))
    }

    /// Trains the next fold, or resumes it, and reports events to an observer. Does nothing if all are finished.
    ///
    /// # Errors
    /// As [`Experiment::run_with`]; an interrupt is an [`Error::Interrupted`], after the state of the run was saved.
    pub fn train_next(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let Some(fold) = self.next_fold() else { return Ok(()) };
        let mut experiment = self.experiment(fold)?;
        let out = self.folder.join(format!("fold-{fold}"));
        let name = experiment.name;
        let found = if out.join(name).is_dir() { newest(&out, name).ok() } else { None };
        let finished = match found {
            Some(run) => match finished_validation(&run) {
                // The process ended before it was recorded.
                Some(validation) => Some((run, validation)),
                None => {
                    if newest_checkpoint(&run).is_some() {
                        experiment.resume = Some(Resume::Of(run));
                    }
                    None
                }
            },
            None => None,
        };
        let (run, validation) = match finished {
            Some(finished) => finished,
            None => trained(experiment, observer)?,
        };
        let run = run.strip_prefix(&self.folder).unwrap_or(&run).to_string_lossy().into_owned();
        self.record.folds.push(Finished { fold, run, validation });
        self.record.write(&self.folder)
    }

    /// The results; `None` before all folds are finished.
    #[must_use]
    pub fn result(&self) -> Option<CrossValidation> {
        let metrics = self.record.estimates()?;
        let fold = |finished: &Finished| FoldResult {
            run: self.folder.join(&finished.run),
            samples: finished.samples(),
            metrics: finished.measures(),
        };
        let folds = self.record.folds.iter().map(fold).collect();
        Some(CrossValidation { folder: self.folder.clone(), folds, metrics })
    }
}

/// Trains a fold. Returns its run folder and the evaluation of its final model.
fn trained<M: Model>(
    experiment: Experiment<M>,
    observer: &mut dyn Observer,
) -> Result<(PathBuf, serde_json::Value)> {
    let Run { outcome, folder, .. } = experiment.run_with(observer)?;
    if let Exit::Interrupted { cause } = outcome.exit {
        return Err(Error::Interrupted(cause));
    }
    let run = folder.ok_or(Error::Internal("the run of a fold has no folder"))?;
    // From the file, so that a finished fold and one that is trained now have the same values.
    let validation = finished_validation(&run).ok_or(Error::Internal("the run of a fold has no result"))?;
    Ok((run, validation))
}
