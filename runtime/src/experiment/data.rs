//! The data of a run.

use std::path::PathBuf;
use std::sync::Arc;

use super::Experiment;
use crate::config::Config;
use crate::data::sampler::Shuffled;
use crate::data::{AnyDataset, DataFile, PreparedDataset, Reads, opened_with, training_samples};
use crate::error::{Error, Result};
use crate::loss::{BoundLoss, TargetRules};
use crate::model::Model;
use crate::run_dir::recorded_data_file;
use crate::schedule::Schedule;
use crate::trainer;

impl<M: Model> Experiment<M> {
    /// Opens the data, splits, normalizes and checks them: all samples, however long that takes.
    ///
    /// # Errors
    /// If the data cannot be read or are invalid.
    pub fn data(&mut self) -> Result<PreparedDataset> {
        self.prepared(Reads::Much)
    }

    /// Returns the data for work that reads so much of them.
    pub(super) fn prepared(&mut self, reads: Reads) -> Result<PreparedDataset> {
        let settings = self.settings()?;
        let (seed, losses) = (settings.seed, settings.loss.clone());
        self.prepared_with(seed, &losses, reads)
    }

    pub(super) fn prepared_with(
        &self,
        seed: u64,
        losses: &[Arc<dyn BoundLoss>],
        reads: Reads,
    ) -> Result<PreparedDataset> {
        let rules = losses.iter().map(|loss| Arc::clone(loss) as Arc<dyn TargetRules>).collect();
        let (data, files) = self.opened()?;
        let files = files.into_iter().map(|file| file.hashed(&self.interrupt)).collect::<Result<_>>()?;
        let fold = self.current_fold();
        Ok(PreparedDataset::of_fold(data, seed, rules, reads, &self.interrupt, fold)?.with_files(files))
    }

    fn opened(&self) -> Result<(Box<dyn AnyDataset>, Vec<DataFile>)> {
        self.interrupt.check()?;
        let other = self.other_data_file()?;
        self.interrupt.during(|| opened_with(other.as_deref(), || self.spec.open()))
    }

    /// The file that replaces the declared one: the one that was set, or that of the resumed run.
    pub(crate) fn other_data_file(&self) -> Result<Option<PathBuf>> {
        if let Some(path) = &self.data_file {
            return match path.to_str() {
                Some(_) => Ok(Some(path.clone())),
                None => Err(Error::Setting {
                    key: "data".to_owned(),
                    problem: format!(
                        "the path {} is not UTF-8; expected one that a manifest can record",
                        path.display()
                    ),
                }),
            };
        }
        Ok(self.resumed_folder()?.and_then(|run| recorded_data_file(&run)))
    }

    /// Returns the learning rate of every step of the run. Only the number of samples of the data is used; a split by class also reads
    /// their classes.
    ///
    /// # Errors
    /// If the settings or the split are invalid, the data cannot be opened, or the schedule does not fit the run.
    pub fn schedule(&mut self) -> Result<Schedule> {
        let (data, _) = self.opened()?;
        let settings = self.settings()?;
        let samples = training_samples(&*data, settings.seed)?;
        let (steps, epoch) = trainer::length(settings, samples);
        Schedule::of(settings, steps, epoch)
    }

    /// How much the run reads. All samples are read first if several processes must agree on the data, and if a sampler, an augmentation or a
    /// loss that ignores targets needs facts about all of them.
    pub(super) fn reads(&mut self) -> Result<Reads> {
        let is_one = self.world.size() == 1;
        let settings = self.settings()?;
        // What these need of all samples: classes, means, and whether a target counts.
        let needs_all = settings.sampler.name() != Shuffled::NAME
            || !settings.augment.is_empty()
            || settings.loss.iter().any(|loss| loss.ignored().is_some());
        let of_step = (settings.batch as u64).saturating_mul(settings.accumulate as u64);
        Ok(match (settings.steps, settings.epochs) {
            _ if !is_one || needs_all => Reads::Much,
            (Some(steps), _) => Reads::Samples(steps.saturating_mul(of_step)),
            (None, epochs) => Reads::Passes(epochs.unwrap_or(1)),
        })
    }
}
