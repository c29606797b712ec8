//! The spec at run time: it contains every default, and can be changed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{RESERVED, called_alike, check_weights};
use super::non_finite::beside_loss_scale;
use super::{BoundMetric, InitFrom, Monitor, Rules, Spec, TrainConfig};
use super::{constrained_average, second_average, serde_message, value};
use crate::config::{Config, Setting};
use crate::error::{Error, Result};
use crate::files::sha256;
use crate::loss::{AnyLoss, BoundLoss, TargetKinds};
use crate::metric::lasting;
use crate::model::Model;
use crate::optim::Unconstrained;
use crate::shape::Kinds;
use crate::similar::similar;

impl TrainConfig {
    /// Passes over the data if the spec does not set a length.
    pub(super) const EPOCHS: u64 = 10;

    /// The keys of a spec, with every default.
    pub(crate) fn of<M: Model, T: TargetKinds>(spec: &Spec<M, T>) -> Result<Self> {
        let mut settings = Self::as_given(spec)?;
        if settings.epochs.or(settings.steps).is_none() {
            settings.epochs = Some(Self::EPOCHS);
        }
        if settings.loss_weights.is_empty() {
            settings.loss_weights = vec![1.0; settings.loss.len()];
        }
        settings.check()?;
        Ok(settings)
    }

    /// Runs every check of the settings, for values that the compiler did not see.
    ///
    /// # Errors
    /// The first failed check.
    pub fn check(&self) -> Result<()> {
        Rules::over(
            Some(self.batch),
            Some(self.accumulate),
            self.epochs,
            self.steps,
            Ok(()),
            self.init.check(),
            check_weights(&self.loss_weights.iter().collect::<Vec<_>>(), self.loss.len()),
        )
        .all()?;
        self.model.validate()?;
        self.precision.check()?;
        if let Some(rule) = &self.on_non_finite {
            Setting::validate(rule)?;
            beside_loss_scale(*rule, self.precision.loss_scale().is_some())?;
        }
        for loss in self.loss.iter() {
            loss.setting().validate()?;
            loss.fits()?;
        }
        let mut labels = BTreeSet::from(RESERVED);
        labels.extend(self.loss_labels());
        for metric in &self.metrics {
            metric.setting().validate()?;
            metric.fits()?;
            if !labels.insert(metric.label()) {
                return Err(fault("metrics", called_alike(metric.label()).as_str()));
            }
        }
        self.optimizer.validate()?;
        for group in &self.groups {
            group.validate()?;
        }
        for (place, phase) in self.schedule.iter().enumerate() {
            phase.validate()?;
            if let Some(monitor) = phase.monitor() {
                self.check_monitor(&format!("schedule.{place}.monitor"), monitor)?;
            }
        }
        self.scale_lr.validate()?;
        self.check_base_rate()?;
        self.clip.validate()?;
        self.constrain.validate()?;
        for rule in &self.augment {
            rule.setting().validate()?;
        }
        self.sampler.validate()?;
        self.mix.validate()?;
        if let Some(noise) = &self.gradient_noise {
            Setting::validate(noise)?;
        }
        if let Some(from) = &self.init_from {
            Setting::validate(from)?;
        }
        if let Some(ema) = &self.ema {
            ema.validate()?;
        }
        if self.optimizer.average().is_some() {
            let name = self.optimizer.name();
            if self.ema.is_some() {
                return Err(fault("ema", second_average(name).as_str()));
            }
            if self.constrain.to_json() != Setting::to_json(&Unconstrained) {
                return Err(fault("constrain", constrained_average(name).as_str()));
            }
        }
        if let Some(checkpoint) = &self.checkpoint {
            Setting::validate(checkpoint)?;
        }
        if let Some(stop) = &self.early_stop {
            Setting::validate(stop)?;
            self.check_monitor("early_stop.monitor", stop.monitor)?;
        }
        Ok(())
    }

    /// The learning rate on which the schedule works: the optimizer's `lr`, scaled to the batch.
    #[must_use]
    pub fn base_rate(&self) -> f64 {
        let samples = (self.batch as u64).saturating_mul(self.accumulate as u64);
        self.optimizer.lr() * self.scale_lr.factor(samples)
    }

    /// Returns whether the run keeps an average of the weights, which evaluations use.
    #[must_use]
    pub fn has_average(&self) -> bool {
        self.ema.is_some() || self.optimizer.average().is_some()
    }

    fn check_base_rate(&self) -> Result<()> {
        let rate = self.base_rate();
        if rate as f32 >= f32::MIN_POSITIVE && (rate as f32).is_finite() {
            return Ok(());
        }
        Err(fault(
            "scale_lr",
            format!("makes the learning rate {rate}; expected a number from 1.2e-38 to 3.4e38"),
        ))
    }

    fn check_monitor(&self, key: &str, monitor: Monitor) -> Result<()> {
        let (numbers, tables): (Vec<_>, Vec<_>) =
            self.metrics.iter().partition(|metric| metric.start().table().is_none());
        let labels = |metrics: Vec<&Box<dyn BoundMetric>>| {
            metrics.iter().map(|metric| metric.label()).collect::<Vec<_>>()
        };
        let numbers: Vec<_> = self.loss_labels().chain(labels(numbers)).collect();
        monitor.check(&numbers, &labels(tables)).map_err(|problem| fault(key, problem.as_str()))
    }

    /// The name of each output's loss in logs; none for a model with one output, whose loss is `loss`.
    pub fn loss_labels(&self) -> impl Iterator<Item = &'static str> {
        self.outputs.iter().map(|output| lasting(format!("{output}_loss").into()))
    }

    /// Sets one key: `batch`, `optimizer.lr`, `schedule.0.steps`. The value is a number as Rust parses it, or other JSON; a bare
    /// word is a string.
    ///
    /// # Errors
    /// If the key is unknown, the value has the wrong type, or a check fails. Then nothing changes.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let value = value::of_text(value);
        let before = self.every_key();
        let mut after = before.clone();
        if self.init_from.is_none() && key.starts_with("init_from.") {
            // So that the keys can be set one by one in a program without `init_from`.
            after["init_from"] = Setting::to_json(&InitFrom::DEFAULT);
        }
        let top = key.split('.').next().unwrap_or(key);
        if top == "model" {
            self.model.can_set(key)?;
        }
        place(&mut after, key)?.clone_from(&value);
        let of = |json: &Value| json.get(top).cloned().unwrap_or(Value::Null);
        let length = (self.epochs, self.steps);
        if let Err(mut problem) = self.take(top, &of(&after)) {
            if serde_message::is_of_type(&problem) && !value.is_string() {
                // For an enum, serde lists the variants only for a string; so the value is parsed again as a string.
                *place(&mut after, key)? = Value::String(value.to_string());
                match self.take(top, &of(&after)) {
                    Err(named) if !serde_message::is_of_type(&named) => problem = named,
                    Err(_) => {}
                    Ok(()) => self.take(top, &of(&before)).map_err(|problem| fault(key, problem))?,
                }
            }
            return Err(fault(key, serde_message::plain(problem)));
        }
        let checked = self.check();
        if checked.is_err() {
            if top == "epochs" || top == "steps" {
                // The one that is not set cannot be read back.
                (self.epochs, self.steps) = length;
            } else {
                // The previous value was read back from this JSON before.
                self.take(top, &of(&before)).map_err(|problem| fault(key, problem))?;
            }
        }
        checked
    }
}

/// The hash of a spec: SHA-256 over its canonical JSON.
#[must_use]
pub fn hash(spec: &Value) -> String {
    sha256(canonical(spec))
}

/// JSON without spaces and with sorted keys, so that equal specs have equal text, independent of the key order
/// that a dependency may enable in `serde_json`.
#[must_use]
pub fn canonical(json: &Value) -> String {
    match json {
        Value::Object(keys) => {
            let mut keys: Vec<_> = keys.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let parts =
                keys.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// The value in `json` that `key` names, or an error with the valid keys.
fn place<'a>(json: &'a mut Value, key: &str) -> Result<&'a mut Value> {
    let mut place = json;
    for part in key.split('.') {
        let known: Vec<String> = match &*place {
            Value::Object(keys) => keys.keys().filter(|key| *key != "type").cloned().collect(),
            Value::Array(list) => (0..list.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        if !known.iter().any(|name| name == part) {
            let problem = if known.is_empty() {
                let above = key.split_once(&format!(".{part}")).map_or(key, |(above, _)| above);
                format!("`{above}` is {place} and has no keys; set `{above}` itself")
            } else {
                let meant = similar(part, known.iter().map(String::as_str));
                let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                format!("unknown key `{part}`; {meant}expected one of {}", known.join(", "))
            };
            return Err(fault(key, problem));
        }
        place = match place {
            Value::Object(keys) => keys.get_mut(part),
            Value::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get_mut(index)),
            _ => None,
        }
        .ok_or(Error::Internal("a key that was found is now missing"))?;
    }
    Ok(place)
}

/// The losses of a spec: the declared ones, or those that the targets' kinds suggest.
pub(super) fn losses_of<M: Model, T: TargetKinds>(
    declared: &dyn AnyLoss<M::Output, T>,
) -> Result<Vec<Box<dyn BoundLoss>>> {
    let losses = declared.each();
    if losses.is_empty() { default_losses::<M, T>() } else { Ok(losses) }
}

/// The losses that the targets' kinds suggest, if they accept the model's outputs.
fn default_losses<M: Model, T: TargetKinds>() -> Result<Vec<Box<dyn BoundLoss>>> {
    let (outputs, targets) = (<M::Output as Kinds>::NAMES, T::NAMES);
    if outputs.len() != targets.len() {
        let problem = format!("the model has {} outputs, the data {} targets", outputs.len(), targets.len());
        return Err(fault("loss", problem));
    }
    let losses = T::default_losses().into_iter().zip(T::SUGGESTED_FOR).enumerate();
    let losses = losses.map(|(place, (loss, suggested))| {
        let (output, shape) = (outputs[place], <M::Output as Kinds>::SHAPES[place]);
        let fits = suggested.is_some_and(|(name, suggested)| name == output && suggested.same(shape));
        loss.filter(|_| fits).ok_or_else(|| {
            let target = targets[place];
            let problem = format!(
                "there is no default for a model that returns `{output}` and data with targets `{target}`; add `loss: …`"
            );
            fault("loss", problem)
        })
    });
    losses.collect()
}

fn fault(key: &str, problem: impl Into<String>) -> Error {
    Error::Setting { key: key.to_owned(), problem: problem.into() }
}
