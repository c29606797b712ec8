//! Metrics compared with formulas in numpy that were checked against scikit-learn.
//!
//! Shares and areas are quotients of integers on both sides; averages over at most 5 classes add 5 roundings, so
//! 1e-15 times a few: the bound is 4e-15. Sums over the 87 values of `values` and the 33 positions of `places` are in f64
//! in another order than numpy's, at most 87 roundings of 1.1e-16 relative to a sum of like signs: 1e-14. The variation
//! of a target around 1000 with a spread of 0.5 loses up to 1000^2 / 0.25 * 1.1e-16 = 5e-10 if squares are summed, and
//! by Welford's way a few times 1000 / 0.5 * 1.1e-16 = 2e-13 on either side: 1e-12.
//!
//! Seen to fail: the mean of the batches' values, a macro average over classes that do not occur, ties counted fully,
//! R2 with the mean of each batch, the last of equal largest logits, a root before the mean.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use trainspec::Shape;
use trainspec::data::Elements;
use trainspec::metric::{Accumulator, AnyMetric, Average};
use trainspec::prelude::*;

use super::file::{numbers, parse, singles};

const GOLDEN: &str = include_str!("metrics.json");

/// The samples of a topic, and the expected metrics.
struct Topic {
    json: serde_json::Value,
    predictions: Vec<f32>,
    targets: Elements,
    shape: Shape,
}

impl Topic {
    fn new(name: &str, shape: Shape) -> Self {
        let json = parse(GOLDEN)[name].clone();
        let targets = if ["values", "labels", "label"].contains(&name) {
            Elements::Float(singles(&json["targets"]))
        } else {
            Elements::Int(numbers(&json["targets"]).iter().map(|&target| target as u32).collect())
        };
        Self { predictions: singles(&json["predictions"]), targets, shape, json }
    }

    fn samples(&self) -> usize {
        self.predictions.len() / self.shape.elements()
    }

    /// Updates a metric with the samples of a range.
    fn feed(&self, metric: &mut dyn Accumulator, range: std::ops::Range<usize>) {
        let per = self.shape.elements();
        let size = range.len();
        let predictions = &self.predictions[range.start * per..range.end * per];
        let cut =
            |length: usize| range.start * (length / self.samples())..range.end * (length / self.samples());
        let targets = match &self.targets {
            Elements::Float(targets) => Elements::Float(targets[cut(targets.len())].to_vec()),
            Elements::Int(targets) => Elements::Int(targets[cut(targets.len())].to_vec()),
        };
        metric.update(size, self.shape, predictions, &targets, None).unwrap();
    }

    /// Checks uneven batches, one batch, merged parts, and state that is read back from JSON halfway.
    fn check<O: trainspec::Kind, T: trainspec::Kind>(&self, metric: &dyn AnyMetric<O, T>, bound: f64) {
        let label = metric.label();
        let expected = self.json["values"][label].as_f64().unwrap_or_else(|| panic!("no golden `{label}`"));
        assert!(metric.fits().is_ok());
        let (samples, near) =
            (self.samples(), |value: f64| (value - expected).abs() <= bound * expected.abs().max(1.0));
        let mut whole = metric.start();
        assert!(whole.value().is_nan(), "{label} of nothing");
        self.feed(&mut *whole, 0..samples);
        assert!(near(whole.value()), "{label}: {}, expected {expected}", whole.value());

        let mut batches = metric.start();
        let mut parts = metric.start();
        let cuts = [0, 1, 3, 4, samples / 2, samples];
        for window in cuts.windows(2) {
            let range = window[0]..window[1];
            self.feed(&mut *batches, range.clone());
            let mut part = metric.start();
            self.feed(&mut *part, range);
            parts.merge(&*part);
            let json = serde_json::to_string(&batches.to_json().unwrap()).unwrap();
            batches = metric.start();
            batches.restore(&serde_json::from_str(&json).unwrap()).unwrap();
        }
        // Samples are counted one by one, so no bit depends on the batches.
        assert_eq!(batches.value().to_bits(), whole.value().to_bits(), "{label} in batches");
        assert!(near(parts.value()), "{label} of merged parts: {}, expected {expected}", parts.value());
        batches.clear();
        assert!(batches.value().is_nan(), "{label} after it was cleared");
        self.feed(&mut *batches, 0..samples);
        assert_eq!(batches.value().to_bits(), whole.value().to_bits(), "{label} again");
    }
}

const AVERAGES: [Average; 3] = [Average::Macro, Average::Micro, Average::Weighted];

#[test]
fn multiclass_metrics_match_scikit_learn() {
    let topic = Topic::new("many", Shape::of(&[5]));
    let check = |metric: &dyn AnyMetric<Logits<5>, Class<5>>| topic.check(metric, 4e-15);
    check(&Accuracy);
    (1..5).for_each(|k| check(&TopK { k }));
    for average in AVERAGES {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Auroc);
    check(&AveragePrecision);
    check(&Mcc);
    check(&CalibrationError);
}

#[test]
fn binary_class_metrics_match_scikit_learn() {
    let topic = Topic::new("two", Shape::of(&[2]));
    let check = |metric: &dyn AnyMetric<Logits<2>, Class<2>>| topic.check(metric, 4e-15);
    check(&Accuracy);
    check(&TopK { k: 1 });
    for average in AVERAGES.into_iter().chain([Average::Binary]) {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Auroc);
    check(&AveragePrecision);
    check(&Mcc);
    check(&CalibrationError);
}

/// Seen to fail when a logit of 0 predicts class 1, and when the largest of one logit is used.
#[test]
fn single_logit_metrics_match_scikit_learn() {
    let topic = Topic::new("one", Shape::of(&[1]));
    let check = |metric: &dyn AnyMetric<Logits<1>, Class<2>>| topic.check(metric, 4e-15);
    check(&Accuracy);
    for average in AVERAGES.into_iter().chain([Average::Binary]) {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Auroc);
    check(&AveragePrecision);
    check(&Mcc);
    check(&CalibrationError);
    let metric: &dyn AnyMetric<Logits<1>, Class<2>> = &ConfusionMatrix;
    let mut table = metric.start();
    topic.feed(&mut *table, 0..47);
    let expected: Vec<Vec<u64>> = serde_json::from_value(topic.json["table"].clone()).unwrap();
    assert_eq!(table.table().unwrap().counts, expected);
}

/// One of four labels never occurs and is never predicted: it counts as 0 in a macro average, as in scikit-learn, and has no
/// area.
#[test]
fn multilabel_metrics_match_scikit_learn() {
    let topic = Topic::new("labels", Shape::of(&[4]));
    let check = |metric: &dyn AnyMetric<Logits<4>, Labels<4>>| topic.check(metric, 4e-15);
    check(&Accuracy);
    for average in AVERAGES {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Auroc);
    check(&AveragePrecision);
    check(&Mcc);
    check(&CalibrationError);
    let topic = Topic::new("label", Shape::of(&[1]));
    let check = |metric: &dyn AnyMetric<Logits<1>, Labels<1>>| topic.check(metric, 4e-15);
    check(&Accuracy);
    for average in AVERAGES.into_iter().chain([Average::Binary]) {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Auroc);
    check(&AveragePrecision);
    check(&Mcc);
    check(&CalibrationError);
    let metric: &dyn AnyMetric<Logits<4>, Labels<4>> = &F1 { average: Average::Binary };
    assert_eq!(
        metric.fits().unwrap_err().as_str(),
        "F1: average is Binary, but there are 4 labels; expected `Average::Macro`, `Average::Micro` or `Average::Weighted`, or a \
         model of 1 label"
    );
}

/// Returns a metric of two samples, of which the first is predicted as NaN.
fn without_answer<O: trainspec::Kind, T: trainspec::Kind>(
    metric: &dyn AnyMetric<O, T>,
    predictions: &[f32],
    targets: &Elements,
) -> f64 {
    let mut metric = metric.start();
    metric.update(2, Shape::of(&[predictions.len() / 2]), predictions, targets, None).unwrap();
    metric.value()
}

/// NaN predicts no class: of two samples, the one with a NaN logit is never correct. Metrics that use the values are NaN.
/// Seen to fail with comparisons that are false for NaN, which made it class 0, or an error of 0.
#[test]
fn nan_prediction_is_never_correct() {
    const NAN: f32 = f32::NAN;
    for nan in [[NAN, NAN, NAN], [NAN, 0.0, 0.0], [1.0, 0.0, NAN]] {
        let logits = [nan[0], nan[1], nan[2], 0.0, 2.0, 1.0];
        let of = |metric: &dyn AnyMetric<Logits<3>, Class<3>>| {
            without_answer(metric, &logits, &Elements::Int(vec![0, 1]))
        };
        assert_eq!(of(&Accuracy), 0.5, "{nan:?}");
        assert_eq!(of(&TopK { k: 2 }), 0.5, "{nan:?}");
        // Class 1 is always correct, class 0 is never predicted.
        assert_eq!(of(&Recall), 0.5, "{nan:?}");
        assert_eq!(of(&Precision), 0.5, "{nan:?}");
        assert_eq!(of(&F1), 0.5, "{nan:?}");
        assert_eq!(of(&Iou), 0.5, "{nan:?}");
        assert!(
            of(&Auroc).is_nan() && of(&AveragePrecision).is_nan() && of(&CalibrationError).is_nan(),
            "{nan:?}"
        );
        let metric: &dyn AnyMetric<Logits<3>, Class<3>> = &ConfusionMatrix;
        let mut table = metric.start();
        table.update(2, Shape::of(&[3]), &logits, &Elements::Int(vec![0, 1]), None).unwrap();
        assert_eq!(table.table().unwrap().counts, [[0, 0, 0], [0, 1, 0], [0, 0, 0]], "{nan:?}");
    }
    for target in [0, 1] {
        let of = |metric: &dyn AnyMetric<Logits<1>, Class<2>>| {
            without_answer(metric, &[NAN, 1.0], &Elements::Int(vec![target, 1]))
        };
        assert_eq!(of(&Accuracy), 0.5);
        assert_eq!(of(&Recall { average: Average::Binary }), if target == 1 { 0.5 } else { 1.0 });
        let target = target as f32;
        let of = |metric: &dyn AnyMetric<Logits<1>, Labels<1>>| {
            without_answer(metric, &[NAN, 1.0], &Elements::Float(vec![target, 1.0]))
        };
        assert_eq!(of(&Accuracy), 0.5);
        assert_eq!(of(&Precision), 1.0);
    }
    let auroc: &dyn AnyMetric<Logits<1>, Class<2>> = &Auroc;
    assert!(without_answer(auroc, &[NAN, 1.0], &Elements::Int(vec![0, 1])).is_nan());
    let auroc: &dyn AnyMetric<Logits<1>, Labels<1>> = &Auroc;
    assert!(without_answer(auroc, &[NAN, 1.0], &Elements::Float(vec![0.0, 1.0])).is_nan());
    let of = |metric: &dyn AnyMetric<Values<1>, Values<1>>| {
        // Both targets are equal, where R2 has a special rule.
        without_answer(metric, &[NAN, 1.0], &Elements::Float(vec![1.0, 1.0]))
    };
    assert!(of(&R2).is_nan());
    assert!(of(&MeanAbsoluteError).is_nan());
    assert!(of(&MeanSquaredError).is_nan());
    assert!(of(&RootMeanSquaredError).is_nan());
    let perplexity: &dyn AnyMetric<TokenLogits<2>, Tokens<2, 1>> = &Perplexity;
    let mut metric = perplexity.start();
    metric.update(2, Shape::of(&[1, 2]), &[NAN, 0.0, 0.0, 0.0], &Elements::Int(vec![1, 0]), None).unwrap();
    assert!(metric.value().is_nan());
}

/// One of four classes never occurs. The table is that of all pixels.
#[test]
fn map_metrics_match_scikit_learn() {
    let topic = Topic::new("maps", Shape::of(&[4, 2, 3]));
    let check = |metric: &dyn AnyMetric<LogitMap<4, 2, 3>, ClassMap<4, 2, 3>>| topic.check(metric, 1e-14);
    check(&Accuracy);
    (1..4).for_each(|k| check(&TopK { k }));
    for average in AVERAGES {
        check(&Precision { average });
        check(&Recall { average });
        check(&F1 { average });
        check(&Iou { average });
    }
    check(&Mcc);
    check(&CalibrationError);
    let metric: &dyn AnyMetric<LogitMap<4, 2, 3>, ClassMap<4, 2, 3>> = &ConfusionMatrix;
    let mut table = metric.start();
    topic.feed(&mut *table, 0..19);
    let expected: Vec<Vec<u64>> = serde_json::from_value(topic.json["table"].clone()).unwrap();
    assert_eq!(table.table().unwrap().counts, expected);
    // Ignored pixels are in no count.
    let mut table = metric.start();
    table.update(19, topic.shape, &topic.predictions, &topic.targets, Some(1)).unwrap();
    assert!(table.table().unwrap().counts[1].iter().all(|&count| count == 0));
    assert_eq!(table.table().unwrap().counts[2], expected[2]);
}

#[test]
fn token_metrics_match_reference() {
    let topic = Topic::new("places", Shape::of(&[3, 4]));
    let check = |metric: &dyn AnyMetric<TokenLogits<4>, Tokens<4, 3>>| topic.check(metric, 1e-14);
    check(&Accuracy);
    check(&Perplexity);
    check(&Mcc);
    check(&Iou);
    check(&CalibrationError);
}

#[test]
fn regression_metrics_match_scikit_learn() {
    let topic = Topic::new("values", Shape::of(&[3]));
    let check = |metric: &dyn AnyMetric<Values<3>, Values<3>>, bound| topic.check(metric, bound);
    check(&MeanAbsoluteError, 1e-14);
    check(&MeanSquaredError, 1e-14);
    check(&RootMeanSquaredError, 1e-14);
    check(&R2, 1e-12);
}

#[test]
fn confusion_matrix_matches_scikit_learn() {
    let topic = Topic::new("many", Shape::of(&[5]));
    let metric: &dyn AnyMetric<Logits<5>, Class<5>> = &ConfusionMatrix;
    let [mut one, mut other] = [metric.start(), metric.start()];
    topic.feed(&mut *one, 0..20);
    topic.feed(&mut *other, 20..53);
    one.merge(&*other);
    let expected: Vec<Vec<u64>> = serde_json::from_value(topic.json["table"].clone()).unwrap();
    assert_eq!(one.table().unwrap().counts, expected);
}

fn regression(predictions: &[f32], targets: &[f32]) -> f64 {
    let metric: &dyn AnyMetric<Values<1>, Values<1>> = &R2;
    let mut metric = metric.start();
    metric
        .update(targets.len(), Shape::of(&[1]), predictions, &Elements::Float(targets.to_vec()), None)
        .unwrap();
    metric.value()
}

fn classified(metric: &dyn AnyMetric<Logits<2>, Class<2>>, logits: &[f32], targets: &[u32]) -> f64 {
    let mut metric = metric.start();
    metric.update(targets.len(), Shape::of(&[2]), logits, &Elements::Int(targets.to_vec()), None).unwrap();
    metric.value()
}

/// As in scikit-learn, and NaN instead of an error where it is undefined.
#[test]
fn undefined_metric_values_are_nan_or_match_scikit_learn() {
    assert!(regression(&[1.0], &[1.0]).is_nan());
    assert_eq!(regression(&[2.0, 2.0], &[2.0, 2.0]), 1.0);
    assert_eq!(regression(&[2.0, 1.0], &[2.0, 2.0]), 0.0);
    let logits = [0.0, 1.0, 0.0, 2.0];
    assert!(classified(&Auroc, &logits, &[1, 1]).is_nan());
    assert!(classified(&Auroc, &[0.0, f32::NAN, 0.0, 1.0], &[0, 1]).is_nan());
    assert_eq!(classified(&Auroc, &[0.0; 4], &[0, 1]), 0.5);
    assert_eq!(classified(&Precision { average: Average::Binary }, &[1.0, 0.0, 1.0, 0.0], &[1, 1]), 0.0);
    assert_eq!(classified(&Recall { average: Average::Binary }, &logits, &[0, 0]), 0.0);
    assert_eq!(classified(&F1 { average: Average::Binary }, &[1.0, 0.0], &[0]), 0.0);
}

#[test]
fn mismatched_batches_and_states_are_rejected() {
    let metric: &dyn AnyMetric<Logits<2>, Class<2>> = &Accuracy;
    let mut metric = metric.start();
    let shape = Shape::of(&[2]);
    assert!(metric.update(2, shape, &[0.0; 4], &Elements::Int(vec![0]), None).is_err());
    assert!(metric.update(2, shape, &[0.0; 3], &Elements::Int(vec![0, 1]), None).is_err());
    assert!(metric.update(2, shape, &[0.0; 4], &Elements::Float(vec![0.0, 1.0]), None).is_err());
    assert!(metric.restore(&serde_json::json!({ "sum": 1 })).is_err());
    let metric: &dyn AnyMetric<Logits<3>, Class<3>> = &F1 { average: Average::Binary };
    assert!(
        metric.fits().unwrap_err().as_str().starts_with("F1: average is Binary, but there are 3 classes")
    );
}
