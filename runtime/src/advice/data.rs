//! Advice on data that a model can hardly learn from.

use super::Facts;
use crate::data::RoundedColumn;
use crate::format::count;

/// Means and standard deviations up to this are close enough to 0 and 1.
const FAR: f32 = 10.0;

/// The ratio of class counts from which on an imbalance is reported; Buda et al. 2018 show that it does harm.
const IMBALANCE: usize = 10;

/// One sample in this many may also be in the training part: features with few distinct values repeat by chance.
const BEARABLE: usize = 100;

pub(super) fn unscaled_inputs(facts: &Facts<'_>) -> Option<String> {
    (0..facts.graph.inputs.len()).find_map(|input| unscaled_input(facts, input))
}

fn unscaled_input(facts: &Facts<'_>, input: usize) -> Option<String> {
    let (profile, graph) = (facts.data.profile(input)?, facts.graph);
    let mut readers = graph.nodes.iter().filter(|node| node.inputs.contains(&input));
    if facts.data.normalizers().of(input).is_some() || readers.all(|node| node.layer.kind().is_norm()) {
        return None;
    }
    let far = |place: &usize| profile.mean()[*place].abs() > FAR || profile.deviation()[*place] > FAR;
    let far: Vec<_> = (0..profile.mean().len()).filter(far).collect();
    let first = *far.first()?;
    let (mean, deviation) = (profile.mean()[first], profile.deviation()[first]);
    Some(format!(
        "{} of {} values of {}; value {first} (from 0) has a mean of {mean:.1} and a deviation of {deviation:.1}",
        count(far.len() as u64),
        count(profile.mean().len() as u64),
        match graph.inputs.as_slice() {
            [_] => "an input".to_owned(),
            inputs => format!("the input `{}`", inputs[input]),
        },
    ))
}

pub(super) fn rounded_columns(facts: &Facts<'_>) -> Option<String> {
    let columns = facts.data.rounded_columns();
    let RoundedColumn { column, distinct, left, .. } = columns.first()?;
    let others = match columns.len() {
        1 => String::new(),
        more => format!("; the same applies to {} more", more - 1),
    };
    let (distinct, left) = (count(*distinct), count(*left));
    Some(format!(
        "of about {distinct} distinct values in column {column} of the file, about {left} remain in f32{others}"
    ))
}

/// Checks features only: the border of images often has a single color.
pub(super) fn constant_features(facts: &Facts<'_>) -> Option<String> {
    (0..facts.data.input_shapes().len()).find_map(|input| constant_features_of(facts, input))
}

fn constant_features_of(facts: &Facts<'_>, input: usize) -> Option<String> {
    let (data, samples) = (facts.data, facts.data.train().len());
    let rank = data.input_shapes().get(input)?.rank();
    // With a single sample, every feature is constant.
    let is_complete = data.checked_in_part().is_none();
    let profile = data.profile(input).filter(|_| rank == 1 && samples > 1 && is_complete)?;
    // Rounded columns are not constant in the file.
    let is_rounded = |place| data.rounded_columns().iter().any(|column| column.element == Some(place));
    let constant: Vec<_> = (0..profile.mean().len())
        .filter(|&place| profile.deviation()[place] == 0.0 && !is_rounded(place))
        .collect();
    let first = *constant.first()?;
    let others =
        if constant.len() == 1 { String::new() } else { format!(" and {} more", constant.len() - 1) };
    Some(format!("feature {first} (from 0){others} is {} in every training sample", profile.mean()[first]))
}

pub(super) fn class_imbalance(facts: &Facts<'_>) -> Option<String> {
    (0..facts.data.target_shapes().len()).find_map(|target| imbalance_of(facts, target))
}

fn imbalance_of(facts: &Facts<'_>, target: usize) -> Option<String> {
    let counts = facts.data.class_counts(target).filter(|counts| counts.len() > 1)?;
    if facts.graph.shape_of_output(target).rank() > facts.data.target_shapes().get(target)?.rank() + 1 {
        // The output is not a score of each class: of embeddings, the target names one, and it may always be the first.
        return None;
    }
    let loss = facts.settings.loss.get(target)?.setting().to_json();
    let has_weights = ["weights", "pos_weight"].iter().any(|key| {
        loss.get(key).is_some_and(|weights| weights.as_array().is_some_and(|weights| !weights.is_empty()))
    });
    // Of one that balances this target, and of one with weights of the samples.
    let sampler = facts.settings.sampler.to_json();
    let is_sampled = match sampler["type"].as_str() {
        Some("ClassBalanced") => sampler["target"] == target,
        name => name == Some("Weighted"),
    };
    let has_weights = has_weights || is_sampled;
    let (rarest, &least) = counts.iter().enumerate().min_by_key(|(_, count)| **count)?;
    let (commonest, &most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let is_unequal = least == 0 || !has_weights && most / least >= IMBALANCE;
    is_unequal.then(|| {
        let (least, most) = (count(least as u64), count(most as u64));
        format!("{least} training samples of class {rarest}, {most} of class {commonest}")
    })
}

pub(super) fn shared_samples(facts: &Facts<'_>) -> Option<String> {
    let (shared, plan) = (facts.data.shared(), facts.plan);
    let others = plan.validation_samples + plan.test_samples;
    (shared > 0 && shared >= others / BEARABLE).then(|| {
        let (shared, others) = (count(shared as u64), count(others as u64));
        format!("{shared} of {others} validation and test samples have the same input as a training sample")
    })
}

pub(super) fn shuffled_series(facts: &Facts<'_>) -> Option<String> {
    let data = facts.data;
    if !data.is_time_series() {
        return None;
    }
    let held_out = data.validation().first().into_iter().chain(data.test().first()).min()?;
    let later = data.train().iter().filter(|sample| *sample > held_out).count();
    (later > 0).then(|| {
        format!(
            "the data are a time series, and {} of {} training samples come after sample {held_out} (from 0) of the \
             validation or test part",
            count(later as u64),
            count(data.train().len() as u64),
        )
    })
}

pub(super) fn channels_last(facts: &Facts<'_>) -> Option<String> {
    let ((input, _), _) = facts.data.patterns().find(|(_, patterns)| patterns.channels_last())?;
    let channels = facts.data.input_shapes().get(input)?.axes().first().copied()?;
    Some(format!(
        "a value of an image is closer to the value {channels} places later than to the next one, as if the \
         {channels} channels of each pixel were stored next to each other"
    ))
}

/// A regression loss is 0 if the prediction equals the target; a loss of logits is not.
pub(super) fn classes_as_values(facts: &Facts<'_>) -> Option<String> {
    let mut patterns = facts.data.patterns();
    let ((_, target), _) = patterns.find(|(_, patterns)| patterns.zero_or_one())?;
    let targets = facts.data.target_shapes().get(target)?.elements();
    let sample = facts.data.batch(facts.data.train().get(..1)?).ok()?;
    let settings = facts.settings.loss.get(target)?;
    let target = sample.targets.get(target)?.to_tensor(1, &candle_core::Device::Cpu).ok()?;
    let loss = settings.sum(&target, &target).ok()?;
    let loss = loss.sum.to_dtype(candle_core::DType::F64).ok()?.to_scalar::<f64>().ok()?;
    (loss == 0.0).then(|| {
        let name = settings.setting().name();
        let each =
            if targets == 1 { "the target".to_owned() } else { format!("each of the {targets} targets") };
        format!("{each} is 0 or 1 in every training sample, and the loss is `{name}`")
    })
}
