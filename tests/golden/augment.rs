//! Affine transformations and colors of augmented images, compared with PyTorch.

use trainspec::Shape;
use trainspec::data::augment::{Affine, Sample};

use super::file::{numbers, parse, singles};

/// Both compute in f64 and round once to f32; the position of a pixel has an error of about 1e-15.
fn agrees(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(*found) - expected).abs();
        let rounding = 0.5 * f64::from(f32::EPSILON) * expected.abs();
        assert!(difference <= rounding + 1e-12, "{what}, element {place}: {found} and {expected}");
    }
}

#[test]
fn moved_images_and_maps_match_pytorch() {
    let file = parse(include_str!("augment.json"));
    let mut count = 0;
    for case in file["cases"].as_array().unwrap() {
        let axes: Vec<usize> = numbers(&case["axes"]).iter().map(|axis| *axis as usize).collect();
        let classes: Vec<u32> = numbers(&case["classes"]).iter().map(|class| *class as u32).collect();
        for moved in case["moves"].as_array().unwrap() {
            let (name, by) = (moved["move"].as_str().unwrap(), numbers(&moved["by"]));
            let affine = match name {
                "rotation" => Affine::rotation(by[0]),
                "scale" => Affine::scale(by[0]),
                "shift" => Affine::shift(by[0], by[1]),
                _ => Affine::shear(by[0], by[1]),
            };
            let (mut values, mut map) = (singles(&case["image"]), classes.clone());
            Sample::new(Shape::of(&axes), &mut values).with_map(&mut map, Some(0)).warp(affine);
            agrees(&values, &numbers(&moved["values"]), &format!("{name} by {by:?} of {axes:?}"));
            let expected: Vec<u32> = numbers(&moved["classes"]).iter().map(|class| *class as u32).collect();
            assert_eq!(map, expected, "{name} by {by:?} of {axes:?}");
            count += 1;
        }
    }
    assert_eq!(count, 36);
}

#[test]
fn colors_match_formulas_of_torchvision() {
    let file = parse(include_str!("augment.json"));
    let mut count = 0;
    for case in file["cases"].as_array().unwrap() {
        let axes: Vec<usize> = numbers(&case["axes"]).iter().map(|axis| *axis as usize).collect();
        for color in case["colors"].as_array().unwrap() {
            let (name, factor) = (color["change"].as_str().unwrap(), color["factor"].as_f64().unwrap());
            let mut values = singles(&case["image"]);
            let mut image = Sample::new(Shape::of(&axes), &mut values).with_range(0.0, 1.0);
            match name {
                "brightness" => image.adjust_brightness(factor),
                "contrast" => image.adjust_contrast(factor),
                _ => image.adjust_saturation(factor),
            }
            agrees(&values, &numbers(&color["values"]), &format!("{name} by {factor} of {axes:?}"));
            count += 1;
        }
    }
    assert_eq!(count, 21);
}
