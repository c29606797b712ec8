//! What a run begins with instead of random numbers.

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::files::sha256;
use crate::optim::path;
use crate::shape::{CheckError, CheckResult};

/// Begins with the numbers of a safetensors file, of this crate, PyTorch or any other program.
///
/// Each tensor of the file is for the parameter (or running statistic) that has its name, the one of a run's files or the
/// one of PyTorch ([`TrainedModel::export`](crate::TrainedModel::export) lists where these differ). Numbers of the types F32, F16 and
/// BF16 are taken as they are, those of F64 are rounded to the nearest f32; they have to be finite. Axes are those of PyTorch:
/// a linear weight is `[out, in]`.
///
/// Everything has to be accounted for, and nothing is left out in silence: `names` renames tensors, `only` and `except` say
/// which parameters are read, and `ignore` which tensors are not. A parameter that is not read begins as `init` says, and a tensor
/// that has its name is passed over. Beyond that two things are passed over, which have no meaning here: `num_batches_tracked`
/// beside the statistics of a batch norm, and the normalization of inputs in a file of this crate: inputs are normalized by the data
/// of the run.
///
/// Patterns are those of [`Group`](crate::optim::Group): `*` is any letters within one part of a path, `**` any number of whole parts.
///
/// ```no_run
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     let stem = image.conv2d(out = 16, kernel = 3);
///     let features = stem.relu().flatten();
///     let head = features.linear(out = 10);
///     head
/// }
///
/// train! {
///     /// All of its parameters are in the file, under their names.
///     Again { model: Net, data: Digits8x8::embedded(), init_from: "digits.safetensors" }
/// }
///
/// train! {
///     /// Everything but the head, which had another number of classes; trained at a tenth of the rate.
///     FineTuned {
///         model: Net,
///         data: Digits8x8::embedded(),
///         init_from: InitFrom {
///             file: "pretrained.safetensors",
///             names: &[Rename { from: "features.0.*", to: "stem.*" }],
///             except: &["head.*"],
///             ignore: &["classifier.**"],
///         },
///         groups: [Group { pattern: "stem.*", lr: 0.1 }],
///     }
/// }
/// ```
///
/// On the command line: `--set init_from=FILE`, `--set init_from.file=FILE`, `--set 'init_from.except=["head.*"]'`; `null` is none.
///
/// The whole spec, and so its hash, has the file's SHA-256 beside the keys, `init_from.sha256`. A run that is resumed takes its
/// parameters from the checkpoint and does not read the file for them; if there is another file under the name by then, the spec
/// has changed, and the run is refused unless that is permitted. A file that has gone is no matter.
///
/// # Errors
/// Before the first step, in `check` too: if the file cannot be read or is damaged; or all at once, each parameter without a tensor,
/// each tensor without a parameter, each with other axes, with numbers that are not finite or of another type, with the
/// names that are nearest; and each pattern that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitFrom {
    /// The file, from the folder in which the program runs. Required.
    #[serde(deserialize_with = "text")]
    pub file: Text,
    /// How tensors of the file are called here; the first that means a tensor counts. None by default.
    #[serde(deserialize_with = "list")]
    pub names: &'static [Rename],
    /// Which of the model's parameters are read. All by default.
    #[serde(deserialize_with = "texts")]
    pub only: &'static [&'static str],
    /// Which of these are not. None by default.
    #[serde(deserialize_with = "texts")]
    pub except: &'static [&'static str],
    /// Which of the file's tensors, as they are called there, are for no parameter. None by default.
    #[serde(deserialize_with = "texts")]
    pub ignore: &'static [&'static str],
}

/// A text, under a name by which serde does not take it for a part of its input.
type Text = &'static str;

/// Another name for the tensors of a file: `Rename { from: "layer*.**", to: "stage.*.**" }`.
///
/// Both are patterns. The stars of `to` are those of `from`, in their order, and stand for what those stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The name in the file.
    #[serde(deserialize_with = "text")]
    pub from: Text,
    /// The name in the model.
    #[serde(deserialize_with = "text")]
    pub to: Text,
}

/// What the key `init_from` takes: an [`InitFrom`], or the name of a file.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a file of parameters",
    label = "expected `\"file.safetensors\"` or `InitFrom {{ file: \"file.safetensors\", … }}`"
)]
pub trait AnyInitFrom: Send + Sync {
    /// The same as a value; `None` if the key is not given.
    fn value(&self) -> Option<InitFrom>;
}

impl AnyInitFrom for InitFrom {
    fn value(&self) -> Option<InitFrom> {
        Some(*self)
    }
}

impl AnyInitFrom for &'static str {
    fn value(&self) -> Option<InitFrom> {
        Some(InitFrom { file: self, ..InitFrom::DEFAULT })
    }
}

/// No file.
#[derive(Debug)]
pub(super) struct Drawn;

impl AnyInitFrom for Drawn {
    fn value(&self) -> Option<InitFrom> {
        None
    }
}

impl InitFrom {
    /// That there is a file, and that patterns are patterns.
    pub const fn check(&self) -> CheckResult {
        if self.file.is_empty() {
            return Err(CheckError::new("file is empty; expected a safetensors file"));
        }
        let mut i = 0;
        while i < self.names.len() {
            if let Err(problem) = self.names[i].check() {
                return Err(problem.of("names"));
            }
            i += 1;
        }
        let lists = [("only", self.only), ("except", self.except), ("ignore", self.ignore)];
        let mut list = 0;
        while list < lists.len() {
            let (key, patterns) = lists[list];
            let mut i = 0;
            while i < patterns.len() {
                if let Err(problem) = path::check(patterns[i]) {
                    return Err(problem.of(key));
                }
                i += 1;
            }
            list += 1;
        }
        Ok(())
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        read_file(self.file.as_ref()).map_err(Error::file(self.file))
    }

    /// The SHA-256 of the file, if it can be read.
    pub(crate) fn sha256(&self) -> Option<String> {
        self.read().ok().map(sha256)
    }

    /// Whether a parameter with this path begins with a tensor of the file.
    pub(crate) fn reads(&self, parameter: &str) -> bool {
        let is_among = |patterns: &[&str]| patterns.iter().any(|pattern| path::matches(pattern, parameter));
        (self.only.is_empty() || is_among(self.only)) && !is_among(self.except)
    }
}

impl Rename {
    /// That both are patterns, with the same stars.
    pub const fn check(&self) -> CheckResult {
        if let Err(problem) = path::check(self.from) {
            return Err(problem);
        }
        if let Err(problem) = path::check(self.to) {
            return Err(problem);
        }
        if path::same_stars(self.from, self.to) {
            return Ok(());
        }
        Err(CheckError::new("\"")
            .text(self.from)
            .text("\" is renamed to \"")
            .text(self.to)
            .text("\", which has other stars; expected the same `*` and `**`, in their order"))
    }
}

impl Config for InitFrom {
    const NAME: &'static str = "InitFrom";
    const DEFAULT: Self = Self { file: "", names: &[], only: &[], except: &[], ignore: &[] };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("file", "the safetensors file that parameters are initialized from")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

// A program reads its spec once, so what it reads may stay.

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<&'static str, D::Error> {
    Ok(String::deserialize(deserializer)?.leak())
}

fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<&'static [&'static str], D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    Ok(Vec::leak(texts.into_iter().map(|text| &*text.leak()).collect()))
}

fn list<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<&'static [Rename], D::Error> {
    Ok(Vec::leak(Vec::deserialize(deserializer)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_patterns() {
        let said = |from: InitFrom| from.check().unwrap_err().as_str().to_owned();
        let one = InitFrom { file: "x", ..InitFrom::DEFAULT };
        assert!(one.check().is_ok());
        assert!(said(InitFrom::DEFAULT).starts_with("file is empty"));
        for (key, from) in [
            ("only", InitFrom { only: &["a", "a..b"], ..one }),
            ("except", InitFrom { except: &[""], ..one }),
            ("ignore", InitFrom { ignore: &["a**"], ..one }),
            ("names", InitFrom { names: &[Rename { from: "a", to: "" }], ..one }),
        ] {
            assert!(said(from).starts_with(&format!("{key}: pattern is \"")), "{from:?}");
        }
        let renamed = |from, to| Rename { from, to }.check();
        assert!(renamed("fc.**", "head.**").is_ok() && renamed("a*.b*.**", "x.*.*.**").is_ok());
        for (from, to) in [("fc.**", "head"), ("a.*", "a.**"), ("a.*.**", "a.**.*"), ("a", "b.*")] {
            assert!(renamed(from, to).unwrap_err().as_str().contains("which has other stars"), "{from} {to}");
        }
    }

    #[test]
    fn only_and_except() {
        let reads = |from: InitFrom, path| from.reads(path);
        let one = InitFrom { file: "x", ..InitFrom::DEFAULT };
        assert!(reads(one, "head.weight"));
        let body = InitFrom { only: &["stem.**", "block.**"], except: &["**.bias"], ..one };
        assert!(reads(body, "block.0.weight") && !reads(body, "block.0.bias") && !reads(body, "head.weight"));
    }

    #[test]
    fn it_comes_back_from_json() {
        let from = InitFrom {
            file: "x",
            names: &[Rename { from: "a", to: "b" }],
            except: &["head.*"],
            ..InitFrom::DEFAULT
        };
        let json = serde_json::to_value(from).unwrap();
        assert_eq!(serde_json::from_value::<InitFrom>(json).unwrap(), from);
    }
}
