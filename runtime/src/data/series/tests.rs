use proptest::prelude::*;

use super::*;
use crate::data::file::tests::problem;
use crate::data::{Dataset, PreparedDataset, Split};
use crate::shape;

fn ascending(steps: usize, from: f32) -> Vec<f32> {
    (0..steps).map(|step| from + step as f32).collect()
}

fn sample<I, T>(data: &SeriesWindows<I, T>, index: usize) -> (Vec<f32>, Vec<f32>)
where
    I: InputKind + Kind<Element = f32>,
    T: TargetKind + Kind<Element = f32>,
{
    let (mut input, mut target) = (vec![0.0; I::SHAPE.elements()], vec![0.0; T::SHAPE.elements()]);
    data.sample(index, &mut input, &mut target).unwrap();
    (input, target)
}

#[test]
fn target_follows_input_by_the_horizon() {
    let windows = || Windows::of([("a", ascending(20, 0.0)), ("b", ascending(20, 100.0))]);
    let data = windows().target("b").read::<shape::Series<2, 3>, shape::Values<2>>().unwrap();
    assert_eq!(data.len(), 16);
    assert_eq!(sample(&data, 1), (vec![1.0, 2.0, 3.0, 101.0, 102.0, 103.0], vec![104.0, 105.0]));
    let data = windows().inputs(["b"]).target("a").horizon(4).stride(5);
    let data = data.read::<shape::Features<3>, shape::Values<1>>().unwrap();
    assert_eq!(data.len(), 3);
    assert_eq!(sample(&data, 2), (vec![110.0, 111.0, 112.0], vec![16.0]));
    let both = windows()
        .inputs(["a"])
        .target("a")
        .target("b")
        .read::<shape::Features<2>, shape::Values<4>>()
        .unwrap();
    assert_eq!(sample(&both, 0).1, [2.0, 3.0, 102.0, 103.0]);
    assert!(both.sample(both.len(), &mut [0.0; 2], &mut [0.0; 4]).is_err());
}

/// Of series of 6, 3, 5 and 2 steps, windows are in the order of their first steps.
#[test]
fn several_series_are_in_time_order() {
    let windows = Windows::of([("x", ascending(6, 0.0))]).then([("x", ascending(3, 10.0))]);
    let windows = windows.then([("x", ascending(5, 20.0))]).then([("x", ascending(2, 30.0))]);
    let data = windows.read::<shape::Features<2>, shape::Values<1>>().unwrap();
    let firsts: Vec<f32> = (0..data.len()).map(|index| sample(&data, index).0[0]).collect();
    assert_eq!(firsts, [0.0, 20.0, 10.0, 1.0, 21.0, 2.0, 22.0, 3.0]);
}

#[test]
fn file_names_columns_and_series() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let rows = (0..12).map(|row| format!("2024-01-{row};{};{};{row}\n", ["n", "s"][row % 2], row * 10));
    std::fs::write(&path, format!("day;place;load;row\n{}", rows.collect::<String>())).unwrap();
    let open = || Windows::open(&path).delimiter(b';');
    let data = open().inputs(["load"]).read::<shape::Features<3>, shape::Values<1>>().unwrap();
    assert_eq!((data.len(), sample(&data, 1)), (9, (vec![10.0, 20.0, 30.0], vec![40.0])));
    let data = open().series("place").inputs(["load", "row"]).target("row");
    let data = data.read::<shape::Series<2, 2>, shape::Values<1>>().unwrap();
    assert_eq!(data.len(), 8);
    assert_eq!(sample(&data, 3), (vec![30.0, 50.0, 3.0, 5.0], vec![7.0]));
    assert_eq!(
        data.location(3),
        Some(format!("{}: steps from 1 (from 0) of the series `s`", path.display()))
    );
}

proptest! {
    /// No step that a part predicts is seen by an earlier part, as input or target, for any horizon and stride.
    #[test]
    fn training_never_sees_what_later_parts_predict(
        steps in 20_usize..120, others in 20_usize..120, horizon in 1_usize..5, stride in 1_usize..5, share in 0.1..0.3_f64,
    ) {
        let windows = Windows::of([("x", ascending(steps, 0.0))]).then([("x", ascending(others, 0.0))]);
        let Ok(data) = windows.horizon(horizon).stride(stride).read::<shape::Features<4>, shape::Values<3>>() else { return Ok(()) };
        let Ok(data) = data.with_split(Split::InOrder { validation: share, test: share }) else { return Ok(()) };
        let prepared = PreparedDataset::new(Box::new(data.clone()), 1).unwrap();
        let last = |part: &[usize]| part.iter().map(|&index| sample(&data, index).1[2]).fold(-1.0, f32::max);
        let first = |part: &[usize]| part.iter().map(|&index| sample(&data, index).1[0]).fold(f32::INFINITY, f32::min);
        prop_assert!(last(prepared.train()) < first(prepared.validation()));
        prop_assert!(last(prepared.train()) < first(prepared.test()));
        prop_assert!(last(prepared.validation()) < first(prepared.test()));
        prop_assert!(prepared.train().len() + prepared.validation().len() + prepared.test().len() <= data.len());
    }
}

#[test]
fn overlapping_targets_cannot_be_split_at_random() {
    let windows = |stride| Windows::of([("x", ascending(50, 0.0))]).stride(stride);
    let data = windows(1).read::<shape::Features<4>, shape::Values<2>>().unwrap();
    let said = data.with_split(Split::DEFAULT).unwrap_err().to_string();
    assert!(said.contains("windows 0 and 1 overlap, so a random split would put the same values"), "{said}");
    let data = windows(2).read::<shape::Features<4>, shape::Values<2>>().unwrap();
    assert!(data.with_split(Split::DEFAULT).is_ok());
}

#[test]
fn series_that_do_not_fit_are_rejected() {
    let wave = || ascending(20, 0.0);
    let said = |windows: Windows| {
        windows
            .read::<shape::Series<2, 3>, shape::Values<2>>()
            .unwrap_err()
            .to_string()
            .replace("data: `Windows`: ", "")
    };
    let two = || Windows::of([("a", wave()), ("b", wave())]);
    for (windows, sentence) in [
        (two(), "the input has 2 columns; expected the one to predict, such as `.target(\"a\")`"),
        (two().target("c"), "no column has the name `c`; found `a`, `b`"),
        (two().target("a").horizon(0), "the horizon is 0; expected at least 1"),
        (two().target("a").stride(0), "the stride is 0; expected at least 1"),
        (
            two().inputs(["a"]),
            "the input has 1 columns, but the kind is `Series` [2, 3]; write `Features<3>`, in the model too, or choose other columns \
             with `.inputs([…])`",
        ),
        (
            two().target("a").target("b").target("a"),
            "the target has 3 columns, but the kind `Values` has 2 values; expected the same number of steps of each column, such as \
             `Values<3>`",
        ),
        (
            two().target("a").horizon(17),
            "the longest series has 20 steps; expected at least 21, for 3 of the input and up to the last of the target",
        ),
        (
            Windows::of([("a", wave()), ("b", ascending(3, 0.0))]).target("a"),
            "the column `b` has 3 steps; expected 20, as the first column has",
        ),
        (
            two().then([("a", wave())]).target("a"),
            "series 1 (from 0): the series has 1 columns; expected 2, as the first series has",
        ),
        (two().series("a"), "`.series(…)` is for the file of `Windows::open`; add series with `.then(…)`"),
        (two().delimiter(b';'), "`.delimiter(…)` is for the file of `Windows::open`; remove it"),
        (
            Windows::open("x.csv").then([("a", wave())]),
            "`.then(…)` adds a series to those of `Windows::of`; in a file, use `.series(…)`",
        ),
    ] {
        assert_eq!(said(windows), sentence);
    }
    for (text, sentence) in [
        ("", "x.csv: the table is empty; expected a line with the names of its columns"),
        ("a,b\n1\n", "x.csv:2: 1 columns; expected 2, as in the header"),
        ("a,b\n1,2\n\n1,?\n", "x.csv:4: column `b` is `?`; expected a finite number"),
        ("a,b\n1,\n", "x.csv:2: column `b` is empty; expected a finite number"),
        ("a,b,b\n1,2,3\n", "x.csv:1: two columns have the name `b`; rename one"),
        ("a,c\n1,2\n", "x.csv:1: no column has the name `b`; found `a`, `c`"),
        (
            "a,b\n1,2\n",
            "x.csv: the longest series has 1 steps; expected at least 5, for 3 of the input and up to the last of the target",
        ),
    ] {
        let read = |path: &std::path::Path| {
            Windows::open(path).inputs(["a", "b"]).target("b").read::<shape::Series<2, 3>, shape::Values<2>>()
        };
        assert_eq!(problem("x.csv", text.as_bytes(), read), sentence);
    }
}
