//! What the command line can say.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::data::Prepared;
use crate::spec::Device;
use crate::trainer::RateSearch;

/// The whole command line; without a command it trains.
#[derive(Debug, Parser)]
#[command(about = "A declared training run", args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: Train,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train the model, which is what happens without a command
    Train(Train),
    /// Do everything that is done before the first step, and train nothing: every check, and advice
    Check(Check),
    /// Measure a trained model on one part of the data
    Eval(Eval),
    /// Write a trained model alone, with the names that PyTorch and candle use
    Export(Export),
    /// Show the model layer by layer, and what training it costs
    Summary(Changes),
    /// Show the learning rate of every step, without training
    Schedule(Schedule),
    /// Search for a learning rate: train a little while the rate grows until training breaks (Smith 2017)
    FindLr(FindLr),
    /// Print the whole spec as JSON, with every default and its hash
    Spec(Changes),
    /// Make a run again, in memory, and compare it bit by bit with what its folder has on record
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
    /// Write the folder of the run below this folder [default: runs]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Go on with this run, or with the newest one, from its newest whole checkpoint
    #[arg(long, value_name = "RUN")]
    #[expect(clippy::option_option, reason = "not there, there, and there with a folder")]
    pub(super) resume: Option<Option<PathBuf>>,
    /// Let these keys of the spec differ from those that the resumed run was begun with
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', requires = "resume")]
    pub(super) allow_spec_change: Vec<String>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) changes: Changes,
    /// The folder below which the run would write its own [default: runs]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The folder of the run; keys that it changed are changed as they were then
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Begin with the checkpoint of this step
    #[arg(long, value_name = "STEP|start", default_value = "start")]
    pub(super) from: Begin,
    /// Say nothing but where the runs differ
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The folders of the runs
    #[arg(value_name = "RUN", num_args = 2, required = true)]
    pub(super) runs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The folder of the run; keys that it changed are changed as they were then
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// The step after which the model is wanted, from 1
    #[arg(long, value_name = "STEP")]
    pub(super) to: u64,
    /// The average of the weights instead, if the run keeps one
    #[arg(long)]
    pub(super) average: bool,
    /// The file to write, which is not there yet [default: <program>-step-<STEP>.safetensors]
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) out: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// Where a run begins again: with the checkpoint of a step, or with its start.
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
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder of a run, or a model file [default: the newest run below runs]
    #[arg(value_name = "RUN|MODEL.safetensors")]
    pub(super) source: Option<PathBuf>,
    /// The form of the file
    #[arg(long, value_enum, default_value_t = Format::Safetensors)]
    pub(super) format: Format,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

/// A form of model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Safetensors,
}

#[derive(Debug, Args)]
pub(super) struct Schedule {
    /// Draw the curve into this file too, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(super) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
}

#[derive(Debug, Args)]
pub(super) struct FindLr {
    /// The first rate
    #[arg(long, value_name = "RATE", default_value_t = RateSearch::DEFAULT.from)]
    pub(super) from: f64,
    /// The last rate
    #[arg(long, value_name = "RATE", default_value_t = RateSearch::DEFAULT.to)]
    pub(super) to: f64,
    /// Optimizer steps, each at a higher rate
    #[arg(long, value_name = "NUMBER", default_value_t = RateSearch::DEFAULT.steps)]
    pub(super) steps: u64,
    /// Draw the curve into this file too, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(super) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
}

/// Changes to what was declared.
#[derive(Debug, Default, Args)]
pub(super) struct Changes {
    /// Train for this many epochs
    #[arg(long, value_name = "NUMBER")]
    pub(super) epochs: Option<u64>,
    /// Draw all random numbers from this seed
    #[arg(long, value_name = "NUMBER")]
    pub(super) seed: Option<u64>,
    /// Compute there
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
    /// Reads a command line, of which the first word is the program.
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
        Ok(arguments.command.unwrap_or(Command::Train(arguments.train)))
    }
}

impl Command {
    /// Whether it reads data or computes with them, so that a signal is to wait for a moment at which nothing is lost.
    pub(super) fn works_for_long(&self) -> bool {
        matches!(
            self,
            Self::Train(_)
                | Self::Check(_)
                | Self::Eval(_)
                | Self::FindLr(_)
                | Self::Verify(_)
                | Self::Replay(_)
        )
    }
}

impl Changes {
    /// Every change as a key of the spec and its value; what `--set` says comes last, so it wins.
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
    /// The name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The numbers of its samples.
    pub(super) fn indices(self) -> fn(&Prepared) -> &[usize] {
        match self {
            Self::Train => Prepared::train,
            Self::Validation => Prepared::validation,
            Self::Test => Prepared::test,
        }
    }
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected a key, `=` and a value, such as `optimizer.lr=1e-3`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, clap::Error> {
        Arguments::read("digits", "Reads digits.", line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_commands_and_flags_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_trains() {
        for line in ["digits --epochs 3 --quiet --set a.b=1", "digits train --epochs 3 --quiet --set a.b=1"] {
            let Ok(Command::Train(train)) = read(line) else { panic!("{line}") };
            assert!(train.quiet);
            let keys: Vec<_> = train.changes.keys().collect();
            assert_eq!(keys, [("epochs".into(), "3".into()), ("a.b".into(), "1".into())]);
        }
        assert!(matches!(read("digits"), Ok(Command::Train(_))));
    }

    #[test]
    fn a_run_is_resumed_with_or_without_its_folder() {
        let resume = |line: &str| match read(line) {
            Ok(Command::Train(train)) => (train.resume, train.allow_spec_change),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(resume("digits"), (None, vec![]));
        assert_eq!(resume("digits --resume"), (Some(None), vec![]));
        assert_eq!(resume("digits train --resume --quiet"), (Some(None), vec![]));
        let run = Some(Some("runs/1".into()));
        let keys = vec!["epochs".to_owned(), "optimizer.lr".to_owned()];
        assert_eq!(resume("digits --resume runs/1 --allow-spec-change epochs,optimizer.lr"), (run, keys));
        assert!(read("digits --allow-spec-change epochs").is_err());
    }

    #[test]
    fn flags_of_training_do_not_stand_before_another_command() {
        assert!(read("digits --quiet summary").is_err());
    }

    #[test]
    fn eval_takes_the_test_part_unless_told_otherwise() {
        let Ok(Command::Eval(eval)) = read("digits eval m.safetensors") else { panic!() };
        assert_eq!(eval.part, Part::Test);
        let Ok(Command::Eval(eval)) = read("digits eval m.safetensors --part validation") else { panic!() };
        assert_eq!(eval.part, Part::Validation);
    }

    #[test]
    fn a_run_is_verified_from_its_start_or_a_checkpoint() {
        let from = |line: &str| match read(line) {
            Ok(Command::Verify(verify)) => verify.from,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(from("digits verify runs/1"), Begin(None));
        assert_eq!(from("digits verify runs/1 --from start"), Begin(None));
        assert_eq!(from("digits verify --from 20 runs/1"), Begin(Some(20)));
        for wrong in ["digits verify runs/1 --from 0", "digits verify runs/1 --from best"] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.contains("expected `start`, or the step of a checkpoint"), "{message}");
        }
        for wrong in ["digits verify", "digits diff a", "digits diff a b c", "digits replay a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(read("digits diff a b"), Ok(Command::Diff(diff)) if diff.runs.len() == 2));
    }

    #[test]
    fn a_malformed_change_says_what_was_expected() {
        for line in ["digits --set lr", "digits --set =3"] {
            let message = read(line).unwrap_err().to_string();
            assert!(message.contains("expected a key, `=` and a value"), "{message}");
        }
        let message = read("digits --device gpu").unwrap_err().to_string();
        assert!(message.contains("`gpu` is no device of this build; expected `cpu`"), "{message}");
    }

    #[test]
    fn the_usage_names_the_program() {
        let message = read("target/debug/other --nonsense").unwrap_err().to_string();
        assert!(message.contains("Usage: digits "), "{message}");
        let message = read("target/debug/other eval --nonsense").unwrap_err().to_string();
        assert!(message.contains("Usage: digits eval "), "{message}");
    }
}
