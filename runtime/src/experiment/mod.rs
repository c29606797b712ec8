//! A declared run as a value that code or the command line configures and starts.

mod check;
mod data;
mod disk;
mod evaluate;
mod folds;
pub(crate) mod memory;
mod parts;
mod preflight;
mod run;
mod sanity_check;
mod spec;
mod verify;

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

pub use self::check::Check;
pub use self::folds::{CrossValidation, Estimate, FoldResult, Folds};
pub use self::memory::Work;
use self::parts::Parts;
pub use self::run::Run;
pub use self::verify::Replayed;
use crate::data::{Fold, Reads};
use crate::engine;
use crate::error::{Error, Result};
use crate::inference::TrainedModel;
use crate::interrupt::Interrupt;
use crate::model::Model;
use crate::optim::AnyOptimizer;
use crate::spec::{AnySpec, Declaration, Device, ModelKeys, TrainConfig, Trainable};
use crate::summary::Memory;
use crate::trainer;
use crate::trainer::{RateCurve, RateSearch};
use crate::world::World;

/// A run declared with [`train!`](crate::train!), for use from Rust code instead of the command line.
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
    world: World,
    data_file: Option<PathBuf>,
    /// The fold that is trained.
    fold: Option<Fold>,
}

/// Which run is resumed.
enum Resume {
    /// The run in this folder.
    Of(PathBuf),
    /// The newest run.
    Newest,
}

impl<M> Experiment<M> {
    /// Creates a declared run with a one-line description. Its folders are `runs/<name>/<id>`.
    ///
    /// There is no bound `M: Model` here, since generated code asserts it elsewhere, once.
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
            world: World::single(),
            data_file: None,
            fold: None,
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

    /// Sets the seed of the random number generator.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.changed("seed", &seed.to_string())
    }

    /// Trains the model with these keys.
    ///
    /// ```
    /// use trainspec::Config;
    /// use trainspec::prelude::*;
    ///
    /// #[model]
    /// fn Net(x: Image<1, 8, 8>, #[default(1)] depth: usize, #[default(0.1)] dropout: f64) -> Logits<10> {
    ///     let mut x = x.flatten();
    ///     for i in 0..depth {
    ///         x = x.linear(out = 32).relu();
    ///     }
    ///     x.dropout(p = dropout).linear(out = 10)
    /// }
    ///
    /// train! {
    ///     Digits { model: Net { depth: 2 }, data: Digits8x8::embedded(), epochs: 1 }
    /// }
    ///
    /// let deeper = Digits::experiment().model(Net { depth: 3, ..Net::DEFAULT });
    /// assert_eq!(deeper.graph()?.trained_elements(), (64 * 32 + 32) + 2 * (32 * 32 + 32) + (32 * 10 + 10));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn model(self, model: M) -> Self
    where
        M: Trainable,
    {
        self.with_config(|settings| settings.model = ModelKeys::of(model))
    }

    /// Trains with another optimizer of any type.
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

    /// Changes any keys at once, also to values of another type, which [`Experiment::set`] cannot do. The rules are
    /// checked after all changes; an error is reported when the run starts. The changes are recorded in the
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
            let before = settings.every_key();
            change(&mut settings);
            settings.check()?;
            let after = settings.every_key();
            for (key, value) in after.as_object().into_iter().flatten() {
                let is_length = key == "epochs" || key == "steps";
                // A run has one length: setting one implies that the other is null.
                if before.get(key) != Some(value) && !(is_length && value.is_null()) {
                    overrides.push((key.clone(), value.to_string()));
                }
            }
            Ok(settings)
        });
        self
    }

    /// Trains on this device.
    #[must_use]
    pub fn device(self, device: Device) -> Self {
        self.changed("device", &device.to_string())
    }

    /// Reads the data from this file, or this folder, instead of the one that `data` declares with [`data_file`](crate::data::data_file), as
    /// `--data` does. The file must hold data of the same kinds. The path and its SHA-256 are recorded in the manifest of the run.
    ///
    /// A run that is resumed, verified or replayed reads the file that it was started with, unless another is set here. Other data are an error.
    ///
    /// ```no_run
    /// # use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(x: Features<4>) -> Logits<3> { x.linear(out = 3) }
    /// train! {
    ///     Flowers { model: Net, data: Csv::open(data_file("flowers.csv")).read::<Features<4>, Class<3>>() }
    /// }
    ///
    /// let run = Flowers::experiment().data_file("flowers-of-2027.csv").run()?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the data are opened: if they do not declare exactly one such file, or if it is not UTF-8 text that a manifest can hold.
    #[must_use]
    pub fn data_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_file = Some(path.into());
        self
    }

    /// Writes run folders below this folder instead of `runs`.
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Writes no run folder.
    #[must_use]
    pub fn without_folder(mut self) -> Self {
        (self.out, self.resume) = (None, None);
        self
    }

    /// Resumes the run in this folder from its newest complete checkpoint instead of starting a new run. The final
    /// files are byte for byte those of an uninterrupted run. The settings and the data must be those that the run was
    /// started with.
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

    /// Resumes the program's newest run below the folder of [`Experiment::out`].
    #[must_use]
    pub fn resume_newest(mut self) -> Self {
        self.resume = Some(Resume::Newest);
        self
    }

    /// Allows this key of the spec, including its nested keys, to differ from the value that the resumed run was
    /// started with. The changes are recorded in the manifest. By default no key may differ, since the resulting run
    /// can then no longer be reproduced from its spec alone.
    ///
    /// The saved state must fit the changed spec: another number of epochs or another learning rate fits, another layer does
    /// not.
    #[must_use]
    pub fn allow_spec_change(mut self, key: impl Into<String>) -> Self {
        self.permitted.push(key.into());
        self
    }

    /// Stops without losing state when this handle requests it: see [`Interrupt`].
    #[must_use]
    pub fn interrupted_by(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Trains on one process of a [`World`]. Every process starts the same run and returns the same result; the first one alone
    /// reports events and writes the run folder, which the others must be able to read to resume a run. Searches, evaluations and
    /// re-runs of this process are its own.
    #[must_use]
    pub fn in_world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Returns the processes of the run.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Sets a key, as `--set key=value` does: `batch`, `optimizer.lr`, `schedule.0.steps`.
    ///
    /// # Errors
    /// If the key is unknown or the value violates a rule.
    pub fn set(mut self, key: &str, value: &str) -> Result<Self> {
        self.change(key, value)?;
        Ok(self)
    }

    /// Makes a change whose error is reported when the run starts.
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
            let problem = format!("`{other}` is also set; a run has only one length");
            return Err(Error::Setting { key: key.to_owned(), problem });
        }
        settings.set(key, value)?;
        self.overrides.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Returns the settings with all defaults and changes.
    ///
    /// # Errors
    /// If a rule is violated.
    pub fn settings(&mut self) -> Result<&TrainConfig> {
        self.settings.as_mut().map(|settings| &*settings).map_err(take)
    }

    /// Reads a trained model.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model. The error names every mismatch.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<TrainedModel<M>> {
        TrainedModel::read(self.graph()?, path.as_ref())
    }

    /// Returns the changes to the declared spec, in order.
    #[must_use]
    pub fn overrides(&self) -> &[(String, String)] {
        &self.overrides
    }

    /// Returns the memory that `work` with this run is planned to need before the first step. The work is rejected if
    /// less memory is available.
    ///
    /// # Errors
    /// If the settings or the data are invalid.
    pub fn memory(&mut self, work: Work) -> Result<Memory> {
        let (graph, samples) = (self.graph()?, self.data()?.train().len());
        Ok(memory::memory(&graph, self.settings()?, samples, work))
    }

    /// Runs a learning-rate range test on its own parameters: see [`trainer::find_rate`].
    ///
    /// # Errors
    /// If the settings or the data are invalid, or a sample cannot be read.
    pub fn find_rate(mut self, search: RateSearch) -> Result<RateCurve> {
        let Parts { settings, graph, data } = self.parts(Reads::Much)?;
        let needed = memory::memory(&graph, &settings, data.train().len(), Work::FindRate);
        memory::fits(needed, memory::available(&settings))?;
        let mut engine = engine::open(&graph, &settings)?;
        trainer::find_rate(&mut *engine, &graph, &settings, &data, search)
    }
}

/// Takes an error out of a place that is not read again.
fn take(error: &mut Error) -> Error {
    std::mem::replace(error, Error::Internal("an error was reported twice"))
}
