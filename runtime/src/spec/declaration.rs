//! A spec as a constant whose type can be named: without the kind of the data's targets, and without the model, so that a type that
//! is not a model is reported once and not by all code that reads the constant.

use super::check::{Given, Mistakes, WHOLE};
use super::{Rules, Spec, TrainConfig};
use crate::data::AnyDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::loss::TargetKinds;
use crate::model::Model;
use crate::shape::{CheckResult, Shape};

/// What `train!` declares: the spec, and the check results of its own keys.
pub struct Declaration {
    spec: &'static dyn AnySpec,
    rules: Rules,
    mistakes: Mistakes,
}

impl Declaration {
    /// The declaration of a spec, from the output of its model and the facts of its keys.
    pub const fn of<M: Model, T: TargetKinds>(
        spec: &'static Spec<M, T>,
        model: CheckResult<Shape>,
        given: Given<'_>,
    ) -> Self {
        Self { spec, rules: spec.rules(), mistakes: spec.mistakes(model, given) }
    }

    /// The check result of a key that is set.
    ///
    /// # Errors
    /// If its check fails.
    pub const fn rule(&self, key: &str) -> CheckResult {
        match self.rules.of(key) {
            Ok(()) => self.mistakes.of(key, WHOLE),
            problem => problem,
        }
    }

    /// The check result of an element of a key's list.
    ///
    /// # Errors
    /// If its check fails.
    pub const fn rule_of(&self, key: &str, place: usize) -> CheckResult {
        self.mistakes.of(key, place)
    }

    /// The check result of the defaults of the keys that are not set.
    ///
    /// # Errors
    /// If a default does not fit the others.
    pub const fn rule_of_missing(&self, given: &[&str]) -> CheckResult {
        match self.rules.of_missing(given) {
            Ok(()) => self.mistakes.of_missing(given),
            problem => problem,
        }
    }

    pub(crate) fn spec(&self) -> &'static dyn AnySpec {
        self.spec
    }
}

/// A spec for any model and data of any kind.
pub(crate) trait AnySpec {
    /// The keys, with every default.
    fn settings(&self) -> Result<TrainConfig>;
    /// The model's graph, with the declared keys.
    fn graph(&self) -> Result<Graph>;
    /// The expression for the data, as written.
    fn data_text(&self) -> &'static str;
    /// Opens the data.
    fn open(&self) -> Result<Box<dyn AnyDataset>>;
}

impl<M: Model, T: TargetKinds> AnySpec for Spec<M, T> {
    fn settings(&self) -> Result<TrainConfig> {
        TrainConfig::of(self)
    }

    fn graph(&self) -> Result<Graph> {
        self.model.keys()?.graph()
    }

    fn data_text(&self) -> &'static str {
        self.data.text
    }

    fn open(&self) -> Result<Box<dyn AnyDataset>> {
        let open = self.data.open.ok_or(Error::Internal("a spec without data"))?;
        Ok(open()?.data)
    }
}
