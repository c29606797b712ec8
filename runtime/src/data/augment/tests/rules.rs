//! Each rule on its own.

use super::super::*;
use crate::config::{Config, Setting};
use crate::data::SampleRng;
use crate::rng::{Purpose, StepIndex, Stream};

/// The draws of one of many samples.
fn rng(sample: u64) -> SampleRng {
    SampleRng::new(Stream::new(1, Purpose::Augment, "test"), StepIndex { step: sample, micro_batch: 1 })
}

/// The values after a rule with the draws of one sample.
fn changed(rule: &dyn AnyAugment, axes: &[usize], values: &[f32], sample: u64) -> Vec<f32> {
    let mut values = values.to_vec();
    rule.apply(&mut Sample::new(Shape::of(axes), &mut values), &mut rng(sample));
    values
}

const SIDE: usize = 9;
const CENTER: f32 = 4.0;

/// An image of two channels, the row and the column of each pixel. Interpolation between pixels of a linear function is exact.
fn coordinates() -> Vec<f32> {
    let pixels = 0..SIDE * SIDE;
    pixels
        .clone()
        .map(|place| (place / SIDE) as f32)
        .chain(pixels.map(|place| (place % SIDE) as f32))
        .collect()
}

/// The source of the central pixel, and how it changes in the next row and in the next column.
fn source(rule: &dyn AnyAugment, sample: u64) -> [[f32; 2]; 3] {
    let after = changed(rule, &[2, SIDE, SIDE], &coordinates(), sample);
    let at = |row: usize, column: usize| [0, 1].map(|channel| after[(channel * SIDE + row) * SIDE + column]);
    let center = at(4, 4);
    let less = |other: [f32; 2]| [other[0] - center[0], other[1] - center[1]];
    [center, less(at(5, 4)), less(at(4, 5))]
}

/// Coordinates are below 9, and their differences have two roundings.
fn is_close(found: [f32; 2], expected: [f32; 2]) -> bool {
    found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= 4.0 * 9.0 * f32::EPSILON)
}

#[test]
fn flips_mirror_the_given_fraction() {
    let image: Vec<f32> = (0..24).map(|value| value as f32).collect();
    let axes = [2, 3, 4];
    let mirrored = |across: bool| -> Vec<f32> {
        let place = |place: usize| {
            let (channel, row, column) = (place / 12, place / 4 % 3, place % 4);
            let (row, column) = if across { (row, 3 - column) } else { (2 - row, column) };
            (channel * 12 + row * 4 + column) as f32
        };
        (0..24).map(place).collect()
    };
    for (rule, across) in [
        (&FlipHorizontal { p: 0.25 } as &dyn AnyAugment, true),
        (&FlipVertical { p: 0.25 } as &dyn AnyAugment, false),
    ] {
        let results: Vec<_> = (0..1000).map(|sample| changed(rule, &axes, &image, sample)).collect();
        let count = results.iter().filter(|result| **result == mirrored(across)).count();
        let others = results.iter().filter(|result| **result == image).count();
        assert_eq!(count + others, 1000);
        // Five standard deviations of sqrt(1000 * 0.25 * 0.75).
        assert!((181..=319).contains(&count), "{count}");
    }
    assert_eq!(changed(&FlipHorizontal { p: 0.0 }, &axes, &image, 0), image);
    assert_eq!(changed(&FlipHorizontal { p: 1.0 }, &axes, &image, 0), mirrored(true));
}

/// Against crops of the padded image.
#[test]
fn random_crop_cuts_every_place_of_the_padded_image() {
    let (height, width, padding) = (3, 4, 2);
    let image: Vec<f32> = (1..=24).map(|value| value as f32).collect();
    let at = |channel: usize, row: usize, column: usize| {
        let is_inside =
            (padding..padding + height).contains(&row) && (padding..padding + width).contains(&column);
        if is_inside { image[(channel * height + row - padding) * width + column - padding] } else { 0.0 }
    };
    let crop = |down: usize, right: usize| -> Vec<f32> {
        let pixels = (0..2 * height * width)
            .map(|place| (place / (height * width), place / width % height, place % width));
        pixels.map(|(channel, row, column)| at(channel, down + row, right + column)).collect()
    };
    let mut seen = vec![0; 25];
    for sample in 0..2500 {
        let result = changed(&RandomCrop { padding }, &[2, height, width], &image, sample);
        let place = (0..25).find(|place| crop(place / 5, place % 5) == result);
        seen[place.expect("a crop")] += 1;
    }
    // Five standard deviations of sqrt(2500 / 25 * 24 / 25).
    assert!(seen.iter().all(|count: &i32| (count - 100).abs() < 49), "{seen:?}");
}

#[test]
fn shift_scale_and_rotation_have_the_given_ranges() {
    let (mut distances, mut factors, mut angles) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..300 {
        let [center, down, right] = source(&Shift { pixels: 2.5 }, sample);
        assert!(is_close(down, [1.0, 0.0]) && is_close(right, [0.0, 1.0]));
        distances.extend(center.map(|place| CENTER - place));

        let [center, down, right] = source(&Scale { from: 0.8, to: 1.5 }, sample);
        assert!(is_close(center, [CENTER; 2]) && is_close(down, [down[0], 0.0]));
        assert!(is_close(right, [0.0, down[0]]));
        factors.push(1.0 / down[0]);

        let [center, down, right] = source(&Rotate { degrees: 40.0 }, sample);
        assert!(is_close(center, [CENTER; 2]) && is_close(right, [-down[1], down[0]]));
        assert!((down[0].hypot(down[1]) - 1.0).abs() < 1e-5);
        angles.push(down[1].atan2(down[0]).to_degrees());
    }
    for (values, low, high) in [(distances, -2.5, 2.5), (factors, 0.8, 1.5), (angles, -40.0, 40.0)] {
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let margin = 0.05 * (high - low);
        assert!((low - 1e-4..low + margin).contains(&least), "{least} of {low}..{high}");
        assert!((high - margin..high + 1e-4).contains(&largest), "{largest} of {low}..{high}");
        // The mean of n uniform values has the deviation (high - low) / sqrt(12 n); five of them.
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean - f32::midpoint(low, high)).abs() < 5.0 * (high - low) / 60.0, "{mean}");
    }
}

/// The colors of each pixel differ from their reference by one factor.
#[test]
fn brightness_and_contrast_multiply_distances() {
    let image: Vec<f32> = (0..12).map(|value| value as f32 / 4.0 - 1.0).collect();
    let mean = image.iter().sum::<f32>() / 12.0;
    for (rule, reference) in
        [(&Brightness { by: 0.4 } as &dyn AnyAugment, 0.0), (&Contrast { by: 0.4 } as &dyn AnyAugment, mean)]
    {
        let mut factors = Vec::new();
        for sample in 0..200 {
            let after = changed(rule, &[1, 3, 4], &image, sample);
            let factor = (after[11] - reference) / (image[11] - reference);
            for (after, before) in after.iter().zip(&image) {
                let expected = reference + factor * (before - reference);
                assert!((after - expected).abs() < 1e-5, "{after} and {expected}");
            }
            factors.push(factor);
        }
        let (least, largest) =
            (factors.iter().copied().fold(9.0, f32::min), factors.iter().copied().fold(0.0, f32::max));
        assert!(
            (0.6 - 1e-5..0.63).contains(&least) && (1.37..1.4 + 1e-5).contains(&largest),
            "{least} to {largest}"
        );
    }
    // A change of more than 1 reaches black, and not beyond.
    let least = (0..500).map(|sample| changed(&Brightness { by: 3.0 }, &[1, 1, 1], &[1.0], sample)[0]);
    assert!(least.fold(9.0, f32::min) >= 0.0);
}

#[test]
fn color_jitter_uses_only_the_given_keys() {
    let image: Vec<f32> = (0..12).map(|value| (value * 5 % 12) as f32).collect();
    let gray = |values: &[f32], pixel: usize| {
        0.2989 * values[pixel] + 0.587 * values[4 + pixel] + 0.114 * values[8 + pixel]
    };
    for sample in 0..50 {
        let after =
            changed(&ColorJitter { saturation: 0.5, ..ColorJitter::DEFAULT }, &[3, 2, 2], &image, sample);
        assert!((0..4).all(|pixel| (gray(&after, pixel) - gray(&image, pixel)).abs() < 1e-2));
        assert_ne!(after, image);
        let after =
            changed(&ColorJitter { brightness: 0.5, ..ColorJitter::DEFAULT }, &[3, 2, 2], &image, sample);
        assert!((0..12).all(|place| (after[place] * image[11] - image[place] * after[11]).abs() < 1e-3));
    }
    // Both orders of two changes occur, so that the results for one pair of factors differ.
    let jitter = ColorJitter { brightness: 0.5, contrast: 0.5, saturation: 0.0 };
    assert_ne!(changed(&jitter, &[3, 2, 2], &image, 1), changed(&jitter, &[3, 2, 2], &image, 2));
}

#[test]
fn values_stay_in_the_declared_range() {
    let mut values = vec![0.0, 0.25, 0.5, 1.0];
    let mut sample = Sample::new(Shape::of(&[1, 2, 2]), &mut values).with_range(0.0, 1.0);
    sample.adjust_brightness(2.0);
    assert_eq!(values, [0.0, 0.5, 1.0, 1.0]);
    // Black is the lower end.
    let mut values = vec![-1.0, 0.0, 0.5, 1.0];
    let mut sample = Sample::new(Shape::of(&[1, 2, 2]), &mut values).with_range(-1.0, 1.0);
    sample.adjust_brightness(0.5);
    assert_eq!(values, [-1.0, -0.5, -0.25, 0.0]);
    let mut sample = Sample::new(Shape::of(&[1, 2, 2]), &mut values).with_range(-1.0, 1.0);
    sample.warp(Affine::shift(1.0, 0.0));
    assert_eq!(values, [-1.0, -1.0, -1.0, -0.5]);
    let mut values = vec![f32::NAN, 3.0];
    let mut sample = Sample::new(Shape::of(&[2]), &mut values).with_range(0.0, 1.0);
    sample.clamp();
    assert!(values[0].is_nan() && (values[1] - 1.0).abs() == 0.0);
}

/// The erased values are a rectangle of at most the given size, whose center is any pixel.
#[test]
fn cutout_erases_a_square() {
    let (height, width, size) = (6, 8, 4);
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..4800 {
        let mut values = vec![1.0; 2 * height * width];
        let channels = [(5.0, 1.0), (7.0, 1.0)];
        let mut sample = Sample::new(Shape::of(&[2, height, width]), &mut values).with_channels(&channels);
        Augment::apply(&Cutout { size }, &mut sample, &mut rng(number));
        let erased: Vec<_> = (0..height * width).filter(|place| values[*place] != 1.0).collect();
        assert!(erased.iter().all(|place| values[*place] == 5.0 && values[height * width + place] == 7.0));
        assert_eq!(values[height * width..].iter().filter(|value| **value != 1.0).count(), erased.len());
        let rows: std::collections::BTreeSet<_> = erased.iter().map(|place| place / width).collect();
        let columns: std::collections::BTreeSet<_> = erased.iter().map(|place| place % width).collect();
        assert_eq!(rows.len() * columns.len(), erased.len(), "a rectangle");
        *counts
            .entry((rows.first().copied(), rows.len(), columns.first().copied(), columns.len()))
            .or_insert(0) += 1;
    }
    // 48 centers. Of those, each row gives another range of rows: half of the size before it, half from it on.
    assert_eq!(counts.len(), 48, "{counts:?}");
    // Five standard deviations of sqrt(100 * 47 / 48).
    assert!(counts.values().all(|count: &i32| (count - 100).abs() < 50), "{counts:?}");
    assert!(counts.contains_key(&(Some(0), 2, Some(0), 2)) && counts.contains_key(&(Some(2), 4, Some(4), 4)));
}

#[test]
fn time_mask_erases_consecutive_steps_of_all_channels() {
    let (length, steps) = (10, 3);
    let mut counts = vec![0; steps + 1];
    let mut starts = vec![0; length];
    for number in 0..4000 {
        let mut values = vec![1.0; 2 * length];
        let channels = [(5.0, 1.0), (7.0, 1.0)];
        let mut sample = Sample::new(Shape::of(&[2, length]), &mut values).with_channels(&channels);
        Augment::apply(&TimeMask { steps }, &mut sample, &mut rng(number));
        let erased: Vec<_> = (0..length).filter(|step| values[*step] == 5.0).collect();
        assert!((0..length).all(|step| (values[length + step] == 7.0) == erased.contains(&step)));
        assert!(erased.windows(2).all(|pair| pair[1] == pair[0] + 1));
        counts[erased.len()] += 1;
        if erased.len() == 1 {
            starts[erased[0]] += 1;
        }
    }
    // Five standard deviations of sqrt(4000 * 3 / 16), and of sqrt(1000 / 10).
    assert!(counts.iter().all(|count: &i32| (count - 1000).abs() < 138), "{counts:?}");
    assert!(starts.iter().all(|count: &i32| (count - 100).abs() < 50), "{starts:?}");
}

/// The deviation of n normal values varies by itself / sqrt(2 n), and their mean by itself / sqrt(n); five of them.
#[test]
fn noise_is_relative_to_the_deviation_of_the_channel() {
    const COUNT: usize = 20_000;
    let mut values = vec![3.0_f32; 2 * COUNT];
    let channels = [(0.0, 2.0), (0.0, 50.0)];
    let mut sample = Sample::new(Shape::of(&[2, COUNT]), &mut values).with_channels(&channels);
    Augment::apply(&GaussianNoise { std: 0.1 }, &mut sample, &mut rng(0));
    for (channel, expected) in values.chunks(COUNT).zip([0.2, 5.0]) {
        let mean = channel.iter().map(|value| f64::from(*value) - 3.0).sum::<f64>() / COUNT as f64;
        let variance =
            channel.iter().map(|value| (f64::from(*value) - 3.0 - mean).powi(2)).sum::<f64>() / COUNT as f64;
        assert!(mean.abs() < 5.0 * expected / (COUNT as f64).sqrt(), "{mean}");
        assert!((variance.sqrt() / expected - 1.0).abs() < 5.0 / (2.0 * COUNT as f64).sqrt(), "{variance}");
    }
}

/// Two operations of strength 0.3 of torchvision's largest.
#[test]
fn rand_augment_applies_operations_of_its_strength() {
    let one = RandAugment { n: 1, magnitude: 9.0 };
    let mut seen = std::collections::BTreeMap::new();
    for sample in 0..1600 {
        let [center, down, right] = source(&one, sample);
        let moved = |rows: f32, columns: f32| is_close(center, [CENTER + rows, CENTER + columns]);
        let (shift, shear) = (150.0 / 331.0 * 0.3 * 9.0, 0.09);
        let (sine, cosine) = 9.0_f32.to_radians().sin_cos();
        let is_straight = is_close(down, [1.0, 0.0]) && is_close(right, [0.0, 1.0]);
        let is = |a: [f32; 2], b: [f32; 2]| moved(0.0, 0.0) && is_close(down, a) && is_close(right, b);
        let operation = if is_straight && (moved(0.0, shift) || moved(0.0, -shift)) {
            "shift across"
        } else if is_straight && (moved(shift, 0.0) || moved(-shift, 0.0)) {
            "shift along"
        } else if is([1.0, shear], [0.0, 1.0]) || is([1.0, -shear], [0.0, 1.0]) {
            "shear across"
        } else if is([1.0, 0.0], [shear, 1.0]) || is([1.0, 0.0], [-shear, 1.0]) {
            "shear along"
        } else if is([cosine, sine], [-sine, cosine]) || is([cosine, -sine], [sine, cosine]) {
            "rotate"
        } else if is_straight && moved(0.0, 0.0) {
            "none"
        } else if [0.73, 1.27]
            .iter()
            .any(|factor| is_close(down, [*factor, 0.0]) && is_close(center, [4.0 * factor; 2]))
        {
            "brightness"
        } else if [0.73, 1.27]
            .iter()
            .any(|factor| is_close(down, [*factor, 0.0]) && is_close(center, [4.0; 2]))
        {
            "contrast"
        } else {
            panic!("{center:?} {down:?} {right:?}")
        };
        *seen.entry(operation).or_insert(0) += 1;
    }
    // Five standard deviations of sqrt(1600 / 8 * 7 / 8).
    assert!(seen.len() == 8 && seen.values().all(|count: &i32| (count - 200).abs() < 67), "{seen:?}");
}

#[test]
fn ranges_of_keys_are_checked() {
    let said = |rule: &dyn Setting| rule.validate().unwrap_err().as_str().to_owned();
    assert!(said(&FlipHorizontal { p: 1.5 }).contains("p is 1.5; expected 0 <= p <= 1"));
    assert!(said(&FlipVertical { p: f64::NAN }).contains("p is NaN"));
    assert!(said(&RandomCrop { padding: 0 }).contains("padding is 0"));
    assert!(said(&Shift { pixels: -1.0 }).contains("pixels is -1"));
    assert!(said(&Scale { from: 0.0, to: 1.0 }).contains("from is 0"));
    assert!(
        said(&Scale { from: 1.2, to: 0.8 }).contains("to is 0.8; expected a factor of at least `from`, 1.2")
    );
    assert!(said(&Rotate { degrees: 200.0 }).contains("degrees is 200"));
    assert!(said(&Brightness { by: 0.0 }).contains("by is 0"));
    assert!(said(&Contrast { by: f64::INFINITY }).contains("by is inf"));
    assert!(said(&ColorJitter::DEFAULT).contains("all keys are 0"));
    assert!(said(&ColorJitter { contrast: -0.1, ..ColorJitter::DEFAULT }).contains("contrast is -0.1"));
    assert!(said(&Cutout { size: 0 }).contains("size is 0"));
    assert!(said(&GaussianNoise { std: 0.0 }).contains("std is 0"));
    assert!(said(&TimeMask { steps: 0 }).contains("steps is 0"));
    assert!(said(&RandAugment { n: 0, magnitude: 9.0 }).contains("n is 0"));
    assert!(
        said(&RandAugment { n: 1, magnitude: 31.0 })
            .contains("magnitude is 31; expected 0 < magnitude <= 30")
    );
}
