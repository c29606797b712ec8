//! Data that are not what a model can learn from.

use super::Facts;
use crate::data::RoundedColumn;
use crate::format::count;

/// Means and deviations up to this are near enough to 0 and 1.
const FAR: f32 = 10.0;

/// How many times the samples of another class are too many: an imbalance of which Buda et al. 2018 show the harm.
const IMBALANCE: usize = 10;

/// One sample in so many that is also in the training part is bearable: features of few values repeat by chance.
const BEARABLE: usize = 100;

pub(super) fn unscaled_inputs(facts: &Facts<'_>) -> Option<String> {
    let (profile, graph) = (facts.data.profile()?, facts.graph);
    let mut readers = graph.nodes.iter().filter(|node| node.inputs.iter().any(|&input| input < graph.inputs));
    if facts.data.normalizer().is_some() || readers.all(|node| node.layer.nature().is_norm()) {
        return None;
    }
    let far = |place: &usize| profile.mean()[*place].abs() > FAR || profile.deviation()[*place] > FAR;
    let far: Vec<_> = (0..profile.mean().len()).filter(far).collect();
    let first = *far.first()?;
    let (mean, deviation) = (profile.mean()[first], profile.deviation()[first]);
    Some(format!(
        "{} of {} numbers of an input; number {first} (from 0) has a mean of {mean:.1} and a deviation of {deviation:.1}",
        count(far.len() as u64),
        count(profile.mean().len() as u64),
    ))
}

pub(super) fn rounded_columns(facts: &Facts<'_>) -> Option<String> {
    let columns = facts.data.rounded_columns();
    let RoundedColumn { column, distinct, left, .. } = columns.first()?;
    let others = match columns.len() {
        1 => String::new(),
        more => format!("; so it is with {} more", more - 1),
    };
    let (distinct, left) = (count(*distinct), count(*left));
    Some(format!(
        "of about {distinct} distinct values in column {column} of the file, about {left} are left in f32{others}"
    ))
}

/// Of features only: the border of images is often of one colour.
pub(super) fn constant_features(facts: &Facts<'_>) -> Option<String> {
    let (data, samples) = (facts.data, facts.data.train().len());
    // One sample alone has nothing but constants.
    let profile = data.profile().filter(|_| data.input_shape().rank() == 1 && samples > 1)?;
    // In the file these are not constant.
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
    let counts = facts.data.class_counts().filter(|counts| counts.len() > 1)?;
    let loss = facts.settings.loss.setting().to_json();
    let has_weights = ["weights", "pos_weight"].iter().any(|key| {
        loss.get(key).is_some_and(|weights| weights.as_array().is_some_and(|weights| !weights.is_empty()))
    });
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
        format!("{shared} of {others} samples to validate and test have an input of the training part")
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
            "the data are a time series, and {} of {} training samples come after sample {held_out} (from 0), which is \
             to validate or test with",
            count(later as u64),
            count(data.train().len() as u64),
        )
    })
}

pub(super) fn channels_last(facts: &Facts<'_>) -> Option<String> {
    let channels = facts.data.input_shape().axes().first().copied()?;
    facts.data.patterns().channels_last().then(|| {
        format!(
            "a number of an image is more like the one {channels} places on than like the next one, as it is where \
             the {channels} channels of each pixel lie side by side"
        )
    })
}

/// A regression's loss is 0 where the prediction is the target; one of logits is not.
pub(super) fn classes_as_values(facts: &Facts<'_>) -> Option<String> {
    if !facts.data.patterns().zero_or_one() {
        return None;
    }
    let targets = facts.data.target_shape().elements();
    let sample = facts.data.batch(facts.data.train().get(..1)?).ok()?;
    let target = sample.target.to_tensor(1, &candle_core::Device::Cpu).ok()?;
    let loss = facts.settings.loss.sum(&target, &target).ok()?;
    let loss = loss.sum.to_dtype(candle_core::DType::F64).ok()?.to_scalar::<f64>().ok()?;
    (loss == 0.0).then(|| {
        let name = facts.settings.loss.setting().name();
        let each =
            if targets == 1 { "the target".to_owned() } else { format!("each of the {targets} targets") };
        format!("{each} is 0 or 1 in every training sample, and the loss is `{name}`")
    })
}
