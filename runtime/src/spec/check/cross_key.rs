//! Cross-key rules of a spec, in const evaluation.
//!
//! The compiler sees the keys that are not trait objects, and for the others the facts that a literal reports
//! ([`Facts`]). It does not guess the rest: [`TrainConfig`](crate::spec::TrainConfig) and
//! [`Schedule`](crate::schedule::Schedule) apply the same rules when the program starts.

use super::super::non_finite::beside_loss_scale;
use super::rules::{RESERVED, called_alike, given};
use crate::config::Config;
use crate::keys::Interval;
use crate::keys::Penalties;
use crate::keys::{Facts, Label, Length, Scaling, augmented_input};
use crate::loss::TargetKinds;
use crate::model::Model;
use crate::optim::{AdamW, freezes_all};
use crate::schedule::{Course, Taken, above_floor};
use crate::shape::{CheckError, CheckResult, Few, Kinds, Shape, contains, same_text};
use crate::spec::{Spec, TrainConfig};
use crate::spec::{at_largest, constrained_average, falling_rate, scaled_in_vain, second_average};

/// The keys that are set, each with the facts of its values: one for a literal, one for each element of a list, and none
/// for anything else.
pub(crate) type Given<'a> = &'a [(&'a str, &'a [Facts])];

/// Errors with their location: a key, and an element of its list.
#[derive(Clone, Copy)]
pub(crate) struct Mistakes {
    found: [Option<(&'static str, usize, CheckError)>; Self::MOST],
    count: usize,
}

/// The location of an error in a value that is not a list, or in a whole list.
pub(crate) const WHOLE: usize = usize::MAX;

impl Mistakes {
    /// Further errors are dropped; they appear once these are fixed.
    const MOST: usize = 12;

    const fn add(&mut self, key: &'static str, place: usize, verdict: CheckResult) {
        if let Err(problem) = verdict
            && self.count < Self::MOST
            && self.of(key, place).is_ok()
        {
            self.found[self.count] = Some((key, place, problem));
            self.count += 1;
        }
    }

    /// The result for a key, or for an element of its list.
    pub(crate) const fn of(&self, key: &str, place: usize) -> CheckResult {
        let mut i = 0;
        while i < self.count {
            if let Some((name, at, problem)) = self.found[i]
                && at == place
                && same_text(name, key)
            {
                return Err(problem);
            }
            i += 1;
        }
        Ok(())
    }

    /// The first error in the default of a key that is not set.
    pub(crate) const fn of_missing(&self, given: &[&str]) -> CheckResult {
        let mut i = 0;
        while i < self.count {
            if let Some((name, _, problem)) = self.found[i]
                && !contains(given, name)
                // The model is always set.
                && !same_text(name, "model")
            {
                return Err(problem);
            }
            i += 1;
        }
        Ok(())
    }
}

/// The facts of a key's values; `None` if the key is not set.
const fn facts_of<'a>(given: Given<'a>, key: &str) -> Option<&'a [Facts]> {
    let mut i = 0;
    while i < given.len() {
        if same_text(given[i].0, key) {
            return Some(given[i].1);
        }
        i += 1;
    }
    None
}

impl<M: Model, T: TargetKinds> Spec<M, T> {
    /// Collects every error between keys that can be detected.
    pub(crate) const fn mistakes(&self, model: CheckResult<Shape>, given: Given<'_>) -> Mistakes {
        let mut found = Mistakes { found: [None; Mistakes::MOST], count: 0 };
        found.add("model", WHOLE, classes_to_tell::<T>());
        found.add("batch", WHOLE, least_batch(*self.batch, model));
        if let Some([precision]) = facts_of(given, "precision") {
            found.add("on_non_finite", WHOLE, beside_loss_scale(*self.on_non_finite, precision.scales_loss));
        }
        let outputs = <M::Output as Kinds>::NAMES.len();
        if let Some(losses) = facts_of(given, "loss")
            && losses.len() == outputs
            && T::NAMES.len() == outputs
        {
            let mut i = 0;
            while i < outputs {
                let (classes, what) = classes_of::<M::Output, T>(i);
                found.add("loss", WHOLE, named(losses[i].fits(classes, what), losses[i].name));
                i += 1;
            }
        }
        self.of_metrics(&mut found, given);
        if let Some((place, problem)) = freezes_all(self.groups) {
            found.add("groups", place, Err(problem.of("groups")));
        }
        self.of_schedule(&mut found, given);
        of_averaging(&mut found, given);
        self.of_augment(&mut found, given);
        found
    }

    /// Reports duplicate names of metrics, and monitored names that do not exist.
    const fn of_metrics(&self, found: &mut Mistakes, given: Given<'_>) {
        let metrics = match facts_of(given, "metrics") {
            None => &[],
            Some(metrics) if metrics.len() == self.metrics.len() => metrics,
            Some(_) => return,
        };
        let (mut numbers, mut tables) = (Names::NONE, Names::NONE);
        let losses = loss_labels(M::OUTPUTS);
        let mut i = 0;
        while i < M::OUTPUTS.len() && i < losses.len() {
            numbers.push(losses[i].as_str());
            i += 1;
        }
        let mut i = 0;
        while i < metrics.len() {
            let metric = &metrics[i];
            if metric.output >= T::NAMES.len() || metric.output >= <M::Output as Kinds>::NAMES.len() {
                return;
            }
            let (classes, what) = classes_of::<M::Output, T>(metric.output);
            found.add("metrics", i, named(metric.fits(classes, what), metric.name));
            match &metric.label {
                None => numbers.all = false,
                Some(label) if is_taken(metrics.split_at(i).0, label.as_str()) => {
                    found.add("metrics", i, Err(called_alike(label.as_str()).of("metrics")));
                }
                Some(label) if metric.is_table => tables.push(label.as_str()),
                Some(label) => numbers.push(label.as_str()),
            }
            i += 1;
        }
        if !(numbers.all && tables.all) {
            return;
        }
        found.add(
            "early_stop",
            WHOLE,
            named(self.early_stop.monitor.check(numbers.texts(), tables.texts()), "early_stop"),
        );
        if let Some(phases) = facts_of(given, "schedule") {
            let mut i = 0;
            while i < phases.len() {
                if let Some(monitor) = phases[i].watched {
                    found.add(
                        "schedule",
                        i,
                        named(monitor.check(numbers.texts(), tables.texts()), phases[i].name),
                    );
                }
                i += 1;
            }
        }
    }

    /// Checks that each augmentation applies to its input.
    const fn of_augment(&self, found: &mut Mistakes, given: Given<'_>) {
        let Some(rules) = facts_of(given, "augment") else { return };
        let inputs = self.model.inputs;
        if rules.len() != self.augment.len() || inputs.is_empty() {
            return;
        }
        let mut i = 0;
        while i < rules.len() {
            let Facts { name, takes, list, .. } = rules[i];
            if let Some(takes) = takes {
                let verdict = match augmented_input(list, inputs.len()) {
                    Ok(input) => takes.check(inputs[input]),
                    Err(problem) => Err(problem),
                };
                found.add("augment", i, named(verdict, name));
            }
            i += 1;
        }
    }

    /// Checks the phases against the length of the run, their floors against the learning rate, and the optimizer at
    /// the largest learning rate.
    const fn of_schedule(&self, found: &mut Mistakes, given: Given<'_>) {
        let phases: &[Facts] = match facts_of(given, "schedule") {
            None => &[Facts { name: "Constant", ..Facts::NOTHING.lasting(None).times(1.0) }],
            Some(phases) if phases.len() == self.schedule.len() => phases,
            Some(_) => return,
        };
        let mut course = self.course();
        let rates = self.rates(given);
        let mut rate = None;
        if let Some(rates) = rates {
            rate = rates.base;
        }
        if let Some(rates) = rates
            && let Some(first) = phases.first()
            && rates.is_scaled
            && first.peak.is_some()
        {
            found.add("scale_lr", WHOLE, Err(scaled_in_vain(first.name).of("scale_lr")));
        }
        let mut is_told = false;
        let mut i = 0;
        while i < phases.len() {
            let phase = &phases[i];
            if let Some(now) = course {
                course = match now.then(phase.name, now.taken(phase.length), i + 1 == phases.len()) {
                    Ok(then) => Some(then),
                    Err(problem) => {
                        found.add("schedule", i, Err(problem.of("schedule")));
                        None
                    }
                };
            }
            if let Some(rate) = rate
                && let Some(floor) = phase.floor
            {
                found.add("schedule", i, named(named(above_floor(rate, floor), phase.name), "schedule"));
            }
            if let Some(rates) = rates {
                let (reached, at) = match (phase.peak, rate, phase.times, phase.floor) {
                    (Some(peak), _, _, _) => (peak, i),
                    (None, Some(rate), Some(factor), _) => {
                        (rate * factor, if factor > 1.0 { i } else { WHOLE })
                    }
                    (None, Some(rate), None, Some(_)) => (rate, WHOLE),
                    _ => (0.0, WHOLE),
                };
                if !is_told
                    && reached > rates.lr
                    && let Err(problem) = rates.penalties.check(reached)
                {
                    let key = if at == WHOLE && rates.is_scaled { "scale_lr" } else { "schedule" };
                    let problem = at_largest(reached, rates.lr, problem.of(rates.name));
                    found.add(key, at, Err(problem.of(key)));
                    is_told = true;
                }
            }
            rate = match (rate, phase.times) {
                (Some(rate), Some(factor)) => Some(rate * factor),
                _ => None,
            };
            i += 1;
        }
    }

    /// The length of the run, in steps or in epochs as declared.
    const fn course(&self) -> Option<Course> {
        match (given(*self.epochs), given(*self.steps)) {
            (Some(_), Some(_)) | (Some(0), _) | (_, Some(0)) => None,
            (None, Some(steps)) => Some(Course::of(steps, Course::STEPS)),
            (Some(epochs), None) => Some(Course::of(epochs, Course::EPOCHS)),
            (None, None) => Some(Course::of(TrainConfig::EPOCHS, Course::EPOCHS)),
        }
    }

    /// The optimizer's learning rate; `None` if it is not known.
    const fn rates(&self, given: Given<'_>) -> Option<Rates> {
        let (name, (lr, penalties)) = match facts_of(given, "optimizer") {
            None => match AdamW::DEFAULT.check() {
                Ok(Facts { rate: Some(rate), .. }) => (AdamW::NAME, rate),
                _ => return None,
            },
            Some([Facts { name, rate: Some(rate), .. }]) => (*name, *rate),
            Some(_) => return None,
        };
        let samples = (*self.batch as u64).saturating_mul(*self.accumulate as u64);
        let (factor, is_scaled) = match facts_of(given, "scale_lr") {
            None => (Some(1.0), false),
            Some([Facts { scaling: Some(Scaling::Linear(base)), .. }]) => {
                (Some(samples as f64 / *base as f64), samples != *base)
            }
            Some([Facts { scaling: Some(Scaling::Other(base)), .. }]) if samples == *base => {
                (Some(1.0), false)
            }
            Some([Facts { scaling: Some(Scaling::Other(_)), .. }]) => (None, true),
            Some(_) => (None, false),
        };
        let base = match factor {
            Some(factor) => Some(lr * factor),
            None => None,
        };
        Some(Rates { name, lr, penalties, base, is_scaled })
    }
}

#[derive(Clone, Copy)]
struct Rates {
    /// The optimizer's name.
    name: &'static str,
    lr: f64,
    penalties: Penalties,
    /// The base learning rate of the schedule, if it is known.
    base: Option<f64>,
    /// Whether that differs from `lr`.
    is_scaled: bool,
}

/// Reports keys that an optimizer which averages the weights does not go with.
const fn of_averaging(found: &mut Mistakes, given: Given<'_>) {
    let name = match facts_of(given, "optimizer") {
        Some([Facts { name, averages: true, .. }]) => *name,
        _ => return,
    };
    if facts_of(given, "ema").is_some() {
        found.add("ema", WHOLE, Err(second_average(name).of("ema")));
    }
    if facts_of(given, "constrain").is_some() {
        found.add("constrain", WHOLE, Err(constrained_average(name).of("constrain")));
    }
    let Some(phases) = facts_of(given, "schedule") else { return };
    let mut i = 0;
    while i < phases.len() {
        let phase = &phases[i];
        let factor = matches!(phase.times, Some(factor) if factor < 1.0);
        let falls_to_floor = phase.times.is_none() && phase.floor.is_some();
        if factor || falls_to_floor || phase.watched.is_some() {
            found.add("schedule", i, Err(falling_rate(name, phase.name).of("schedule")));
        }
        i += 1;
    }
}

impl Course {
    const STEPS: &'static str = "steps";
    const EPOCHS: &'static str = "epochs";

    const fn taken(self, length: Length) -> Taken {
        match length {
            Length::Rest => Taken::Rest,
            Length::Of(Interval::Steps(steps)) if same_text(self.unit(), Self::STEPS) => Taken::Units(steps),
            Length::Of(Interval::Epochs(epochs)) if same_text(self.unit(), Self::EPOCHS) => {
                Taken::Units(epochs)
            }
            _ => Taken::Unknown,
        }
    }
}

/// The names of the losses of several outputs in logs.
const fn loss_labels(outputs: &[&str]) -> [Label; Few::<()>::MOST] {
    let mut labels = [Label::new(""); Few::<()>::MOST];
    let mut i = 0;
    while i < outputs.len() && i < labels.len() {
        labels[i] = Label::new(outputs[i]).text("_loss");
        i += 1;
    }
    labels
}

/// With more metrics than this, their names are not checked.
const MOST_NAMES: usize = 32;

/// The names of a run's metrics in logs.
struct Names<'a> {
    texts: [&'a str; MOST_NAMES],
    count: usize,
    /// Whether the list is complete.
    all: bool,
}

impl<'a> Names<'a> {
    const NONE: Self = Self { texts: [""; MOST_NAMES], count: 0, all: true };

    const fn push(&mut self, name: &'a str) {
        if self.count < MOST_NAMES {
            self.texts[self.count] = name;
            self.count += 1;
        } else {
            self.all = false;
        }
    }

    const fn texts(&self) -> &[&'a str] {
        self.texts.split_at(self.count).0
    }
}

/// Whether another logged value has this name.
const fn is_taken(before: &[Facts], name: &str) -> bool {
    let mut i = 0;
    while i < before.len() {
        if let Some(label) = &before[i].label
            && same_text(label.as_str(), name)
        {
            return true;
        }
        i += 1;
    }
    contains(&RESERVED, name)
}

/// The number of classes that an output of a model distinguishes, and what they are called in messages.
const fn classes_of<Outputs: Kinds, Targets: Kinds>(output: usize) -> (usize, &'static str) {
    let shape = Outputs::SHAPES[output];
    // The classes of a map are its channels.
    let is_map = same_text(Outputs::NAMES[output], "LogitMap");
    let classes = if is_map { shape.axis(0) } else { shape.last() };
    let what = if same_text(Outputs::NAMES[output], "TokenLogits") {
        "tokens"
    } else if same_text(Targets::NAMES[output], "Labels") {
        "labels"
    } else if classes == 1 {
        "logits"
    } else {
        "classes"
    };
    (classes, what)
}

/// Checks that every target has at least 2 classes.
const fn classes_to_tell<Targets: Kinds>() -> CheckResult {
    let mut i = 0;
    while i < Targets::SHAPES.len() {
        if matches!(Targets::SHAPES[i].vocabulary(), Some(1)) {
            return Err(CheckError::new("model: `").text(Targets::NAMES[i]).text(
                "` has 1 class, so every prediction is correct; expected at least 2, such as `Class<2>` for a model that returns \
                 `Logits<2>`, or `Logits<1>` with `BinaryCrossEntropy`",
            ));
        }
        i += 1;
    }
    Ok(())
}

/// Checks that every layer can train on a full micro-batch. The last one of an epoch depends on the data and is checked at startup.
const fn least_batch(batch: usize, model: CheckResult<Shape>) -> CheckResult {
    match model {
        Ok(shape) if batch > 0 && batch < shape.least_batch() => Err(CheckError::new("batch is ")
            .number(batch)
            .text(", but `")
            .text(shape.asked_by())
            .text("` trains on at least ")
            .number(shape.least_batch())
            .text(" samples at once; use a larger batch, or another layer, such as `layer_norm`")),
        _ => Ok(()),
    }
}

const fn named(verdict: CheckResult, name: &str) -> CheckResult {
    match verdict {
        Ok(()) => Ok(()),
        Err(problem) => Err(problem.of(name)),
    }
}
