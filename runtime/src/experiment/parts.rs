//! The parts of a run.

use serde_json::Value;

use super::Experiment;
use crate::config::Config;
use crate::data::sampler::Shuffled;
use crate::data::{PreparedDataset, Reads};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::Model;
use crate::run_dir::Start;
use crate::spec::{TrainConfig, hash};

/// The settings, graph and data of a run.
pub(super) struct Parts {
    pub(super) settings: TrainConfig,
    pub(super) graph: Graph,
    pub(super) data: PreparedDataset,
}

/// What identifies a run in its folder.
pub(super) struct Identity {
    name: &'static str,
    spec: Value,
    spec_hash: String,
    overrides: Vec<(String, String)>,
}

impl Identity {
    pub(super) fn spec_hash(&self) -> &str {
        &self.spec_hash
    }
}

impl Parts {
    /// Returns the start record of the run for its folder, with the engine of this name.
    pub(super) fn start<'a>(&'a self, identity: &'a Identity, engine: &'static str) -> Start<'a> {
        Start {
            name: identity.name,
            spec: &identity.spec,
            spec_hash: &identity.spec_hash,
            overrides: &identity.overrides,
            settings: &self.settings,
            graph: &self.graph,
            engine,
            data: &self.data,
        }
    }
}

impl<M: Model> Experiment<M> {
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

    /// Returns the run's identity. It reads the `init_from` file, if there is one, for its hash; a check does not need it.
    pub(super) fn identity(&mut self) -> Result<Identity> {
        let spec = self.spec()?;
        let overrides = self.overrides.clone();
        Ok(Identity { name: self.name, spec_hash: hash(&spec), spec, overrides })
    }

    /// Takes the parts of the run out of the experiment. It reads so much of the data.
    pub(super) fn parts(&mut self, reads: Reads) -> Result<Parts> {
        let (graph, data) = (self.graph()?, self.prepared(reads)?);
        let taken = Err(Error::Internal("a run has its settings once"));
        let settings = std::mem::replace(&mut self.settings, taken)?;
        Ok(Parts { settings, graph, data })
    }
}
