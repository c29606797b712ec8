//! Parameter groups with their own settings.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AnyOptimizer, ParameterConfig, path, rules};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::keys::Interval;
use crate::layer::{Bindings, GraphParameter, Role};
use crate::shape::{CheckError, CheckResult};

/// Sets the learning rate and the decay of the parameters whose paths match a pattern, or freezes them.
///
/// A pattern is a path with wildcards: `*` matches any characters within one part, `**` any number of parts, including none.
/// `block.*.norm.weight` matches that weight in each block, `head.**` everything in the head, `**.bias` every bias.
/// If several groups match a parameter, only the last of them applies.
///
/// A penalty that a group sets applies to every parameter that it matches, regardless of its role. A penalty that it does not
/// set is taken from the optimizer, for the parameters selected by the optimizer's `decay`.
///
/// With `from: Epochs(2)`, parameters are frozen for two epochs and trained then, so that a head can be trained before the layers below it.
///
/// A frozen parameter has no gradient and no optimizer state, is not part of any norm, and is neither updated nor
/// decayed. Running statistics are still updated.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     let body = image.flatten().linear(out = 32).relu();
///     let head = body.linear(out = 10);
///     head
/// }
///
/// train! {
///     Tuned {
///         model: Net,
///         data: Digits8x8::embedded(),
///         groups: [
///             Group { pattern: "**", freeze: true },
///             Group { pattern: "head.*", lr: 0.1, weight_decay: 0.0 },
///         ],
///     }
/// }
///
/// assert_eq!(Tuned::experiment().graph()?.trained_elements(), 32 * 10 + 10);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Errors
/// When the program starts: if the pattern matches no parameter, if later groups match all of its parameters, or if every
/// parameter of the model is frozen, or all are at the first step; if the run ends before `from`; if a group has `from` and the optimizer averages all
/// steps, as [`ScheduleFreeSgd`](struct@super::ScheduleFreeSgd). At compile time: if the pattern `**` freezes all of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The pattern of parameter paths; required.
    #[serde(deserialize_with = "text")]
    pub pattern: Text,
    /// Multiplies the scheduled learning rate, above 0; 1 by default.
    #[serde(serialize_with = "known", deserialize_with = "perhaps")]
    pub lr: f64,
    /// Multiplies the learning rate once more for each layer after the one of the parameter, above 0 and at most 1: layer-wise learning-rate
    /// decay. The layers are the values of the first part of the pattern with a `*`, in the order of the model. With
    /// `Group { pattern: "block.*.**", layer_decay: 0.75 }` and 12 blocks, `block.11` has the full learning rate and `block.0` that times
    /// 0.75 to the power of 11. (Clark et al., "ELECTRA", 2020.)
    #[serde(
        default = "not_given",
        skip_serializing_if = "is_not_given",
        serialize_with = "known",
        deserialize_with = "perhaps"
    )]
    pub layer_decay: f64,
    /// The weight decay of these parameters instead of the optimizer's, 0 or more.
    #[serde(serialize_with = "known", deserialize_with = "perhaps")]
    pub weight_decay: f64,
    /// The `l2` of these parameters instead of the optimizer's, 0 or more.
    #[serde(serialize_with = "known", deserialize_with = "perhaps")]
    pub l2: f64,
    /// The `l1` of these parameters instead of the optimizer's, 0 or more.
    #[serde(serialize_with = "known", deserialize_with = "perhaps")]
    pub l1: f64,
    /// Whether these parameters are frozen. False by default.
    pub freeze: bool,
    /// How much of the run these parameters are frozen for, `Steps(n)` or `Epochs(n)`: gradual unfreezing. From then on they are trained, and the
    /// optimizer counts its steps from there. Until then they are as with `freeze`, but their gradients are computed. `Steps(0)`, the start of the
    /// run, by default. (Howard & Ruder, "Universal language model fine-tuning", 2018.)
    #[serde(default = "from_start", skip_serializing_if = "is_from_start")]
    pub from: Interval,
}

/// A pattern, under an alias so that serde does not treat it as borrowed from its input.
type Text = &'static str;

/// An unset number, so that `weight_decay: 0.0` can be distinguished from no value; `null` in JSON.
const NOT_GIVEN: f64 = f64::NAN;

impl Group {
    /// The ranges of the keys, and that there is something to do.
    pub const fn check(&self) -> CheckResult {
        rules::hold!(path::check(self.pattern));
        let gives_numbers = !(self.lr.is_nan()
            && self.layer_decay.is_nan()
            && self.weight_decay.is_nan()
            && self.l2.is_nan()
            && self.l1.is_nan());
        if !self.freeze && !gives_numbers && is_from_start(&self.from) {
            return Err(CheckError::new(
                "the group changes nothing; set `lr`, `layer_decay`, `weight_decay`, `l2`, `l1`, `from` or `freeze: true`",
            ));
        }
        if self.freeze && !is_from_start(&self.from) {
            return Err(CheckError::new(
                "frozen parameters are never trained; remove `freeze`, or remove `from`",
            ));
        }
        if self.freeze && gives_numbers {
            return Err(CheckError::new(
                "frozen parameters have neither learning rate nor decay; remove these keys, or remove `freeze`",
            ));
        }
        if self.lr == 0.0 {
            return Err(CheckError::new("lr is 0; expected a factor above 0, or write `freeze: true`"));
        }
        if !(self.lr.is_nan() || self.lr > 0.0 && self.lr.is_finite()) {
            return Err(CheckError::new("lr is ").float(self.lr).text("; expected a factor above 0"));
        }
        if !(self.layer_decay.is_nan() || self.layer_decay > 0.0 && self.layer_decay <= 1.0) {
            return Err(CheckError::new("layer_decay is ")
                .float(self.layer_decay)
                .text("; expected a factor above 0 and at most 1"));
        }
        if !self.layer_decay.is_nan() && !path::has_star(self.pattern) {
            return Err(CheckError::new("layer_decay needs layers to count, but pattern is \"")
                .text(self.pattern)
                .text("\"; expected a `*` in it, such as \"block.*.**\""));
        }
        rules::hold!(given_or_not("weight_decay", self.weight_decay));
        rules::hold!(given_or_not("l2", self.l2));
        given_or_not("l1", self.l1)
    }

    /// Returns the settings of one of its parameters.
    fn treatment(&self, usual: ParameterConfig) -> ParameterConfig {
        let or = |own: f64, usual: f64| if own.is_nan() { usual } else { own };
        ParameterConfig {
            // The optimizer may have another learning rate for it than `lr`.
            lr: usual.lr * or(self.lr, 1.0),
            l1: or(self.l1, usual.l1),
            l2: or(self.l2, usual.l2),
            weight_decay: or(self.weight_decay, usual.weight_decay),
        }
    }
}

const fn given_or_not(key: &str, value: f64) -> CheckResult {
    if value.is_nan() { Ok(()) } else { rules::not_negative(key, value) }
}

impl Config for Group {
    const NAME: &'static str = "Group";
    const DEFAULT: Self = Self {
        pattern: "",
        lr: NOT_GIVEN,
        layer_decay: NOT_GIVEN,
        weight_decay: NOT_GIVEN,
        l2: NOT_GIVEN,
        l1: NOT_GIVEN,
        freeze: false,
        from: from_start(),
    };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("pattern", "the path of its parameters, such as \"head.**\"")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

const FROZEN: &str = "the groups freeze every parameter of the model; leave at least one trainable";

/// Checks whether groups freeze every parameter of any model: returns the index of the group with `**`, and the message.
pub(crate) const fn freezes_all(groups: &[&Group]) -> Option<(usize, CheckError)> {
    let mut place = groups.len();
    while place > 0 && groups[place - 1].freeze {
        place -= 1;
        if let b"**" = groups[place].pattern.as_bytes() {
            return Some((place, CheckError::new(FROZEN)));
        }
    }
    None
}

/// The groups of a run, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a>(pub &'a [Group]);

impl Groups<'_> {
    /// Returns the group of a parameter, if there is one.
    fn of(&self, parameter: &GraphParameter) -> Option<&Group> {
        self.0.iter().rev().find(|group| path::matches(group.pattern, &parameter.path))
    }

    /// Freezes the parameters of groups with `freeze`.
    ///
    /// # Errors
    /// If a group matches no parameters, or if all parameters would be frozen.
    pub fn freeze(&self, parameters: &mut [GraphParameter], bindings: &Bindings) -> Result<()> {
        let movable = |parameter: &&GraphParameter| parameter.role != Role::Statistic;
        for (place, group) in self.0.iter().enumerate() {
            let mut meant = parameters
                .iter()
                .filter(movable)
                .filter(|parameter| path::matches(group.pattern, &parameter.path))
                .peekable();
            if meant.peek().is_none() {
                let paths = parameters.iter().filter(movable).map(|parameter| parameter.path.as_str());
                let near = path::nearest(group.pattern, paths);
                return Err(nothing_meant(place, group.pattern, &near, &path::hint(bindings, group.pattern)));
            }
            let is_last = |parameter: &GraphParameter| {
                !self.0[place + 1..].iter().any(|later| path::matches(later.pattern, &parameter.path))
            };
            if !meant.any(is_last) {
                let problem = format!(
                    "later groups match every parameter of `{}`, and the last matching group applies; remove this \
                     group, or move it after them",
                    group.pattern
                );
                return Err(fault(place, problem));
            }
        }
        for parameter in &mut *parameters {
            parameter.frozen = self.of(parameter).is_some_and(|group| group.freeze);
        }
        if !self.0.is_empty() && !parameters.iter().any(GraphParameter::is_trained) {
            return Err(Error::Setting { key: "groups".to_owned(), problem: FROZEN.to_owned() });
        }
        Ok(())
    }

    /// Returns the settings of all parameters, in a run whose largest scheduled learning rate is `largest`.
    ///
    /// # Errors
    /// If a single step would decay a weight to 0.
    pub fn treatments(
        &self,
        parameters: &[GraphParameter],
        optimizer: &dyn AnyOptimizer,
        largest: f64,
    ) -> Result<Vec<ParameterConfig>> {
        let usual = ParameterConfig::of_all(parameters, optimizer);
        let each = parameters.iter().zip(usual).map(|(parameter, usual)| {
            let Some(group) = self.of(parameter).filter(|_| parameter.is_trained()) else { return Ok(usual) };
            let own = group.treatment(usual);
            let treatment = if group.layer_decay.is_nan() {
                own
            } else {
                let factor = group.layer_decay.powi(later_layers(group, parameter, parameters));
                ParameterConfig { lr: own.lr * factor, ..own }
            };
            if optimizer.has_one_rate() && treatment.lr.to_bits() != usual.lr.to_bits() {
                let problem = format!(
                    "`{}`: `{}` estimates one learning rate for all parameters; remove `lr` and `layer_decay`, or use another optimizer, \
                     such as `AdamW`",
                    group.pattern,
                    optimizer.name()
                );
                return Err(Error::Setting { key: "groups".to_owned(), problem });
            }
            let rate = largest * treatment.lr;
            if !(rate as f32).is_finite() {
                let problem = format!(
                    "`{}`: the largest learning rate of `{}` is {rate}; expected learning rates within the range of f32",
                    group.pattern, parameter.path
                );
                return Err(Error::Setting { key: "groups".to_owned(), problem });
            }
            for (key, decay) in [("weight_decay", treatment.weight_decay), ("l2", treatment.l2)] {
                let taken = largest * treatment.lr * decay;
                if taken >= 1.0 {
                    let problem = format!(
                        "`{}`: lr * {key} is {taken} for `{}`; expected less than 1, or each step removes the whole \
                         weight",
                        group.pattern, parameter.path
                    );
                    return Err(Error::Setting { key: "groups".to_owned(), problem });
                }
            }
            Ok(treatment)
        });
        each.collect()
    }
}

impl Groups<'_> {
    /// Returns the number of steps for which each parameter is held before it is trained, in a run of `steps` steps with epochs of `epoch`; an
    /// empty list if all are trained from the start.
    ///
    /// # Errors
    /// If a group would never be trained, or nothing at the first step, or if the optimizer needs all steps of all parameters.
    pub fn starts(
        &self,
        parameters: &[GraphParameter],
        optimizer: &dyn AnyOptimizer,
        steps: u64,
        epoch: u64,
    ) -> Result<Vec<u64>> {
        let fault = |problem: String| Err(Error::Setting { key: "groups".to_owned(), problem });
        if self.0.iter().all(|group| is_from_start(&group.from)) {
            return Ok(Vec::new());
        }
        let needs = match optimizer.average() {
            Some(_) => Some("averages the weights of all steps"),
            None if optimizer.has_one_rate() => {
                Some("estimates one learning rate from the steps of all parameters")
            }
            None => None,
        };
        if let Some(needs) = needs {
            return fault(format!(
                "`from` does not go with `{}`, which {needs}; remove it, or use another optimizer, such as `AdamW`",
                optimizer.name()
            ));
        }
        for group in self.0 {
            let start = group.from.in_steps(epoch);
            if start >= steps {
                return fault(format!(
                    "`{}`: `from` is after {start} steps, but the run has {steps}; use an earlier `from`, or `freeze: true`",
                    group.pattern
                ));
            }
        }
        let start =
            |parameter: &GraphParameter| self.of(parameter).map_or(0, |group| group.from.in_steps(epoch));
        let starts: Vec<u64> = parameters.iter().map(start).collect();
        let mut trained = parameters.iter().zip(&starts).filter(|(parameter, _)| parameter.is_trained());
        if !trained.any(|(_, start)| *start == 0) {
            return fault(
                "no parameter is trained at the first step; leave at least one group without `from`"
                    .to_owned(),
            );
        }
        Ok(starts)
    }
}

/// Returns how many of the group's layers come after that of a parameter.
fn later_layers(group: &Group, parameter: &GraphParameter, parameters: &[GraphParameter]) -> i32 {
    let mut layers: Vec<&str> = Vec::new();
    let matching = parameters.iter().filter(|one| path::matches(group.pattern, &one.path));
    for layer in matching.map(|one| path::layer(group.pattern, &one.path)) {
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    let own = path::layer(group.pattern, &parameter.path);
    let later = layers.iter().rev().position(|layer| *layer == own).unwrap_or(0);
    i32::try_from(later).unwrap_or(i32::MAX)
}

fn nothing_meant(place: usize, pattern: &str, near: &[&str], hint: &str) -> Error {
    let near: Vec<_> = near.iter().map(|path| format!("`{path}`")).collect();
    let known = match near.as_slice() {
        [] => "the model has no parameters".to_owned(),
        near => format!("parameters with similar paths: {}; `summary` lists all", near.join(", ")),
    };
    fault(place, format!("no parameter's path matches `{pattern}`{hint}; {known}"))
}

fn fault(place: usize, problem: String) -> Error {
    Error::Setting { key: format!("groups.{place}.pattern"), problem }
}

/// Leaks the pattern. A program reads its spec once, so this costs a few bytes.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<&'static str, D::Error> {
    Ok(String::deserialize(deserializer)?.leak())
}

const fn from_start() -> Interval {
    Interval::Steps(0)
}

/// Whether parameters are trained from the first step on, as in specs from before the key existed.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_from_start(from: &Interval) -> bool {
    matches!(from, Interval::Steps(0) | Interval::Epochs(0))
}

const fn not_given() -> f64 {
    NOT_GIVEN
}

/// Whether a key is left out of the JSON, as in specs from before it existed.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_not_given(number: &f64) -> bool {
    number.is_nan()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn known<S: Serializer>(number: &f64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    Some(*number).filter(|number| !number.is_nan()).serialize(serializer)
}

fn perhaps<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(NOT_GIVEN))
}

#[cfg(test)]
mod tests {
    use super::super::AdamW;
    use super::*;
    use crate::fixture;

    fn with(groups: &[Group]) -> Result<Vec<(bool, ParameterConfig)>> {
        let mut graph = fixture::graph();
        Groups(groups).freeze(&mut graph.parameters, &graph.bindings)?;
        let treatments = Groups(groups).treatments(&graph.parameters, &AdamW::DEFAULT, AdamW::DEFAULT.lr)?;
        Ok(graph.parameters.iter().map(|parameter| parameter.frozen).zip(treatments).collect())
    }

    fn said(groups: &[Group]) -> String {
        with(groups).unwrap_err().to_string()
    }

    /// The fixture has `line_1.weight`, `line_1.bias` and a running statistic, `line_1.seen`.
    #[test]
    fn last_matching_group_replaces_earlier_groups() {
        let groups = [
            Group { pattern: "**", lr: 0.5, l1: 0.25, ..Group::DEFAULT },
            Group { pattern: "*.bias", weight_decay: 0.125, ..Group::DEFAULT },
        ];
        let [weight, bias, _] = with(&groups).unwrap()[..] else { panic!("three parameters") };
        assert_eq!(weight, (false, ParameterConfig { lr: 0.5, l1: 0.25, l2: 0.0, weight_decay: 0.01 }));
        assert_eq!(bias, (false, ParameterConfig { lr: 1.0, l1: 0.0, l2: 0.0, weight_decay: 0.125 }));
    }

    #[test]
    fn later_group_can_unfreeze_parameters() {
        let freeze = Group { pattern: "**", freeze: true, ..Group::DEFAULT };
        let groups = [freeze, Group { pattern: "**.bias", lr: 1.0, ..Group::DEFAULT }];
        let frozen: Vec<_> = with(&groups).unwrap().iter().map(|(frozen, _)| *frozen).collect();
        assert_eq!(frozen, [true, false, true]);
        assert!(said(&[freeze]).contains("the groups freeze every parameter"), "{}", said(&[freeze]));
    }

    #[test]
    fn group_without_effect_is_rejected() {
        let none = said(&[Group { pattern: "lime_1.weight", lr: 0.5, ..Group::DEFAULT }]);
        assert!(none.starts_with("groups.0.pattern: no parameter's path matches `lime_1.weight`"), "{none}");
        assert!(none.contains("with similar paths: `line_1.weight`, `line_1.bias`"), "{none}");
        let statistic = said(&[Group { pattern: "**.seen", lr: 0.5, ..Group::DEFAULT }]);
        assert!(statistic.contains("no parameter's path"), "{statistic}");
        let one = Group { pattern: "**.bias", lr: 0.5, ..Group::DEFAULT };
        assert!(said(&[one, Group { pattern: "**", ..one }]).contains("later groups match every parameter"));
        let whole = said(&[Group { pattern: "**.bias", lr: 100.0, l2: 10.0, ..Group::DEFAULT }]);
        assert!(whole.contains("lr * l2 is 1 for `line_1.bias`"), "{whole}");
    }

    #[test]
    fn group_keys_are_range_checked() {
        let said = |group: Group| group.check().unwrap_err().as_str().to_owned();
        let one = Group { pattern: "a", ..Group::DEFAULT };
        assert!(said(one).starts_with("the group changes nothing"));
        assert!(said(Group { lr: 1.0, freeze: true, ..one }).starts_with("frozen parameters have neither"));
        assert!(said(Group { lr: 0.0, ..one }).contains("`freeze: true`"));
        assert!(said(Group { lr: f64::INFINITY, ..one }).starts_with("lr is infinity"));
        assert!(said(Group { l2: -1.0, ..one }).starts_with("l2 is -1"));
        assert!(said(Group { layer_decay: 0.5, ..one }).starts_with("layer_decay needs layers to count"));
        let all = Group { pattern: "a.*", ..one };
        assert!(said(Group { layer_decay: 1.5, ..all }).starts_with("layer_decay is 1.5"));
        assert!(Group { layer_decay: 1.0, ..all }.check().is_ok());
        let late = Group { from: Interval::Epochs(2), ..one };
        assert!(late.check().is_ok());
        assert!(said(Group { freeze: true, ..late }).starts_with("frozen parameters are never trained"));
        assert!(Group { weight_decay: 0.0, ..one }.check().is_ok());
        assert!(Group { freeze: true, ..one }.check().is_ok());
    }

    /// Epochs of 4 steps.
    #[test]
    fn parameters_are_held_until_their_start() {
        let parameters = fixture::graph().parameters;
        let starts = |groups: &[Group]| Groups(groups).starts(&parameters, &AdamW::DEFAULT, 20, 4);
        let weight = Group { pattern: "*.weight", from: Interval::Epochs(2), ..Group::DEFAULT };
        let bias = Group { pattern: "*.bias", from: Interval::Steps(3), ..Group::DEFAULT };
        assert_eq!(starts(&[weight]).unwrap(), [8, 0, 0]);
        assert!(starts(&[Group { pattern: "*.weight", lr: 0.5, ..Group::DEFAULT }]).unwrap().is_empty());
        let none = starts(&[weight, bias]).unwrap_err().to_string();
        assert!(none.starts_with("groups: no parameter is trained at the first step"), "{none}");
        let never = starts(&[Group { from: Interval::Epochs(5), ..weight }]).unwrap_err().to_string();
        assert!(never.contains("`from` is after 20 steps, but the run has 20"), "{never}");
        let json = serde_json::to_value(weight).unwrap();
        assert_eq!(json["from"], serde_json::json!({ "Epochs": 2 }));
        let plain = serde_json::to_value(Group { lr: 0.5, from: Interval::Steps(0), ..weight }).unwrap();
        assert!(plain.get("from").is_none(), "specs without the key keep their hash");
    }

    #[test]
    fn unset_keys_serialize_as_null() {
        let json = serde_json::to_value(Group { pattern: "a", l1: 0.0, ..Group::DEFAULT }).unwrap();
        assert_eq!((&json["l1"], &json["lr"]), (&serde_json::json!(0.0), &serde_json::Value::Null));
        let back: Group = serde_json::from_value(json).unwrap();
        assert!(back.lr.is_nan() && back.l1 == 0.0 && back.pattern == "a");
    }
}
