//! The command-line arguments.

use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::data::PreparedDataset;
use crate::spec::Device;
use crate::trainer::RateSearch;

/// The whole command line. Without a command it trains. Options before a command act like options after it.
#[derive(Debug, Parser)]
#[command(about = "A training run")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: Train,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train the model (the default command)
    Train(Train),
    /// Run every check before the first step and print advice, without training
    Check(Check),
    /// Evaluate a trained model on one part of the data
    Eval(Eval),
    /// Cross-validate: train on all but one fold of the data, for each fold; started again, it continues
    Folds(Folds),
    /// Write a trained model under the tensor names that PyTorch and candle use
    Export(Export),
    /// Show the model layer by layer, with the memory and FLOPs of training
    Summary(Changes),
    /// Plot the learning rate of every step, without training
    Schedule(Schedule),
    /// Run a learning-rate range test: raise the learning rate until training diverges (Smith 2017)
    FindLr(FindLr),
    /// Print the full spec as JSON, with all defaults and its hash
    Spec(Changes),
    /// Re-run a run in memory and compare it with its folder bit by bit
    Verify(Verify),
    /// Compare the specs, environments and curves of two runs
    Diff(Diff),
    /// Write the model of a run as it was after a step
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Train {
    #[command(flatten)]
    pub(super) changes: Changes,
    /// Parent folder of the run folder [default: runs]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Resume this run, or the newest one, from its newest complete checkpoint
    #[arg(long, value_name = "RUN")]
    #[expect(clippy::option_option, reason = "absent, without a folder, and with one")]
    pub(super) resume: Option<Option<PathBuf>>,
    /// Allow these keys of the spec to differ from those of the resumed run
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', requires = "resume")]
    pub(super) allow_spec_change: Vec<String>,
    /// Print errors only
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

/// The data, for commands that read them.
#[derive(Debug, Default, Args)]
pub(super) struct Data {
    /// Read the data from this file or folder instead of the one in `data_file(…)`
    #[arg(long = "data", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) data: Data,
    /// Parent folder of the run folder [default: runs]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The run folder; the overrides of the run are applied
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Start from the checkpoint of this step
    #[arg(long, value_name = "STEP|start", default_value = "start", allow_negative_numbers = true)]
    pub(super) from: Begin,
    /// Print only where the runs differ
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The run folders
    #[arg(value_name = "RUN", num_args = 2, required = true)]
    pub(super) runs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The run folder; the overrides of the run are applied
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Write the model as it was after this step, from 1
    #[arg(long, value_name = "STEP", allow_negative_numbers = true, value_parser = whole)]
    pub(super) to: u64,
    /// Write the averaged weights (EMA) instead, if the run keeps them
    #[arg(long)]
    pub(super) average: bool,
    /// The file to write, which must not exist [default: <program>-step-<STEP>.safetensors]
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) out: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

/// Where a re-run starts: at the checkpoint of a step, or at the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begin(pub(super) Option<u64>);

impl std::str::FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "start" => Ok(Self(None)),
            Ok(step) if step > 0 => Ok(Self(Some(step))),
            _ => Err("expected `start`, or the step of a checkpoint, such as `150`".to_owned()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Eval {
    /// The model file
    #[arg(value_name = "MODEL.safetensors")]
    pub(super) model: PathBuf,
    /// The part of the data
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub(super) part: Part,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct Folds {
    /// The number of folds, from 2 to the number of training and validation samples
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = whole)]
    pub(super) k: u64,
    #[command(flatten)]
    pub(super) changes: Changes,
    /// Parent folder of the folder with the folds [default: runs]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// A run folder or a model file [default: the newest run below runs]
    #[arg(value_name = "RUN|MODEL.safetensors")]
    pub(super) source: Option<PathBuf>,
    /// The file format
    #[arg(long, value_enum, default_value_t = Format::Safetensors)]
    pub(super) format: Format,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

/// A format of model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Safetensors,
}

#[derive(Debug, Args)]
pub(super) struct Schedule {
    /// Also write the plot to this SVG file
    #[arg(long, value_name = "FILE.svg")]
    pub(super) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) data: Data,
}

#[derive(Debug, Args)]
pub(super) struct FindLr {
    /// The first learning rate
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, value_parser = number, default_value_t = RateSearch::DEFAULT.from)]
    pub(super) from: f64,
    /// The last learning rate
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, value_parser = number, default_value_t = RateSearch::DEFAULT.to)]
    pub(super) to: f64,
    /// Number of optimizer steps, each at a higher learning rate
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = whole, default_value_t = RateSearch::DEFAULT.steps)]
    pub(super) steps: u64,
    /// Also write the plot to this SVG file
    #[arg(long, value_name = "FILE.svg")]
    pub(super) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) data: Data,
}

/// Overrides of the declared spec.
#[derive(Debug, Default, Args)]
pub(super) struct Changes {
    /// Train for this many epochs
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = whole)]
    pub(super) epochs: Option<u64>,
    /// Seed of the random number generator
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = whole)]
    pub(super) seed: Option<u64>,
    /// Train on this device
    #[arg(long)]
    pub(super) device: Option<Device>,
    /// Change a key of the spec, such as `optimizer.lr=1e-3` or `schedule.0.steps=50`; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = change)]
    pub(super) set: Vec<(String, String)>,
}

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

impl Arguments {
    /// Parses a command line whose first word is the program.
    pub(super) fn read(
        name: &'static str,
        about: &'static str,
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Command, clap::Error> {
        let mut parser = Self::command().name(name).bin_name(name);
        if !about.is_empty() {
            parser = parser.about(about);
        }
        let matches = parser.try_get_matches_from_mut(words)?;
        let arguments = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut parser))?;
        let Self { command, train } = arguments;
        let Some(command) = command else { return Ok(Command::Train(train)) };
        command.with(train).map_err(|problem| parser.error(ErrorKind::ArgumentConflict, problem))
    }
}

impl Command {
    /// Merges the options before the command into it.
    fn with(mut self, mut before: Train) -> Result<Self, String> {
        let (changes, out, quiet) = (&mut before.changes, &mut before.out, &mut before.quiet);
        if let Some(own) = self.data() {
            once("--data", &mut own.file, &mut before.data.file)?;
        }
        match &mut self {
            Self::Train(train) => {
                train.changes.with(changes)?;
                once("--out", &mut train.out, out)?;
                once("--resume", &mut train.resume, &mut before.resume)?;
                train.allow_spec_change.append(&mut before.allow_spec_change);
                train.quiet |= std::mem::take(quiet);
            }
            Self::Check(check) => {
                check.changes.with(changes)?;
                once("--out", &mut check.out, out)?;
            }
            Self::Eval(eval) => eval.changes.with(changes)?,
            Self::Folds(folds) => {
                folds.changes.with(changes)?;
                once("--out", &mut folds.out, out)?;
                folds.quiet |= std::mem::take(quiet);
            }
            Self::Summary(own) | Self::Spec(own) => own.with(changes)?,
            Self::Schedule(schedule) => schedule.changes.with(changes)?,
            Self::FindLr(search) => search.changes.with(changes)?,
            Self::Verify(verify) => verify.quiet |= std::mem::take(quiet),
            Self::Replay(replay) => {
                once("--out", &mut replay.out, out)?;
                replay.quiet |= std::mem::take(quiet);
            }
            Self::Export(_) | Self::Diff(_) => {}
        }
        match before.first() {
            None => Ok(self),
            Some(option) => Err(format!("`{option}` is not an option of this command")),
        }
    }

    /// The data of a command that reads them.
    fn data(&mut self) -> Option<&mut Data> {
        match self {
            Self::Train(Train { data, .. })
            | Self::Check(Check { data, .. })
            | Self::Eval(Eval { data, .. })
            | Self::Folds(Folds { data, .. })
            | Self::Schedule(Schedule { data, .. })
            | Self::FindLr(FindLr { data, .. })
            | Self::Verify(Verify { data, .. })
            | Self::Replay(Replay { data, .. }) => Some(data),
            Self::Summary(_) | Self::Spec(_) | Self::Export(_) | Self::Diff(_) => None,
        }
    }

    /// Returns whether the command reads or computes long enough that a signal should wait for a safe point.
    pub(super) fn works_for_long(&self) -> bool {
        matches!(
            self,
            Self::Train(_)
                | Self::Check(_)
                | Self::Eval(_)
                | Self::Folds(_)
                | Self::FindLr(_)
                | Self::Verify(_)
                | Self::Replay(_)
        )
    }
}

impl Train {
    /// Returns the first option that is set.
    fn first(&self) -> Option<&'static str> {
        let Self { changes, out, resume, allow_spec_change, quiet, data } = self;
        let given = [
            ("--epochs", changes.epochs.is_some()),
            ("--seed", changes.seed.is_some()),
            ("--device", changes.device.is_some()),
            ("--set", !changes.set.is_empty()),
            ("--out", out.is_some()),
            ("--resume", resume.is_some()),
            ("--allow-spec-change", !allow_spec_change.is_empty()),
            ("--quiet", *quiet),
            ("--data", data.file.is_some()),
        ];
        given.into_iter().find_map(|(option, is_given)| is_given.then_some(option))
    }
}

/// Moves an option from before the command to the command, unless the command sets it too.
fn once<T>(option: &str, own: &mut Option<T>, before: &mut Option<T>) -> Result<(), String> {
    match (own.is_some(), before.take()) {
        (true, Some(_)) => Err(format!("`{option}` is set twice, before and after the command; remove one")),
        (_, None) => Ok(()),
        (false, given) => {
            *own = given;
            Ok(())
        }
    }
}

impl Changes {
    /// Merges the overrides before the command; those of `--set` come first.
    fn with(&mut self, before: &mut Self) -> Result<(), String> {
        once("--epochs", &mut self.epochs, &mut before.epochs)?;
        once("--seed", &mut self.seed, &mut before.seed)?;
        once("--device", &mut self.device, &mut before.device)?;
        self.set.splice(..0, std::mem::take(&mut before.set));
        Ok(())
    }

    /// Returns every override as a key and its value. Those of `--set` come last, so they win.
    pub(super) fn keys(self) -> impl Iterator<Item = (String, String)> {
        let flags = [
            ("epochs", self.epochs.map(|epochs| epochs.to_string())),
            ("seed", self.seed.map(|seed| seed.to_string())),
            ("device", self.device.map(|device| device.to_string())),
        ];
        let flags = flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        flags.chain(self.set)
    }
}

impl Part {
    /// The name shown in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// Returns the indices of its samples.
    pub(super) fn indices(self) -> fn(&PreparedDataset) -> &[usize] {
        match self {
            Self::Train => PreparedDataset::train,
            Self::Validation => PreparedDataset::validation,
            Self::Test => PreparedDataset::test,
        }
    }
}

/// Parses a count.
fn whole(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => format!("expected a whole number, at most {}", u64::MAX),
        _ => "expected a whole number, 0 or more".to_owned(),
    })
}

/// Parses a finite number.
fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "expected a number, such as `1e-3`".to_owned())
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected a key, `=` and a value, such as `optimizer.lr=1e-3`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
