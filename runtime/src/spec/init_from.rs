//! Initializes parameters from a file instead of random numbers.

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::files::sha256;
use crate::optim::path;
use crate::shape::{CheckError, CheckResult};

/// Initializes the parameters from a safetensors file, of this crate, PyTorch or any other program.
///
/// Each tensor of the file is loaded into the parameter (or running statistic) of the same name, either the name in a run's
/// files or PyTorch's ([`TrainedModel::export`](crate::TrainedModel::export) lists where these differ). Values of type F32, F16 and
/// BF16 are loaded exactly, and F64 values are rounded to the nearest f32; they must be finite. Axes are those of PyTorch:
/// a linear weight is `[out, in]`.
///
/// Every tensor and every parameter must be matched, and nothing is skipped silently: `names` renames tensors, `only` and `except`
/// select the parameters to load, and `ignore` the tensors to skip. A parameter that is not loaded is initialized by `init`, and a
/// tensor of its name is skipped. Two other tensors are skipped, since they have no meaning here: `num_batches_tracked`
/// of a batch norm, and the input normalization in a file of this crate, since inputs are normalized by the data
/// of the run.
///
/// Patterns are those of [`Group`](crate::optim::Group): `*` matches any letters within one part of a path, `**` any number of
/// parts.
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
///     /// All of its parameters are in the file, under the same names.
///     Again { model: Net, data: Digits8x8::embedded(), init_from: "digits.safetensors" }
/// }
///
/// train! {
///     /// Everything but the head, which had another number of classes; trained at a tenth of the learning rate.
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
/// The whole spec, and so its hash, contains the file's SHA-256 next to the keys, `init_from.sha256`. A resumed run loads its
/// parameters from the checkpoint and not from the file. If the file under that name has changed by then, the spec
/// has changed, and the run is rejected unless that is permitted. The file may be missing.
///
/// # Errors
/// Before the first step, and in `check`: if the file cannot be read or is damaged. All of these are reported together: each
/// parameter without a tensor, each tensor without a parameter, each with another shape, with values that are not finite or of
/// another type, with unmatched tensors of similar names; and each pattern that matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitFrom {
    /// The file, relative to the working directory. Required.
    #[serde(deserialize_with = "text")]
    pub file: Text,
    /// Renames tensors of the file; the first pattern that matches a tensor applies. None by default.
    #[serde(deserialize_with = "list")]
    pub names: &'static [Rename],
    /// Patterns of the model's parameters to load. All by default.
    #[serde(deserialize_with = "texts")]
    pub only: &'static [&'static str],
    /// Patterns of parameters to exclude from these. None by default.
    #[serde(deserialize_with = "texts")]
    pub except: &'static [&'static str],
    /// Patterns of the file's tensors to skip, by their names in the file. None by default.
    #[serde(deserialize_with = "texts")]
    pub ignore: &'static [&'static str],
}

/// A string, under an alias so that serde does not borrow it from its input.
type Text = &'static str;

/// Renames the tensors of a file: `Rename { from: "layer*.**", to: "stage.*.**" }`.
///
/// Both are patterns. `to` has the same wildcards as `from`, in the same order, and each is replaced by what its counterpart
/// matched.
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
    /// The key as a value; `None` if it is not set.
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
    /// Checks that a file is set, and that all patterns are valid.
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

    /// Reads the file.
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

    /// Whether a parameter with this path is loaded from the file.
    pub(crate) fn reads(&self, parameter: &str) -> bool {
        let is_among = |patterns: &[&str]| patterns.iter().any(|pattern| path::matches(pattern, parameter));
        (self.only.is_empty() || is_among(self.only)) && !is_among(self.except)
    }
}

impl Rename {
    /// Checks that both are valid patterns, with the same wildcards.
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
            .text("\", which has different wildcards; expected the same `*` and `**`, in the same order"))
    }
}

impl Config for InitFrom {
    const NAME: &'static str = "InitFrom";
    const DEFAULT: Self = Self { file: "", names: &[], only: &[], except: &[], ignore: &[] };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("file", "the safetensors file that parameters are initialized from")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

// A program reads its spec once, so leaking the strings is fine.

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
    fn file_and_patterns_are_checked() {
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
            assert!(
                renamed(from, to).unwrap_err().as_str().contains("which has different wildcards"),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn only_and_except_select_parameters() {
        let reads = |from: InitFrom, path| from.reads(path);
        let one = InitFrom { file: "x", ..InitFrom::DEFAULT };
        assert!(reads(one, "head.weight"));
        let body = InitFrom { only: &["stem.**", "block.**"], except: &["**.bias"], ..one };
        assert!(reads(body, "block.0.weight") && !reads(body, "block.0.bias") && !reads(body, "head.weight"));
    }

    #[test]
    fn init_from_round_trips_through_json() {
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
