use super::*;
use crate::config::{Config, Setting};
use crate::data::{Dataset, Elements, InMemory, Normalization, PreparedDataset, SampleRng, Split};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::{Class, ClassMap, Features, Image, Tokens, Values};

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
    assert!(starts.iter().all(|count: &i32| (count - 100).abs() < 60), "{starts:?}");
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

fn prepared<D: Dataset>(data: D) -> PreparedDataset {
    let count = data.len();
    PreparedDataset::new(
        Box::new(data.with_split(Split::Fixed { train: 0..count, validation: 0..0, test: 0..0 })),
        1,
    )
    .unwrap()
}

fn reals(column: &crate::data::BatchTensor) -> &[f32] {
    match &column.elements {
        Elements::Float(values) => values,
        Elements::Int(_) => panic!("real values"),
    }
}

fn images() -> InMemory<Image<1, 4, 4>, Class<2>> {
    let values = (0..20 * 16).map(|place| (place * 37 % 101) as f32 / 101.0).collect();
    InMemory::new(values, [0, 1].repeat(10)).unwrap()
}

fn rules() -> Vec<Box<dyn AnyAugment>> {
    vec![
        Box::new(RandomCrop { padding: 1 }),
        Box::new(FlipHorizontal),
        Box::new(GaussianNoise { std: 0.1 }),
        Box::new(RandAugment),
    ]
}

/// Seen to fail when draws depend on the place in the batch.
#[test]
fn draws_do_not_depend_on_batches() {
    let data = prepared(images().with_normalization(Normalization::Whole));
    let rules = rules();
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let order = data.order(3, 2);
    let whole = data.augmented(&order, &augmentation, 2, 0).unwrap();
    for size in [1, 3, 7] {
        let batches = order.chunks(size).enumerate();
        let parts =
            batches.map(|(batch, indices)| data.augmented(indices, &augmentation, 2, batch * size).unwrap());
        let values: Vec<f32> = parts.flat_map(|batch| reals(&batch.inputs[0]).to_vec()).collect();
        assert_eq!(values, reals(&whole.inputs[0]), "batches of {size}");
    }
    assert_ne!(
        reals(&data.augmented(&order, &augmentation, 3, 0).unwrap().inputs[0]),
        reals(&whole.inputs[0])
    );
    let other = Augmentation::new(&rules, 4, &data, &[None]).unwrap();
    assert_ne!(reals(&data.augmented(&order, &other, 2, 0).unwrap().inputs[0]), reals(&whole.inputs[0]));
    // A sample that is drawn twice is changed in two ways.
    let twice = data.augmented(&[5, 5], &augmentation, 1, 0).unwrap();
    let (first, second) = reals(&twice.inputs[0]).split_at(16);
    assert_ne!(first, second);
}

/// Padding is 0 before the normalization, and the statistics are those of the unchanged samples.
#[test]
fn rules_see_values_before_normalization() {
    let data = prepared(images().with_normalization(Normalization::Whole));
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(RandomCrop { padding: 3 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let normalizer = data.normalizers().of(0).unwrap();
    let mut black = [0.0];
    normalizer.apply(&mut black);
    let batch = data.augmented(&(0..20).collect::<Vec<_>>(), &augmentation, 1, 0).unwrap();
    let unchanged = data.batch(&(0..20).collect::<Vec<_>>()).unwrap();
    let known = |value: &f32| reals(&unchanged.inputs[0]).contains(value) || *value == black[0];
    assert!(reals(&batch.inputs[0]).iter().all(known));
    assert!(reals(&batch.inputs[0]).iter().filter(|value| **value == black[0]).count() > 50);
}

#[test]
fn missing_and_unscaled_elements_stay() {
    struct Table;
    impl Dataset for Table {
        type Input = Features<3>;
        type Target = Values<1>;
        fn len(&self) -> usize {
            12
        }
        fn sample(&self, index: usize, input: &mut [f32], target: &mut [f32]) -> crate::Result<()> {
            let missing = if index.is_multiple_of(3) { f32::NAN } else { index as f32 };
            input.copy_from_slice(&[missing, (index % 2) as f32, 100.0 * index as f32]);
            target.fill(0.0);
            Ok(())
        }
        fn normalization(&self) -> Normalization {
            Normalization::PerElement
        }
        fn missing_elements(&self, _: usize) -> &[usize] {
            &[0]
        }
        fn unscaled_elements(&self, _: usize) -> &[usize] {
            &[1]
        }
    }
    let data = prepared(Table);
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(GaussianNoise { std: 0.01 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let all: Vec<_> = (0..12).collect();
    let (before, after) = (data.batch(&all).unwrap(), data.augmented(&all, &augmentation, 1, 0).unwrap());
    let samples = reals(&before.inputs[0]).chunks(3).zip(reals(&after.inputs[0]).chunks(3));
    for (index, (before, after)) in samples.enumerate() {
        assert_eq!(
            before[0] == after[0],
            index % 3 == 0,
            "a missing value is the mean, 0 after normalization"
        );
        assert_eq!(before[1], after[1], "a category");
        // Five standard deviations.
        assert!(before[2] != after[2] && (before[2] - after[2]).abs() < 0.05);
    }
}

/// Each pixel of the image is the class of its target, so the two must stay equal.
#[test]
fn maps_of_classes_move_with_their_image() {
    let classes: Vec<u32> = (0..6 * 64).map(|place| 1 + place * 7 % 4).collect();
    let values = classes.iter().map(|class| *class as f32).collect();
    let data = InMemory::<Image<1, 8, 8>, ClassMap<5, 8, 8>>::new(values, classes).unwrap();
    let data = prepared(data);
    let all: Vec<_> = (0..6).collect();
    let rules: [Box<dyn AnyAugment>; 3] =
        [Box::new(FlipHorizontal), Box::new(FlipVertical), Box::new(RandomCrop { padding: 2 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[Some(0)]).unwrap();
    let batch = data.augmented(&all, &augmentation, 1, 0).unwrap();
    let Elements::Int(classes) = &batch.targets[0].elements else { panic!("classes") };
    let expected: Vec<u32> = reals(&batch.inputs[0]).iter().map(|value| *value as u32).collect();
    assert_eq!(*classes, expected);
    assert!(classes.contains(&0) && *classes != expected_of(&data, &all));
    let problem = |rule: &dyn AnyAugment, ignored| {
        Augmentation::new(&[rule.boxed()], 3, &data, &[ignored]).unwrap_err().to_string()
    };
    assert!(
        problem(&Rotate { degrees: 5.0 }, None)
            .contains("augment.0: Rotate: it moves pixels into the image, whose class")
    );
    assert!(Augmentation::new(&[Box::new(FlipHorizontal) as _], 3, &data, &[None]).is_ok());
    // Nearest pixels, with classes of the original or the filled one only.
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(Rotate { degrees: 45.0 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[Some(77)]).unwrap();
    let batch = data.augmented(&all, &augmentation, 1, 0).unwrap();
    let Elements::Int(classes) = &batch.targets[0].elements else { panic!("classes") };
    assert!(classes.iter().all(|class| (1..5).contains(class) || *class == 77) && classes.contains(&77));
}

fn expected_of(data: &PreparedDataset, all: &[usize]) -> Vec<u32> {
    match data.batch(all).unwrap().targets.remove(0).elements {
        Elements::Int(classes) => classes,
        Elements::Float(_) => panic!("classes"),
    }
}

#[test]
fn rules_that_do_not_fit_are_rejected() {
    fn problem<D: Dataset>(rule: &dyn AnyAugment, data: D) -> String {
        let ignored = vec![None; 2];
        Augmentation::new(&[rule.boxed()], 1, &prepared(data), &ignored).unwrap_err().to_string()
    }
    let table = || InMemory::<Features<4>, Class<2>>::new(vec![0.5; 40], [0, 1].repeat(5)).unwrap();
    assert_eq!(
        problem(&FlipHorizontal, table()),
        "augment.0: FlipHorizontal: the input is [4]; expected an image [channels, height, width], or use `GaussianNoise`"
    );
    let text = InMemory::<Tokens<9, 4>, Class<2>>::new(vec![1; 40], [0, 1].repeat(5)).unwrap();
    assert!(problem(&GaussianNoise { std: 0.1 }, text).contains("holds tokens, which cannot be augmented"));
    assert!(
        problem(&RandomCrop { padding: 4 }, images()).contains("expected less than its height and width")
    );
    assert!(problem(&Shift { pixels: 4.0 }, images()).contains("expected less than its height and width"));
    assert!(problem(&Cutout { size: 5 }, images()).contains("expected at most its height and width"));
    let color = ColorJitter { saturation: 0.1, ..ColorJitter::DEFAULT };
    assert!(problem(&color, images()).contains("has no colors; expected three channels"));
    let pairs = || {
        let inputs = (vec![0.5; 160], (0..40).map(|place| place as f32).collect());
        InMemory::<(Image<1, 4, 4>, Features<4>), Class<2>>::new(inputs, [0, 1].repeat(5)).unwrap()
    };
    assert!(
        problem(&FlipHorizontal, pairs())
            .contains("the model has 2 inputs; expected a tuple with a list for each")
    );
    assert!(
        problem(&crate::metric::On::<2, _>(FlipHorizontal), pairs())
            .contains("in list 3, but the model has 2 inputs")
    );
    assert!(problem(&crate::metric::On::<1, _>(FlipHorizontal), pairs()).contains("the input is [4]"));
    // Only the second input changes.
    let data = prepared(pairs());
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(crate::metric::On::<1, _>(GaussianNoise { std: 0.1 }))];
    let augmentation = Augmentation::new(&rules, 1, &data, &[None]).unwrap();
    let (before, after) = (data.batch(&[3]).unwrap(), data.augmented(&[3], &augmentation, 1, 0).unwrap());
    assert_eq!(reals(&before.inputs[0]), reals(&after.inputs[0]));
    assert_ne!(reals(&before.inputs[1]), reals(&after.inputs[1]));
}

#[test]
fn rule_with_infinite_results_is_reported() {
    let data = prepared(InMemory::<Features<1>, Values<1>>::new(vec![0.0, 1.0], vec![0.0; 2]).unwrap());
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(GaussianNoise { std: 1e300 })];
    let augmentation = Augmentation::new(&rules, 1, &data, &[None]).unwrap();
    let problem = data.augmented(&[1, 0], &augmentation, 1, 0).unwrap_err().to_string();
    assert!(problem.contains("after the augmentation; expected rules whose results are finite"), "{problem}");
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
