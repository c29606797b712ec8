//! A spec as a constant whose type can be named: without the kind of the data's targets.

use super::{Rules, Settings, Spec};
use crate::data::AnyDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::Model;
use crate::shape::{TargetKind, Verdict};

/// What `train!` declares: the spec, and the verdicts on its own keys.
pub struct Declaration<M: 'static> {
    spec: &'static dyn AnySpec<M>,
    rules: Rules,
}

impl<M: Model> Declaration<M> {
    /// The declaration of a spec.
    pub const fn of<T: TargetKind>(spec: &'static Spec<M, T>) -> Self {
        Self { spec, rules: spec.rules() }
    }

    /// The verdict on a key that is given.
    ///
    /// # Errors
    /// If its rule does not hold.
    pub const fn rule(&self, key: &str) -> Verdict {
        self.rules.of(key)
    }

    /// The verdict on the defaults of the keys that are not given.
    ///
    /// # Errors
    /// If a default does not fit the others.
    pub const fn rule_of_missing(&self, given: &[&str]) -> Verdict {
        self.rules.of_missing(given)
    }

    pub(crate) fn spec(&self) -> &'static dyn AnySpec<M> {
        self.spec
    }
}

/// A spec for data of any kind.
pub(crate) trait AnySpec<M> {
    /// The keys, with every default.
    fn settings(&self) -> Result<Settings>;
    /// The model's graph.
    fn graph(&self) -> Result<Graph>;
    /// The expression that gives the data, as it is written.
    fn data_text(&self) -> &'static str;
    /// Opens the data.
    fn open(&self) -> Result<Box<dyn AnyDataset>>;
}

impl<M: Model, T: TargetKind> AnySpec<M> for Spec<M, T> {
    fn settings(&self) -> Result<Settings> {
        Settings::of(self)
    }

    fn graph(&self) -> Result<Graph> {
        self.model.graph.map_or(Err(Error::Internal("a spec without a model")), |graph| graph())
    }

    fn data_text(&self) -> &'static str {
        self.data.text
    }

    fn open(&self) -> Result<Box<dyn AnyDataset>> {
        let open = self.data.open.ok_or(Error::Internal("a spec without data"))?;
        Ok(open()?.data)
    }
}
