//! Images that Pillow has written: gray, with alpha, a palette, one and 16 bits, progressive, and in each orientation. Expected are the
//! pixels that it reads.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use serde_json::Value;
use trainspec::prelude::*;

use super::file::parse;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden/images", name].iter().collect()
}

/// A folder of one class with this image.
fn folder(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("class")).unwrap();
    std::fs::copy(path(name), folder.path().join("class").join(name)).unwrap();
    folder
}

/// The values of the only image, as bytes in the order of Pillow: row by row, the channels of a pixel next to each other.
fn pixels(data: &impl trainspec::data::AnyDataset) -> Vec<f32> {
    let batch = data.batch(&[0]).unwrap();
    let trainspec::data::Numbers::Float(values) = batch.inputs[0].sample(0) else {
        panic!("an image has real values")
    };
    let channels = batch.inputs[0].shape.axis(0);
    let plane = values.len() / channels;
    (0..values.len()).map(|place| values[place % channels * plane + place / channels] * 255.0).collect()
}

fn numbers(json: &Value) -> Vec<f32> {
    match json {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// The largest difference of two lists of the same length.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max)
}

#[test]
fn images_have_the_pixels_that_pillow_reads() {
    let golden = parse(include_str!("images/pixels.json"));
    for name in [
        "color.png",
        "gray.png",
        "alpha.png",
        "palette.png",
        "bits.png",
        "deep.png",
        "color.jpg",
        "gray.jpg",
        "progressive.jpg",
    ] {
        let folder = folder(name);
        let data = ImageFolder::open(folder.path()).read::<Image<3, 12, 20>, Class<1>>().unwrap();
        // Decoders of JPEG round differently: by up to 1 in the cosine transform, and up to 2 more in the conversion from YCbCr.
        let most = if name.contains("jpg") { 3.0 } else { 1e-3 };
        let found = difference(&pixels(&data), &numbers(&golden[name]));
        assert!(found <= most, "{name}: {found}");
    }
    let folder = folder("color.png");
    let gray = ImageFolder::open(folder.path()).read::<Image<1, 12, 20>, Class<1>>().unwrap();
    // Pillow rounds the weights to 16 bits.
    assert!(difference(&pixels(&gray), &numbers(&golden["gray of color.png"])) <= 1.0 + 1e-3);
}

#[test]
fn orientations_are_those_of_pillow() {
    let golden = parse(include_str!("images/pixels.json"));
    for orientation in 1..=8 {
        let name = format!("turned_{orientation}.jpg");
        let folder = folder(&name);
        let open = ImageFolder::open(folder.path());
        let found = match orientation {
            1..=4 => pixels(&open.read::<Image<3, 12, 20>, Class<1>>().unwrap()),
            _ => pixels(&open.read::<Image<3, 20, 12>, Class<1>>().unwrap()),
        };
        let found = difference(&found, &numbers(&golden[&name]));
        assert!(found <= 3.0, "{name}: {found}");
    }
}

#[test]
fn scaled_images_are_those_of_pillow() {
    let golden = parse(include_str!("images/pixels.json"));
    let folder = folder("color.png");
    macro_rules! scaled {
        ($rows:literal, $columns:literal) => {
            let data = ImageFolder::open(folder.path()).resize($rows, $columns);
            let data = data.read::<Image<3, $rows, $columns>, Class<1>>().unwrap();
            let name = concat!("color.png as ", $rows, " by ", $columns);
            // Pillow rounds to bytes after each of the two passes.
            let found = difference(&pixels(&data), &numbers(&golden[name]));
            assert!(found <= 1.0 + 1e-3, "{name}: {found}");
        };
    }
    scaled!(5, 7);
    scaled!(6, 10);
    scaled!(12, 9);
    scaled!(30, 41);
}
