//! The spec at run time: it contains every default, and can be changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::bound::bound;
use super::check::{RESERVED, called_alike, check_weights, given};
use super::non_finite::beside_loss_scale;
use super::{
    BoundLoss, BoundMetric, Checkpoint, Device, EarlyStop, InitFrom, Monitor, OnNonFinite, Precision, Rules,
    Spec, Stop,
};
use super::{serde_message, value};
use crate::config::{Config, Setting, from_json};
use crate::data::mix::AnyMix;
use crate::error::{Error, Result};
use crate::files::sha256;
use crate::keys::Advice;
use crate::layer::Initializer;
use crate::loss::TargetKinds;
use crate::metric::lasting;
use crate::model::Model;
use crate::optim::{AnyClip, AnyConstraint, AnyOptimizer, Ema, GradientNoise, Group};
use crate::schedule::{AnyPhase, AnyScaleLr};
use crate::shape::Kinds;
use crate::similar::similar;

/// Every key of a run with its value.
pub struct TrainConfig {
    /// [`Spec::loss`]: one for each output.
    pub losses: Vec<Arc<dyn BoundLoss>>,
    /// [`Spec::loss_weights`]: one for each output.
    pub loss_weights: Vec<f64>,
    /// The names of the model's outputs; none if it has one.
    pub outputs: &'static [&'static str],
    /// [`Spec::metrics`]
    pub metrics: Vec<Box<dyn BoundMetric>>,
    /// [`Spec::batch`]
    pub batch: usize,
    /// [`Spec::accumulate`]
    pub accumulate: usize,
    /// [`Spec::drop_last`]
    pub drop_last: bool,
    /// [`Spec::epochs`]; `None` if the run's length is in steps.
    pub epochs: Option<u64>,
    /// [`Spec::steps`]
    pub steps: Option<u64>,
    /// [`Spec::seed`]
    pub seed: u64,
    /// [`Spec::init`]
    pub init: Initializer,
    /// [`Spec::init_from`]
    pub init_from: Option<InitFrom>,
    /// [`Spec::optimizer`]
    pub optimizer: Box<dyn AnyOptimizer>,
    /// [`Spec::groups`]
    pub groups: Vec<Group>,
    /// [`Spec::schedule`]
    pub schedule: Vec<Box<dyn AnyPhase>>,
    /// [`Spec::scale_lr`]
    pub scale_lr: Box<dyn AnyScaleLr>,
    /// [`Spec::clip`]
    pub clip: Box<dyn AnyClip>,
    /// [`Spec::gradient_noise`]
    pub gradient_noise: Option<GradientNoise>,
    /// [`Spec::mix`]
    pub mix: Box<dyn AnyMix>,
    /// [`Spec::gradient_norms`]
    pub gradient_norms: bool,
    /// [`Spec::constrain`]
    pub constrain: Box<dyn AnyConstraint>,
    /// [`Spec::ema`]
    pub ema: Option<Ema>,
    /// [`Spec::precision`]
    pub precision: Precision,
    /// [`Spec::on_non_finite`]; `None` is [`Stop`].
    pub on_non_finite: Option<OnNonFinite>,
    /// [`Spec::early_stop`]
    pub early_stop: Option<EarlyStop>,
    /// [`Spec::checkpoint`]
    pub checkpoint: Option<Checkpoint>,
    /// [`Spec::allow`]
    pub allow: BTreeSet<Advice>,
    /// [`Spec::device`]
    pub device: Device,
}

impl TrainConfig {
    /// Passes over the data if the spec does not set a length.
    pub(super) const EPOCHS: u64 = 10;

    /// The keys of a spec, with every default.
    pub(crate) fn of<M: Model, T: TargetKinds>(spec: &Spec<M, T>) -> Result<Self> {
        let mut losses = spec.loss.each();
        if losses.is_empty() {
            losses = default_losses::<M, T>()?;
        }
        let loss_weights = match spec.loss_weights {
            [] => vec![1.0; losses.len()],
            weights => weights.iter().map(|&&weight| weight).collect(),
        };
        let (epochs, steps) = (given(*spec.epochs), given(*spec.steps));
        let settings = Self {
            losses: losses.into_iter().map(Arc::from).collect(),
            loss_weights,
            outputs: M::OUTPUTS,
            metrics: spec.metrics.iter().map(|&metric| bound(metric, M::OUTPUTS)).collect(),
            batch: *spec.batch,
            accumulate: *spec.accumulate,
            drop_last: *spec.drop_last,
            epochs: if steps.is_some() { epochs } else { Some(epochs.unwrap_or(Self::EPOCHS)) },
            steps,
            seed: *spec.seed,
            init: *spec.init,
            init_from: spec.init_from.value(),
            optimizer: spec.optimizer.boxed(),
            groups: spec.groups.iter().map(|&&group| group).collect(),
            schedule: spec.schedule.iter().map(|phase| phase.boxed()).collect(),
            scale_lr: spec.scale_lr.boxed(),
            clip: spec.clip.boxed(),
            gradient_noise: Some(*spec.gradient_noise).filter(|noise| *noise != GradientNoise::NONE),
            mix: spec.mix.boxed(),
            gradient_norms: *spec.gradient_norms,
            constrain: spec.constrain.boxed(),
            ema: Some(*spec.ema).filter(|ema| *ema != Ema::NONE),
            precision: spec.precision.precision(),
            on_non_finite: Some(*spec.on_non_finite).filter(|rule| *rule != Stop),
            early_stop: Some(*spec.early_stop).filter(|stop| *stop != EarlyStop::NEVER),
            checkpoint: Some(*spec.checkpoint).filter(|checkpoint| *checkpoint != Checkpoint::NEVER),
            allow: spec.allow.iter().map(|&&advice| advice).collect(),
            device: *spec.device,
        };
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
            check_weights(&self.loss_weights.iter().collect::<Vec<_>>(), self.losses.len()),
        )
        .all()?;
        self.precision.check()?;
        if let Some(rule) = &self.on_non_finite {
            Setting::validate(rule)?;
            beside_loss_scale(*rule, self.precision.loss_scale().is_some())?;
        }
        for loss in &self.losses {
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
        self.mix.validate()?;
        if let Some(noise) = &self.gradient_noise {
            Setting::validate(noise)?;
        }
        if let Some(from) = &self.init_from {
            Setting::validate(from)?;
        }
        if let Some(ema) = &self.ema {
            Setting::validate(ema)?;
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

    /// The settings as canonical JSON: every key, in alphabetical order.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let phases: Vec<_> = self.schedule.iter().map(|phase| phase.to_json()).collect();
        let groups: Vec<_> = self.groups.iter().map(Setting::to_json).collect();
        let metrics: Vec<_> = self.metrics.iter().map(|metric| metric.setting().to_json()).collect();
        let loss = match self.losses.as_slice() {
            [loss] => loss.setting().to_json(),
            losses => losses.iter().map(|loss| loss.setting().to_json()).collect(),
        };
        let mut json = json!({
            "accumulate": self.accumulate,
            "allow": self.allow,
            "batch": self.batch,
            "checkpoint": self.checkpoint.as_ref().map(Setting::to_json),
            "clip": self.clip.to_json(),
            "constrain": self.constrain.to_json(),
            "device": self.device,
            "drop_last": self.drop_last,
            "early_stop": self.early_stop.as_ref().map(Setting::to_json),
            "ema": self.ema.as_ref().map(Setting::to_json),
            "epochs": self.epochs,
            "gradient_noise": self.gradient_noise.as_ref().map(Setting::to_json),
            "gradient_norms": self.gradient_norms,
            "groups": groups,
            "init": self.init,
            "init_from": self.init_from.as_ref().map(Setting::to_json),
            "loss": loss,
            "metrics": metrics,
            "mix": self.mix.to_json(),
            "optimizer": self.optimizer.to_json(),
            "on_non_finite": self.on_non_finite.as_ref().map_or_else(|| json!("Stop"), Setting::to_json),
            "precision": self.precision,
            "scale_lr": self.scale_lr.to_json(),
            "schedule": phases,
            "seed": self.seed,
            "steps": self.steps,
        });
        if self.losses.len() > 1 {
            json["loss_weights"] = json!(self.loss_weights);
        }
        json
    }

    /// Sets one key: `batch`, `optimizer.lr`, `schedule.0.steps`. The value is a number as Rust parses it, or other JSON; a bare
    /// word is a string.
    ///
    /// # Errors
    /// If the key is unknown, the value has the wrong type, or a check fails. Then nothing changes.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let value = value::of_text(value);
        let before = self.to_json();
        let mut after = before.clone();
        if self.init_from.is_none() && key.starts_with("init_from.") {
            // So that the keys can be set one by one in a program without `init_from`.
            after["init_from"] = Setting::to_json(&InitFrom::DEFAULT);
        }
        place(&mut after, key)?.clone_from(&value);
        let top = key.split('.').next().unwrap_or(key);
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

    /// Reads one top-level key back from JSON.
    fn take(&mut self, key: &str, json: &Value) -> Result<(), String> {
        fn read<T: serde::de::DeserializeOwned>(json: &Value) -> Result<T, String> {
            serde_json::from_value(json.clone()).map_err(|error| error.to_string())
        }
        // An optional part that is unset can be set as a whole: keys that are left out use their defaults.
        fn part<C: Config>(json: &Value) -> Result<Option<C>, String> {
            let Some(given) = json.as_object() else {
                return if json.is_null() { Ok(None) } else { from_json(json).map(Some) };
            };
            let mut whole = C::DEFAULT.to_json();
            if let Some(keys) = whole.as_object_mut() {
                keys.retain(|key, _| !C::REQUIRED.iter().any(|(required, _)| key == required));
                keys.extend(given.clone());
            }
            from_json(&whole).map(Some)
        }
        match key {
            "accumulate" => self.accumulate = read(json)?,
            "allow" => self.allow = read(json)?,
            "batch" => self.batch = read(json)?,
            "checkpoint" => self.checkpoint = part(json)?,
            "clip" => self.clip = self.clip.with(json)?,
            "constrain" => self.constrain = self.constrain.with(json)?,
            "device" => self.device = read(json)?,
            "drop_last" => self.drop_last = read(json)?,
            "early_stop" => self.early_stop = part(json)?,
            "ema" => self.ema = part(json)?,
            "gradient_noise" => self.gradient_noise = part(json)?,
            "gradient_norms" => self.gradient_norms = read(json)?,
            "epochs" => (self.epochs, self.steps) = (Some(read(json)?), None),
            "groups" => self.groups = each(&self.groups, json, |_, json| from_json(json))?,
            "init" => self.init = read(json)?,
            // The file name alone is enough.
            "init_from" if json.is_string() => self.init_from = part(&json!({ "file": json }))?,
            "init_from" => self.init_from = part(json)?,
            "loss" => {
                let with = |loss: &Arc<dyn BoundLoss>, json: &Value| loss.with(json).map(Arc::from);
                self.losses = match self.losses.as_slice() {
                    [loss] => vec![with(loss, json)?],
                    losses => each(losses, json, with)?,
                };
            }
            "loss_weights" if self.losses.len() > 1 => self.loss_weights = read(json)?,
            "metrics" => self.metrics = each(&self.metrics, json, |metric, json| metric.with(json))?,
            "mix" => self.mix = self.mix.with(json)?,
            "optimizer" => self.optimizer = self.optimizer.with(json)?,
            "on_non_finite" => {
                self.on_non_finite = if *json == "Stop" { None } else { part(json)? };
            }
            "precision" => self.precision = read(json)?,
            "scale_lr" => self.scale_lr = self.scale_lr.with(json)?,
            "schedule" => self.schedule = each(&self.schedule, json, |phase, json| phase.with(json))?,
            "seed" => self.seed = read(json)?,
            "steps" => (self.steps, self.epochs) = (Some(read(json)?), None),
            _ => return Err("unknown key".to_owned()),
        }
        Ok(())
    }
}

/// A list with changed elements; its length and its types are those of the spec.
fn each<T>(
    list: &[T],
    json: &Value,
    with: impl Fn(&T, &Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let changed = json.as_array().map(Vec::as_slice).unwrap_or_default();
    if changed.len() != list.len() {
        return Err(format!("expected a list of {}: its length is fixed at compile time", list.len()));
    }
    list.iter().zip(changed).map(|(element, json)| with(element, json)).collect()
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
