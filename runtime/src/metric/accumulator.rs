//! A metric with what it has gathered, without their types.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use super::{Confusion, Metric, Outcomes, State};
use crate::error::{Error, Result};
use crate::shape::Elements;
use crate::shape::{Element, Kind, Shape};

/// A metric of any type with what it has gathered so far.
pub trait Accumulator: Debug + Send + Sync {
    /// [`Metric::label`]
    fn label(&self) -> &'static str;
    /// [`Metric::update`] on the predictions of that many samples of that shape; `ignored` is the target that counts for
    /// nothing.
    ///
    /// # Errors
    /// If there is not one target for each prediction, or they are of the wrong sort.
    fn update(
        &mut self,
        size: usize,
        shape: Shape,
        predictions: &[f32],
        targets: &Elements,
        ignored: Option<u32>,
    ) -> Result<()>;
    /// [`State::merge`]; another metric's is left out.
    fn merge(&mut self, other: &dyn Accumulator);
    /// [`State::clear`]
    fn clear(&mut self);
    /// [`Metric::value`]
    fn value(&self) -> f64;
    /// [`Metric::table`]
    fn table(&self) -> Option<&Confusion>;
    /// What was gathered, as JSON.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    fn to_json(&self) -> Result<serde_json::Value>;
    /// Takes what was gathered from JSON.
    ///
    /// # Errors
    /// If it is that of another state.
    fn restore(&mut self, json: &serde_json::Value) -> Result<()>;
    /// A copy.
    fn boxed(&self) -> Box<dyn Accumulator>;
    /// Itself, to be told from others.
    fn as_any(&self) -> &dyn Any;
}

/// A metric, and its state.
pub(super) struct Gathered<M: Metric<O, T>, O: Kind, T: Kind> {
    metric: M,
    label: &'static str,
    state: M::State,
    kinds: PhantomData<fn() -> (O, T)>,
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Gathered<M, O, T> {
    pub(super) fn new(metric: M) -> Self {
        Self { metric, label: lasting(metric.label()), state: M::State::default(), kinds: PhantomData }
    }
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Debug for Gathered<M, O, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(self.label).field("metric", &self.metric).field("state", &self.state).finish()
    }
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Accumulator for Gathered<M, O, T> {
    fn label(&self) -> &'static str {
        self.label
    }

    fn update(
        &mut self,
        size: usize,
        shape: Shape,
        predictions: &[f32],
        targets: &Elements,
        ignored: Option<u32>,
    ) -> Result<()> {
        let targets = <T::Element as Element>::of(targets)
            .ok_or(Error::Internal("a metric is given targets of the wrong sort"))?;
        let expected = size.saturating_mul(shape.elements());
        if size == 0 || predictions.len() != expected || !targets.len().is_multiple_of(size) {
            let (found, label) = (predictions.len(), self.label);
            return Err(Error::Batch(format!(
                "`{label}` is given {found} predicted numbers and {} targets for {size} samples; expected {expected} \
                 numbers, {shape} each, and as many targets for each sample",
                targets.len()
            )));
        }
        self.metric.update(&mut self.state, &Outcomes { size, shape, predictions, targets, ignored });
        Ok(())
    }

    fn merge(&mut self, other: &dyn Accumulator) {
        if let Some(other) = other.as_any().downcast_ref::<Self>() {
            self.state.merge(&other.state);
        }
    }

    fn clear(&mut self) {
        self.state.clear();
    }

    fn value(&self) -> f64 {
        self.metric.value(&self.state)
    }

    fn table(&self) -> Option<&Confusion> {
        self.metric.table(&self.state)
    }

    fn to_json(&self) -> Result<serde_json::Value> {
        serde_json::to_value(&self.state).map_err(|error| refused(self.label, &error))
    }

    fn restore(&mut self, json: &serde_json::Value) -> Result<()> {
        let read = <M::State as serde::Deserialize>::deserialize(json);
        self.state = read.map_err(|error| refused(self.label, &error))?;
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Accumulator> {
        let Self { metric, label, state, kinds } = self;
        Box::new(Self { metric: *metric, label, state: state.clone(), kinds: *kinds })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn refused(label: &str, error: &serde_json::Error) -> Error {
    Error::Setting {
        key: "metrics".to_owned(),
        problem: format!("what `{label}` has gathered is no JSON of its: {error}"),
    }
}

/// A label that lasts as long as the program. One that depends on a metric's keys is made once, and the few bytes
/// stay.
pub(super) fn lasting(label: Cow<'static, str>) -> &'static str {
    static MADE: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    match label {
        Cow::Borrowed(label) => label,
        Cow::Owned(label) => {
            let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(&known) = made.get(label.as_str()) {
                return known;
            }
            let label: &'static str = label.leak();
            made.insert(label);
            label
        }
    }
}
