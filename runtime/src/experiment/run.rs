//! Runs and checks an experiment.

use std::path::{Path, PathBuf};

use super::preflight::{Ready, ready};
use super::{Check, Experiment, Resume, sanity_check};
use crate::data::Reads;
use crate::engine::Engine;
use crate::error::Result;
use crate::inference::TrainedModel;
use crate::model::Model;
use crate::run_dir::{Folder, Start, newest};
use crate::trainer;
use crate::trainer::{Event, Observer, Outcome, Saved};
use crate::world::World;

/// The result of a run.
#[derive(Debug)]
pub struct Run<M> {
    /// The model with its final parameters; if the run was interrupted, with those after its last step.
    pub model: TrainedModel<M>,
    /// The outcome of the run.
    pub outcome: Outcome,
    /// The run folder, if one was written.
    pub folder: Option<PathBuf>,
}

impl<M: Model> Experiment<M> {
    /// Trains without an observer.
    ///
    /// # Errors
    /// As [`Experiment::run_with`].
    pub fn run(self) -> Result<Run<M>> {
        self.run_with(&mut |_: &Event<'_>| Ok(()))
    }

    /// Trains and reports events to an observer.
    ///
    /// # Errors
    /// If the settings or the data are invalid, training cannot continue, or a file cannot be written; for a resumed
    /// run, also the errors of [`Folder::resume`](crate::run_dir::Folder::resume). An interrupt before the run has
    /// started is an [`Error::Interrupted`](crate::Error::Interrupted); a later one is an [`Exit`](crate::trainer::Exit).
    pub fn run_with(mut self, observer: &mut dyn Observer) -> Result<Run<M>> {
        let reads = self.reads()?;
        let (identity, parts) = (self.identity()?, self.parts(reads)?);
        let world = self.world.clone();
        let mut silent = |_: &Event<'_>| Ok(());
        let observer = if world.is_first() { observer } else { &mut silent };
        let place = self.place();
        let Ready { engine, check } =
            ready(&world, &parts, place.as_deref(), self.resume.is_some(), sanity_check::of_run)?;
        if !check.advice.is_empty() {
            observer.on(&Event::Advice(&check.advice))?;
        }
        let start = parts.start(&identity, engine.name());
        let (mut folder, saved) = match self.resumed_folder()? {
            None => {
                let out = self.out.as_ref().filter(|_| world.is_first());
                (out.map(|out| Folder::create(out, &start)).transpose()?, None)
            }
            Some(path) => {
                // The folder stays unchanged until training continues, so that a rejected resume changes nothing. One process
                // at a time can open it, and the first one keeps it.
                let (folder, saved, resumed) = world.in_turn(|| {
                    let (folder, saved, resumed) = Folder::resume(&path, &start, &self.permitted)?;
                    Ok((world.is_first().then_some(folder), saved, resumed))
                })?;
                observer.on(&Event::Resume(&resumed))?;
                (folder, Some(saved))
            }
        };
        match train_into(&world, &mut folder, engine, &start, saved, observer) {
            Ok((model, outcome)) => {
                if let Some(folder) = &mut folder {
                    folder.finish(&outcome.exit.to_string(), Some(&outcome))?;
                }
                Ok(Run { model, outcome, folder: folder.map(|folder| folder.path().to_owned()) })
            }
            Err(error) => {
                if let Some(folder) = &mut folder {
                    // If this fails too, the first error is still the one to report.
                    let _ = folder.finish(&format!("failed: {error}"), None);
                }
                Err(error)
            }
        }
    }

    /// Runs every check before the first step without training: reads the data, checks data, schedule and model against
    /// each other, plans the memory, and tries to write to the output folder or to read the checkpoint that the run
    /// would resume from. Nothing is left behind.
    ///
    /// # Errors
    /// If the run would be rejected.
    pub fn check(mut self) -> Result<Check> {
        let resumed = self.resumed_folder()?;
        // Its spec is compared with that of the run.
        let identity = resumed.is_some().then(|| self.identity()).transpose()?;
        let parts = self.parts(Reads::Much)?;
        let Ready { engine, mut check } = ready(
            &World::single(),
            &parts,
            self.place().as_deref(),
            resumed.is_some(),
            sanity_check::of_check,
        )?;
        if let (Some(path), Some(identity)) = (resumed, identity) {
            let start = parts.start(&identity, engine.name());
            let (folder, ..) = Folder::resume(&path, &start, &self.permitted)?;
            check.notices = folder.notices().to_vec();
        }
        Ok(check)
    }

    /// Returns the folder of the resumed run, if there is one.
    pub(super) fn resumed_folder(&self) -> Result<Option<PathBuf>> {
        match &self.resume {
            None => Ok(None),
            Some(Resume::Of(run)) => Ok(Some(run.clone())),
            Some(Resume::Newest) => {
                newest(self.out.as_deref().unwrap_or(Path::new("runs")), self.name).map(Some)
            }
        }
    }

    /// Returns the folder that the run writes to, if any.
    fn place(&self) -> Option<PathBuf> {
        match &self.resume {
            Some(Resume::Of(path)) => Some(path.clone()),
            _ => self.out.as_ref().map(|out| out.join(self.name)),
        }
    }
}

/// Trains. The folder, if there is one, saves the model before the final evaluation.
fn train_into<M: Model>(
    world: &World,
    folder: &mut Option<Folder>,
    mut engine: Box<dyn Engine>,
    start: &Start<'_>,
    saved: Option<Saved>,
    observer: &mut dyn Observer,
) -> Result<(TrainedModel<M>, Outcome)> {
    let notices = folder.as_ref().map_or(&[][..], Folder::notices).to_vec();
    notices.iter().try_for_each(|notice| observer.on(&Event::Notice(notice)))?;
    let mut both = |event: &Event<'_>| {
        if let Some(folder) = folder.as_mut() {
            folder.on(event)?;
        }
        observer.on(event)
    };
    let Start { graph, settings, data, .. } = start;
    let outcome = trainer::run_in(world, &mut *engine, graph, settings, data, saved, &mut both)?;
    let model = TrainedModel::new(
        start.graph.clone(),
        engine.store_mut().take_weights()?,
        start.data.model_normalizers(),
        Some(start.settings.seed),
    )?;
    Ok((model, outcome))
}
