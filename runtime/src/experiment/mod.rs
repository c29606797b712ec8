//! A declared run as a value: changed and started from code, or by the command line.

mod check;
mod disk;
mod evaluate;
pub(crate) mod memory;
mod parts;
mod preflight;
mod run;
mod sanity_check;
mod verify;

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

pub use self::check::Check;
pub use self::memory::Work;
use self::parts::Parts;
pub use self::run::Run;
pub use self::verify::Replayed;
use crate::data::{AnyDataset, PreparedDataset, training_samples};
use crate::engine;
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::graph::Graph;
use crate::inference::TrainedModel;
use crate::interrupt::Interrupt;
use crate::model::Model;
use crate::optim::{AnyOptimizer, Groups};
use crate::schedule::Schedule;
use crate::spec::value::unsigned_zeros;
use crate::spec::{AnySpec, Declaration, Device, TrainConfig};
use crate::summary::Memory;
use crate::trainer;
use crate::trainer::{RateCurve, RateSearch};

/// A run that was declared with [`train!`](crate::train!): the same as its command line, without one.
///
/// ```no_run
/// # use trainspec::prelude::*;
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded() }
/// }
///
/// let run = Digits::experiment().epochs(3).seed(7).set("optimizer.lr", "1e-3")?.run()?;
/// println!("{:?}", run.outcome.test);
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct Experiment<M: 'static> {
    name: &'static str,
    about: &'static str,
    settings: Result<TrainConfig>,
    overrides: Vec<(String, String)>,
    spec: &'static dyn AnySpec,
    model: PhantomData<fn() -> M>,
    out: Option<PathBuf>,
    resume: Option<Resume>,
    permitted: Vec<String>,
    interrupt: Interrupt,
}

/// Which run is taken up again.
enum Resume {
    /// That of a folder.
    Of(PathBuf),
    /// The one that was begun last.
    Newest,
}

impl<M> Experiment<M> {
    /// A declared run, with a line about it; its folders are `runs/<name>/<id>`.
    ///
    /// That `M` is a model is no bound here: generated code asks for it elsewhere, once.
    pub fn declared(name: &'static str, about: &'static str, declaration: &Declaration) -> Self {
        let spec = declaration.spec();
        Self {
            name,
            about,
            settings: spec.settings(),
            overrides: Vec::new(),
            spec,
            model: PhantomData,
            out: Some(PathBuf::from("runs")),
            resume: None,
            permitted: Vec::new(),
            interrupt: Interrupt::new(),
        }
    }
}

impl<M: Model> Experiment<M> {
    /// The program's name in snake case.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The first line of the program's documentation; empty if it has none.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Trains for this many epochs.
    #[must_use]
    pub fn epochs(self, epochs: u64) -> Self {
        self.changed("epochs", &epochs.to_string())
    }

    /// Draws all random numbers from this seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.changed("seed", &seed.to_string())
    }

    /// Trains by another optimizer, of any type.
    ///
    /// ```
    /// # use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
    /// # train! {
    /// #     Digits { model: Net, data: Digits8x8::embedded(), epochs: 1 }
    /// # }
    /// use trainspec::Config;
    ///
    /// for momentum in [0.0, 0.9] {
    ///     let sgd = Sgd { momentum, ..Sgd::DEFAULT };
    ///     let run = Digits::experiment().optimizer(&sgd).without_folder().run()?;
    ///     println!("{momentum}: {:?}", run.outcome.validation);
    /// }
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn optimizer(self, optimizer: &dyn AnyOptimizer) -> Self {
        self.with_config(|settings| settings.optimizer = optimizer.boxed())
    }

    /// Changes any keys at once, also to values of another type, which [`Experiment::set`] leaves to the program. Every rule
    /// is judged once all changes are made; a fault shows when the run starts. What has changed is among the
    /// [overrides](Experiment::overrides).
    ///
    /// ```
    /// # use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
    /// # train! {
    /// #     Digits { model: Net, data: Digits8x8::embedded(), epochs: 1 }
    /// # }
    /// use trainspec::Config;
    ///
    /// let warmup = Warmup { steps: 5, ..Warmup::DEFAULT };
    /// let run = Digits::experiment()
    ///     .with_config(|settings| {
    ///         settings.schedule = vec![Box::new(warmup), Box::new(Cosine)];
    ///         settings.clip = Box::new(GlobalNorm { max: 1.0 });
    ///     })
    ///     .without_folder()
    ///     .run()?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn with_config(mut self, change: impl FnOnce(&mut TrainConfig)) -> Self {
        let overrides = &mut self.overrides;
        self.settings = self.settings.and_then(|mut settings| {
            let before = settings.to_json();
            change(&mut settings);
            settings.check()?;
            let after = settings.to_json();
            for (key, value) in after.as_object().into_iter().flatten() {
                let is_length = key == "epochs" || key == "steps";
                // A run has one length; that the other is not given is said by it.
                if before.get(key) != Some(value) && !(is_length && value.is_null()) {
                    overrides.push((key.clone(), value.to_string()));
                }
            }
            Ok(settings)
        });
        self
    }

    /// Computes there.
    #[must_use]
    pub fn device(self, device: Device) -> Self {
        self.changed("device", &device.to_string())
    }

    /// Writes run folders below this folder instead of `runs`.
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Writes nothing.
    #[must_use]
    pub fn without_folder(mut self) -> Self {
        (self.out, self.resume) = (None, None);
        self
    }

    /// Goes on with the run of this folder, from its newest whole checkpoint, instead of beginning another: the files that
    /// it ends with are byte for byte those of a run that was never ended. The settings are to be those that it was
    /// begun with, and so are the data.
    ///
    /// ```no_run
    /// # use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
    /// # train! {
    /// #     Digits { model: Net, data: Digits8x8::embedded(), checkpoint: Checkpoint { every: Epochs(1), keep: 2 } }
    /// # }
    /// let run = Digits::experiment().resume("runs/digits/20261124-101500").run()?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn resume(mut self, run: impl Into<PathBuf>) -> Self {
        self.resume = Some(Resume::Of(run.into()));
        self
    }

    /// The same with the program's newest run below the folder of [`Experiment::out`].
    #[must_use]
    pub fn resume_newest(mut self) -> Self {
        self.resume = Some(Resume::Newest);
        self
    }

    /// Permits this key of the spec, with all that it holds, to differ from what a resumed run was begun with; what has
    /// changed is recorded in the manifest. By default no key may: the run that results is no longer one that can be
    /// had from its spec alone.
    ///
    /// That the state fits the changed spec is checked: another number of epochs or another rate does, another layer does
    /// not.
    #[must_use]
    pub fn allow_spec_change(mut self, key: impl Into<String>) -> Self {
        self.permitted.push(key.into());
        self
    }

    /// Ends when that is requested of this handle, with nothing lost: see [`Interrupt`]. Without, only the run's own end ends it.
    #[must_use]
    pub fn interrupted_by(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Changes a key, as `--set key=value` does: `batch`, `optimizer.lr`, `schedule.0.steps`.
    ///
    /// # Errors
    /// If there is no such key, or its rules do not hold for the value.
    pub fn set(mut self, key: &str, value: &str) -> Result<Self> {
        self.change(key, value)?;
        Ok(self)
    }

    /// A change whose fault shows when the run starts.
    fn changed(mut self, key: &str, value: &str) -> Self {
        if let Err(error) = self.change(key, value) {
            self.settings = Err(error);
        }
        self
    }

    fn change(&mut self, key: &str, value: &str) -> Result<()> {
        let settings = self.settings.as_mut().map_err(take)?;
        let other = match key {
            "epochs" => "steps",
            "steps" => "epochs",
            _ => "",
        };
        if self.overrides.iter().any(|(key, _)| key == other) {
            let problem = format!("`{other}` is set as well; a run has one length");
            return Err(Error::Setting { key: key.to_owned(), problem });
        }
        settings.set(key, value)?;
        self.overrides.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The settings, with every default and change.
    ///
    /// # Errors
    /// If a rule does not hold.
    pub fn settings(&mut self) -> Result<&TrainConfig> {
        self.settings.as_mut().map(|settings| &*settings).map_err(take)
    }

    /// The whole spec as canonical JSON: the settings, and the model layer by layer.
    ///
    /// # Errors
    /// If a rule does not hold.
    pub fn spec(&mut self) -> Result<serde_json::Value> {
        let graph = self.graph()?;
        let from = self.settings()?.init_from;
        let mut spec = self.settings()?.to_json();
        if let Some(from) = from {
            spec["init_from"]["sha256"] = json!(from.sha256().or_else(|| self.recorded_sha256()));
        }
        if let Some(keys) = spec.as_object_mut() {
            keys.insert("model".to_owned(), graph.to_json());
            keys.insert("name".to_owned(), json!(self.name));
            keys.insert("data".to_owned(), json!(self.spec.data_text()));
        }
        Ok(unsigned_zeros(spec))
    }

    /// The SHA-256 of the file that the run began with which is resumed, for one that has gone since: the run does not need it.
    fn recorded_sha256(&self) -> Option<String> {
        let run = self.taken_up().ok()??;
        let spec: serde_json::Value =
            serde_json::from_slice(&read_file(&run.join("spec.json")).ok()?).ok()?;
        Some(spec.pointer("/spec/init_from/sha256")?.as_str()?.to_owned())
    }

    /// The model's graph, with the parameters frozen that are to be.
    ///
    /// # Errors
    /// If a rule of the model does not hold, or a group means none of its parameters.
    pub fn graph(&self) -> Result<Graph> {
        let mut graph = self.spec.graph()?;
        if let Ok(settings) = &self.settings {
            Groups(&settings.groups).freeze(&mut graph.parameters, &graph.bindings)?;
        }
        Ok(graph)
    }

    /// Reads a trained model.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<TrainedModel<M>> {
        TrainedModel::read(self.graph()?, path.as_ref())
    }

    /// The changes that were made to what was declared, in their order.
    #[must_use]
    pub fn overrides(&self) -> &[(String, String)] {
        &self.overrides
    }

    /// The data, split, normalized and checked.
    ///
    /// # Errors
    /// If they cannot be read or cannot be used.
    pub fn data(&mut self) -> Result<PreparedDataset> {
        let settings = self.settings()?;
        let (seed, loss) = (settings.seed, Arc::clone(&settings.loss));
        PreparedDataset::for_loss(self.opened()?, seed, &*loss, &self.interrupt)
    }

    fn opened(&self) -> Result<Box<dyn AnyDataset>> {
        self.interrupt.check()?;
        self.interrupt.during(|| self.spec.open())
    }

    /// The learning rate of every step of the run. Of the data only the number of samples is looked at.
    ///
    /// # Errors
    /// If the settings or the split cannot be used, the data cannot be opened, or the schedule does not fit the run.
    pub fn schedule(&mut self) -> Result<Schedule> {
        let data = self.opened()?;
        let settings = self.settings()?;
        let samples = training_samples(&*data, settings.seed)?;
        let (steps, epoch) = trainer::length(settings, samples);
        Schedule::of(settings, steps, epoch)
    }

    /// What some work with this run takes in memory, as it is planned before the first step: it is refused where the machine
    /// has less.
    ///
    /// # Errors
    /// If the settings or the data cannot be used.
    pub fn memory(&mut self, work: Work) -> Result<Memory> {
        let (graph, samples) = (self.graph()?, self.data()?.train().len());
        Ok(memory::memory(&graph, self.settings()?, samples, work))
    }

    /// Searches for a learning rate, on parameters of its own: see [`trainer::find_rate`].
    ///
    /// # Errors
    /// If the settings or the data cannot be used, or a sample cannot be read.
    pub fn find_rate(mut self, search: RateSearch) -> Result<RateCurve> {
        let Parts { settings, graph, data } = self.parts()?;
        let needed = memory::memory(&graph, &settings, data.train().len(), Work::FindRate);
        memory::fits(needed, memory::available(&settings))?;
        let mut engine = engine::open(&graph, &settings)?;
        trainer::find_rate(&mut *engine, &graph, &settings, &data, search)
    }
}

/// Takes an error out of a place that is not looked at again.
fn take(error: &mut Error) -> Error {
    std::mem::replace(error, Error::Internal("an error was reported twice"))
}
