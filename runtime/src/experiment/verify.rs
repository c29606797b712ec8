//! Re-runs a run to verify its folder or to reproduce its model at a step.

use std::path::Path;

use super::parts::Parts;
use super::{Experiment, Resume, Work, memory};
use crate::engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::inference::TrainedModel;
use crate::model::Model;
use crate::model_file::model;
use crate::run_dir::{Record, Start, State, Verified, Verifier};
use crate::trainer;
use crate::trainer::{Event, Exit, Observer, Outcome, Saved, Verifying};

/// The model as it was at a step: [`Experiment::replay`].
#[derive(Clone, Debug)]
pub struct Replayed<M> {
    /// With the weights of the step.
    pub model: TrainedModel<M>,
    /// With the averaged weights (EMA), if the run keeps them.
    pub average: Option<TrainedModel<M>>,
}

/// The result of a re-run.
enum Again<M> {
    Verified(Box<Verified>),
    Replayed(Box<Replayed<M>>),
}

impl<M: Model> Experiment<M> {
    /// Re-runs a run in memory and compares it bit by bit with its folder: each line of
    /// `metrics.jsonl` and `trace.jsonl`, each file of each checkpoint, the final model and its entry in the manifest.
    /// Nothing is written.
    ///
    /// The re-run starts at the start, or at the checkpoint of step `from`, whose parameters, optimizer state and
    /// average are checked against their hashes. The rest of that checkpoint is trusted; it is compared only if the
    /// re-run starts before it. An incomplete run is compared up to its last recorded step. If no key was changed here,
    /// the overrides of the run are applied.
    ///
    /// ```no_run
    /// # use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
    /// # train! {
    /// #     Digits { model: Net, data: Digits8x8::embedded() }
    /// # }
    /// let verified = Digits::experiment().verify("runs/digits/20261124-101500", None)?;
    /// if let Some(difference) = verified.first {
    ///     println!("{difference}");
    /// }
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the folder is not that of a run of this spec and data, or is in use by another process; if there is no complete
    /// checkpoint of that step; if training cannot continue; if it is [interrupted](Experiment::interrupted_by). A difference is
    /// not an error: it is reported in [`Verified::first`].
    pub fn verify(self, run: impl AsRef<Path>, from: Option<u64>) -> Result<Verified> {
        self.verify_with(run, from, &mut |_: &Event<'_>| Ok(()))
    }

    /// Like [`Experiment::verify`], and reports events to an observer. The first event, [`Event::Verify`], has the
    /// differences of the environment.
    ///
    /// # Errors
    /// As [`Experiment::verify`].
    pub fn verify_with(
        self,
        run: impl AsRef<Path>,
        from: Option<u64>,
        observer: &mut dyn Observer,
    ) -> Result<Verified> {
        match self.again(run.as_ref(), Range::From(from), observer)? {
            Again::Verified(verified) => Ok(*verified),
            Again::Replayed(_) => Err(Error::Internal("a run was replayed, not verified")),
        }
    }

    /// Returns the model of a run as it was after step `to`, from 1. It is read from a checkpoint, or computed from the
    /// nearest one before it; the steps in between are compared with the run folder.
    ///
    /// # Errors
    /// As [`Experiment::verify`]; if the run has no such step; if the steps after the checkpoint differ from the run folder.
    pub fn replay(self, run: impl AsRef<Path>, to: u64) -> Result<Replayed<M>> {
        self.replay_with(run, to, &mut |_: &Event<'_>| Ok(()))
    }

    /// Like [`Experiment::replay`], and reports events to an observer.
    ///
    /// # Errors
    /// As [`Experiment::replay`].
    pub fn replay_with(
        self,
        run: impl AsRef<Path>,
        to: u64,
        observer: &mut dyn Observer,
    ) -> Result<Replayed<M>> {
        match self.again(run.as_ref(), Range::To(to), observer)? {
            Again::Replayed(replayed) => Ok(*replayed),
            Again::Verified(_) => Err(Error::Internal("a run was verified, not replayed")),
        }
    }

    /// Re-runs a part of a run.
    fn again(mut self, run: &Path, range: Range, observer: &mut dyn Observer) -> Result<Again<M>> {
        let record = Record::open(run)?;
        // The `init_from` file may no longer exist; it is not needed after a checkpoint.
        self.resume = Some(Resume::Of(run.to_owned()));
        let what = range.what();
        self.take_overrides(what, &record)?;
        let (from, to_step) = match range {
            Range::From(from) => (from, None),
            Range::To(to) => {
                record.has_step(what, to)?;
                (record.newest_until(to), Some(to))
            }
        };
        let reads = self.reads()?;
        let (identity, parts) = (self.identity()?, self.parts(reads)?);
        let Parts { settings, graph, data, .. } = &parts;
        let needed = memory::memory(graph, settings, data.train().len(), range.work());
        memory::fits(needed, memory::available(settings))?;
        let mut engine = engine::open_drawn(graph, settings)?;
        let start = parts.start(&identity, engine.name());
        let checkpoint = record.begin(what, &start, from, to_step.unwrap_or(u64::MAX))?;
        let saved = checkpoint.as_ref().map(|checkpoint| checkpoint.decode(graph, settings)).transpose()?;
        let saved = match saved {
            Some(Saved { step, parameters, average, .. }) if Some(step) == to_step => {
                let state = State { parameters, average };
                return Ok(Again::Replayed(Box::new(replayed(&start, state)?)));
            }
            other => other,
        };
        if checkpoint.is_none() {
            engine::read_init(&mut *engine, graph, settings)?;
        }
        observer.on(&Event::Verify(&Verifying {
            folder: run.to_owned(),
            from: from.unwrap_or(0),
            environment: record.environment(&start),
        }))?;
        let mut verifier =
            Verifier::new(&record, &start, checkpoint.as_ref().zip(saved.as_ref()), to_step, observer)?;
        // The files have been read, and take as much memory as the state.
        drop(checkpoint);
        let (engine, verifying) = (&mut *engine, &mut verifier);
        let outcome = match saved {
            _ if verifying.is_over() => None,
            None => Some(trainer::run(engine, graph, settings, data, verifying)),
            Some(saved) => Some(trainer::resume(engine, graph, settings, data, saved, verifying)),
        };
        let outcome = match outcome {
            // Compared to the end of the record, or failed as the run itself did.
            Some(Err(error)) if !verifier.is_over() && !record.failed_by(&error) => return Err(error),
            outcome => outcome.and_then(Result::ok),
        };
        if let Some(Outcome { exit: Exit::Interrupted { cause }, .. }) = outcome {
            return Err(Error::Interrupted(cause));
        }
        if let Some(step) = to_step {
            return Ok(Again::Replayed(Box::new(replayed(&start, verifier.into_state(step)?)?)));
        }
        let numbers = engine.store().weights()?;
        let model = model(graph, &numbers, &data.model_normalizers(), Some(settings.seed))?.to_bytes()?;
        verifier.finish(outcome.as_ref(), &model).map(Box::new).map(Again::Verified)
    }

    /// Applies the overrides of the run, unless the caller made changes.
    fn take_overrides(&mut self, what: &'static str, record: &Record) -> Result<()> {
        if !self.overrides.is_empty() {
            return Ok(());
        }
        for (key, value) in record.overrides() {
            self.change(key, value).map_err(|error| Error::Setting {
                key: what.to_owned(),
                problem: format!(
                    "the run was started with `{key}` set to {value}, which cannot be set here: {error}"
                ),
            })?;
        }
        Ok(())
    }
}

fn replayed<M: Model>(start: &Start<'_>, State { parameters, average }: State) -> Result<Replayed<M>> {
    let Start { graph, settings, data, .. } = *start;
    let trained = |numbers| {
        TrainedModel::new(Graph::clone(graph), numbers, data.model_normalizers(), Some(settings.seed))
    };
    Ok(Replayed { model: trained(parameters)?, average: average.map(trained).transpose()? })
}

/// Which part of a run is re-run.
#[derive(Clone, Copy)]
enum Range {
    /// From a checkpoint, or from the start.
    From(Option<u64>),
    /// From the nearest checkpoint up to a step.
    To(u64),
}

impl Range {
    fn work(self) -> Work {
        match self {
            Self::From(_) => Work::Verify,
            Self::To(_) => Work::Replay,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::From(_) => "verify",
            Self::To(_) => "replay",
        }
    }
}
