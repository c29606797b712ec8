//! Predictions and targets in the units of the data, where a run normalizes its targets.

use super::{AnyDataset, Normalization, Normalizer, Normalizers};
use crate::error::{Error, Result};
use crate::loss::{PredictedAs, TargetRules};
use crate::shape::{Elements, Kind, Numbers, Shape, Values, ordinal};

/// The normalizer of each target, and what the model's output for it holds.
///
/// The loss compares normalized targets with the model's output. Everything else that a run reports, and every prediction, is in the units of
/// the data: the targets are restored, and so are the outputs, `y = mean + deviation * output`. Both are rounded to f32 once more, so a
/// metric differs from that of the original values by rounding only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetUnits {
    normalizers: Normalizers,
    outputs: Vec<Option<PredictedAs>>,
}

impl TargetUnits {
    pub(crate) fn new(normalizers: Normalizers, outputs: Vec<Option<PredictedAs>>) -> Self {
        Self { normalizers, outputs }
    }

    /// The normalizer of each target; none for a target that is not normalized.
    #[must_use]
    pub fn normalizers(&self) -> &Normalizers {
        &self.normalizers
    }

    /// What each output holds.
    pub(super) fn outputs(&self) -> &[Option<PredictedAs>] {
        &self.outputs
    }

    /// Whether no target is normalized.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.normalizers.is_empty()
    }

    /// Converts consecutive normalized targets of an output to the units of the data.
    pub(crate) fn restore_targets(&self, output: usize, targets: &mut Elements) {
        if let (Some(normalizer), Elements::Float(values)) = (self.normalizers.of(output), targets) {
            normalizer.restore(values);
        }
    }

    /// Converts the values of an output, for consecutive samples of this shape, to the units of the data.
    pub(crate) fn restore_predictions(&self, output: usize, shape: Shape, values: &mut [f32]) {
        let Some(normalizer) = self.normalizers.of(output) else { return };
        match self.outputs.get(output).copied().flatten() {
            Some(PredictedAs::Values) => normalizer.restore(values),
            Some(PredictedAs::Gaussians) => {
                let half = shape.elements() / 2;
                for sample in values.chunks_exact_mut((2 * half).max(1)) {
                    let (means, log_variances) = sample.split_at_mut(half);
                    normalizer.restore(means);
                    let deviations = normalizer.deviation().iter().cycle();
                    for (value, &deviation) in log_variances.iter_mut().zip(deviations) {
                        // A variance is multiplied by the square of the deviation.
                        *value = (f64::from(*value) + 2.0 * f64::from(deviation).ln()) as f32;
                    }
                }
            }
            None => {}
        }
    }

    /// Checks that they are for targets of these shapes, and that the outputs can be converted back.
    pub(crate) fn check(&self, targets: &[Shape]) -> Result<()> {
        for (target, normalizer) in self.normalizers.iter() {
            let elements = targets.get(target).map_or(0, |shape| shape.elements());
            let what = ordinal("target", target, targets.len());
            if !normalizer.fits(elements) {
                return Err(Error::Dataset(format!(
                    "the model's normalization of the {what} is not for {elements} values"
                )));
            }
            if self.outputs.get(target).copied().flatten().is_none() {
                return Err(Error::Dataset(format!(
                    "the {what} is normalized, but the output of the model cannot be converted to its units; expected the output \
                     `Values` or `Gaussians`, or remove `.with_target_normalization(…)`"
                )));
            }
        }
        Ok(())
    }
}

/// Whether each target of a data set is normalized: those of the kind [`Values`] are, if any are.
///
/// # Errors
/// If none can be.
pub(super) fn are_normalized(data: &dyn AnyDataset) -> Result<Vec<bool>> {
    let (rule, names) = (data.target_normalization(), data.target_names());
    if rule == Normalization::None {
        return Ok(vec![false; names.len()]);
    }
    let each: Vec<bool> = names.iter().map(|name| *name == <Values<1> as Kind>::NAME).collect();
    if each.contains(&true) {
        return Ok(each);
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    Err(Error::Dataset(format!(
        "the target is {}, and only `Values` can be normalized; remove `.with_target_normalization(Normalization::{rule:?})`",
        names.join(", ")
    )))
}

/// Checks a normalized target: that it is finite, and that the loss accepts it. Returns whether it counts in the loss.
pub(super) fn check_normalized(
    normalizer: &Normalizer,
    what: &str,
    place: &dyn Fn() -> String,
    target: &[f32],
    rules: &dyn TargetRules,
) -> Result<bool> {
    if let Some(element) = target.iter().position(|value| !value.is_finite()) {
        let of = |numbers: &[f32]| numbers.get(element % numbers.len().max(1)).copied().unwrap_or(0.0);
        return Err(Error::Dataset(format!(
            "{}: element {element} of the {what} becomes infinite when normalized by the mean {:e} and the deviation {:e} of the training \
             part; expected a value of the same magnitude as those in the training part",
            place(),
            of(normalizer.mean()),
            of(normalizer.deviation()),
        )));
    }
    let target = Numbers::Float(target);
    if let Err(problem) = rules.accepts(target) {
        return Err(Error::Dataset(format!(
            "{}: {problem}, but the targets are normalized; use another loss, or remove `.with_target_normalization(…)`",
            place()
        )));
    }
    Ok(rules.counts(target))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_converted_to_the_units_of_the_data() {
        let normalizer = Normalizer::new(vec![10.0, -2.0], vec![4.0, 0.5]).unwrap();
        let units =
            |form| TargetUnits::new(Normalizers::new(vec![None, Some(normalizer.clone())]), vec![None, form]);
        let mut values = [1.0, 2.0, 0.0, -2.0];
        units(Some(PredictedAs::Values)).restore_predictions(1, Shape::of(&[2]), &mut values);
        assert_eq!(values, [14.0, -1.0, 10.0, -3.0]);
        // Two means, then two log-variances: those of 4 ln 2 and -2 ln 2 more.
        let mut values = [1.0, 2.0, 0.0, 1.0];
        units(Some(PredictedAs::Gaussians)).restore_predictions(1, Shape::of(&[2, 2]), &mut values);
        let [quadruple, half] = [16.0_f64.ln() as f32, (1.0 + 0.25_f64.ln()) as f32];
        assert_eq!(values, [14.0, -1.0, quadruple, half]);
        let mut unchanged = [1.0, 2.0];
        units(Some(PredictedAs::Values)).restore_predictions(0, Shape::of(&[2]), &mut unchanged);
        assert_eq!(unchanged, [1.0, 2.0]);
    }

    #[test]
    fn one_deviation_for_all_values_applies_to_each() {
        let whole = Normalizers::new(vec![Some(Normalizer::new(vec![1.0], vec![2.0]).unwrap())]);
        let units = TargetUnits::new(whole, vec![Some(PredictedAs::Gaussians)]);
        let mut values = [1.0, 2.0, 0.0, 0.0];
        units.restore_predictions(0, Shape::of(&[2, 2]), &mut values);
        let more = 4.0_f64.ln() as f32;
        assert_eq!(values, [3.0, 5.0, more, more]);
    }
}
