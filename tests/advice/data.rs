//! Properties of the data.

use trainspec::Check;
use trainspec::data::Dataset;
use trainspec::prelude::*;
use trainspec::trainer::Event;

use super::{Small, fires, silent};

/// Sixty points: the first feature by `first`, the second arbitrary; class 1 by `is_one`.
fn made(
    first: fn(usize) -> f32,
    is_one: fn(usize) -> bool,
    normalization: Normalization,
) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..60).flat_map(|i| [first(i), (i as f32 * 0.37).sin()]).collect();
    let targets = (0..60).map(|i| u32::from(is_one(i))).collect();
    let split = Split::Fixed { train: 0..40, validation: 40..50, test: 50..60 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?
        .with_split(split)
        .with_normalization(normalization))
}

/// Sixty seconds of 2023 in a table, as Unix times or counted from its first row.
fn timed(from_beginning: bool) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let row = |i: u32| format!("{},{},{}\n", 1_700_000_000 + i, (f64::from(i) * 0.37).sin(), i % 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    std::fs::write(&path, (0..60).map(row).collect::<String>()).unwrap();
    let csv = Csv::open(path);
    let csv = if from_beginning { csv.subtract(0, 1.7e9) } else { csv };
    let split = Split::Fixed { train: 0..40, validation: 40..50, test: 50..60 };
    let data = csv.read::<Features<2>, Class<2>>()?;
    Ok(data.with_split(split).with_normalization(Normalization::PerElement))
}

train! {
    Timed { model: Small, data: timed(false), batch: 8 }
}

train! {
    TimedFromBeginning { model: Small, data: timed(true), batch: 8 }
}

/// All sixty are equal in f32, although the column is not constant.
#[test]
fn csv_column_constant_in_f32_is_reported() {
    fires(Timed::experiment, &[], Advice::RoundedColumns);
    silent(TimedFromBeginning::experiment, &[]);
    let check: Check = Timed::experiment().without_folder().check().unwrap();
    assert_eq!(
        check.advice[0].found,
        "of about 60 distinct values in column 0 (from 0) of the file, about 1 remain in f32"
    );
}

#[model]
fn NormedFirst(x: Features<2>) -> Logits<2> {
    x.batch_norm().linear(out = 4).relu().linear(out = 2)
}

fn half(i: usize) -> bool {
    i.is_multiple_of(2)
}

fn raw(i: usize) -> f32 {
    i as f32 * 20.0
}

train! {
    Raw { model: Small, data: made(raw, half, Normalization::None), batch: 8 }
}

train! {
    Scaled { model: Small, data: made(raw, half, Normalization::PerElement), batch: 8 }
}

train! {
    ScaledByTheModel { model: NormedFirst, data: made(raw, half, Normalization::None), batch: 8 }
}

train! {
    Flat { model: Small, data: made(|_| 0.25, half, Normalization::None), batch: 8 }
}

train! {
    Rare { model: Small, data: made(|i| i as f32 / 60.0, |i| i % 11 == 0, Normalization::None), batch: 8 }
}

train! {
    RareAndWeighted {
        model: Small,
        data: made(|i| i as f32 / 60.0, |i| i % 20 == 0, Normalization::None),
        batch: 8,
        loss: CrossEntropy { weights: &[1.0, 9.0] },
    }
}

train! {
    RareAndBalanced {
        model: Small,
        data: made(|i| i as f32 / 60.0, |i| i % 20 == 0, Normalization::None),
        batch: 8,
        sampler: ClassBalanced,
    }
}

train! {
    Absent {
        model: Small,
        data: made(|i| i as f32 / 60.0, |_| false, Normalization::None),
        batch: 8,
        loss: CrossEntropy { weights: &[1.0, 9.0] },
    }
}

/// Points of which number 45 equals number 5.
fn copied() -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..60).flat_map(|i| {
        let i = if i == 45 { 5 } else { i };
        [(i as f32 * 0.37).sin(), (i as f32 * 0.73).cos()]
    });
    let split = Split::Fixed { train: 0..40, validation: 40..50, test: 50..60 };
    let targets = (0..60).map(|i| i % 2).collect();
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs.collect(), targets)?.with_split(split))
}

train! {
    Copied { model: Small, data: copied(), batch: 8 }
}

#[test]
fn data_problems_are_reported() {
    fires(Raw::experiment, &[], Advice::UnscaledInputs);
    silent(Scaled::experiment, &[]);
    silent(ScaledByTheModel::experiment, &[]);
    fires(Flat::experiment, &[], Advice::ConstantFeatures);
    // 4 of 40 are one ninth of the rest; 2 of 40 one nineteenth.
    silent(Rare::experiment, &[]);
    silent(RareAndWeighted::experiment, &[]);
    silent(RareAndBalanced::experiment, &[]);
    fires(RareAndWeighted::experiment, &[("loss.weights", "[]")], Advice::ClassImbalance);
    fires(Absent::experiment, &[], Advice::ClassImbalance);
    fires(Copied::experiment, &[], Advice::SharedSamples);
}

/// An observer receives the advice once, before the run starts.
#[test]
fn run_reports_advice_before_training() {
    let mut told = Vec::new();
    let run = Raw::experiment().epochs(1).without_folder().run_with(&mut |event: &Event<'_>| {
        match event {
            Event::Advice(advice) => {
                told.extend(advice.iter().map(|finding| format!("{:?}", finding.advice)));
            }
            Event::Begin(_) => told.push("begin".to_owned()),
            _ => {}
        }
        Ok(())
    });
    assert!(run.is_ok());
    assert_eq!(told, ["UnscaledInputs", "begin"]);
}

#[test]
fn advice_text_names_the_finding() {
    let found = |check: Check| check.advice[0].found.clone();
    assert_eq!(
        found(Raw::experiment().check().unwrap()),
        "1 of 2 values of an input; value 0 (from 0) has a mean of 390.0 and a deviation of 230.9"
    );
    assert_eq!(found(Absent::experiment().check().unwrap()), "0 training samples of class 1, 40 of class 0");
    assert_eq!(
        found(Copied::experiment().check().unwrap()),
        "1 of 20 validation and test samples have the same input as a training sample"
    );
}

/// Colored gradients, of two classes, in either axis order.
fn slopes(is_last: bool) -> trainspec::Result<InMemory<Image<3, 6, 6>, Class<2>>> {
    let colour = |image: usize, channel: usize, place: usize| {
        (image as f32).sin() + (channel * 5 % 3) as f32 + (place % 6 + place / 6) as f32 * 0.05
    };
    let inputs = (0..60).flat_map(|image| {
        (0..108).map(
            move |i| {
                if is_last { colour(image, i % 3, i / 3) } else { colour(image, i / 36, i % 36) }
            },
        )
    });
    InMemory::new(inputs.collect(), (0..60).map(|i| i % 2).collect())
}

#[model]
fn Coloured(image: Image<3, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).relu().flatten().linear(out = 2)
}

train! { ChannelsFirst { model: Coloured, data: slopes(false), batch: 16, epochs: 2 } }

train! { ChannelsBehind { model: Coloured, data: slopes(true), batch: 16, epochs: 2 } }

#[test]
fn channels_last_image_is_reported() {
    fires(ChannelsBehind::experiment, &[], Advice::ChannelsLast);
    silent(ChannelsFirst::experiment, &[]);
}

/// Each point of a wave is predicted from the previous one.
fn series(split: Split) -> trainspec::Result<impl Dataset<Input = Features<1>, Target = Values<1>>> {
    let wave: Vec<f32> = (0..61).map(|day| (day as f32 / 7.0).sin()).collect();
    let data = InMemory::<Features<1>, Values<1>>::new(wave[..60].to_vec(), wave[1..].to_vec())?;
    Ok(data.in_time_order().with_input_range(-1.0..=1.0).with_split(split))
}

#[model]
fn Curve(x: Features<1>) -> Values<1> {
    x.linear(out = 8).tanh().linear(out = 1)
}

train! { Drawn { model: Curve, data: series(Split::DEFAULT), batch: 8, epochs: 2 } }
train! { InOrder { model: Curve, data: series(Split::InOrder { validation: 0.1, test: 0.2 }), batch: 8, epochs: 2 } }
train! {
    Backwards {
        model: Curve,
        data: series(Split::Fixed { train: 20..60, validation: 10..20, test: 0..0 }),
        batch: 8,
        epochs: 2,
    }
}
train! {
    OutOfRange {
        model: Curve,
        data: InMemory::<Features<1>, Values<1>>::new(vec![0.5; 30], vec![1.0; 30])
            .map(|data| data.with_input_range(0.0..=0.25)),
    }
}

#[test]
fn declared_data_metadata_is_checked() {
    fires(Drawn::experiment, &[], Advice::ShuffledSeries);
    fires(Backwards::experiment, &[], Advice::ShuffledSeries);
    silent(InOrder::experiment, &[]);
    let check = Backwards::experiment().check().unwrap();
    assert_eq!(
        check.advice[0].found,
        "the data are a time series, and 40 of 40 training samples come after sample 10 (from 0) of the \
         validation or test part"
    );
    assert_eq!(
        OutOfRange::experiment().check().map(|_| ()).unwrap_err().to_string(),
        "data: sample 0 (from 0) of the training part: element 0 of the input is 0.5; expected 0 to 0.25, the `input_range` of the data"
    );
}
