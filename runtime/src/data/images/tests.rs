#![expect(clippy::float_cmp, reason = "these numbers are exact")]

use std::path::Path;

use png::ColorType;

use super::*;
use crate::data::{Dataset, PreparedDataset};
use crate::shape;

/// Writes a PNG file of these pixels.
fn save(path: &Path, [rows, columns]: [u32; 2], color: ColorType, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), columns, rows);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

/// A folder of two classes with three images of 2 rows and 4 columns.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (class, name) in [("b", "1.png"), ("a", "2.PNG"), ("a", "10.png")] {
        std::fs::create_dir_all(folder.path().join(class)).unwrap();
        let shade = name.as_bytes()[0];
        let pixels: Vec<u8> = (0..8).flat_map(|place| [shade, place % 4 * 10, place / 4 * 100]).collect();
        save(&folder.path().join(class).join(name), [2, 4], ColorType::Rgb, &pixels);
    }
    folder
}

fn values<I, T>(data: &ImageFiles<I, T>, index: usize) -> (Vec<f32>, u32)
where
    I: InputKind + Kind<Element = f32>,
    T: TargetKind + Kind<Element = u32>,
{
    let (mut input, mut target) = (vec![0.0; I::SHAPE.elements()], [9]);
    data.sample(index, &mut input, &mut target).unwrap();
    (input.iter().map(|value| value * 255.0).collect(), target[0])
}

/// The error of opening a folder, without the folder's name.
fn problem(folder: &Path, change: impl FnOnce(ImageFolder) -> ImageFolder) -> String {
    let data = change(ImageFolder::open(folder)).read::<shape::Image<3, 2, 4>, shape::Class<2>>();
    data.unwrap_err().to_string().replace(&format!("{}/", folder.display()), "")
}

#[test]
fn folders_are_classes_and_channels_are_planes() {
    let folder = folder();
    std::fs::write(folder.path().join("README.txt"), "").unwrap();
    std::fs::write(folder.path().join("a/.hidden"), "").unwrap();
    for on_demand in [false, true] {
        let reader = ImageFolder::open(folder.path());
        let reader = if on_demand { reader.on_demand() } else { reader };
        let data = reader.read::<shape::Image<3, 2, 4>, shape::Class<2>>().unwrap();
        assert_eq!((data.len(), data.classes()), (3, ["a".to_owned(), "b".to_owned()].as_slice()));
        assert_eq!((data.class_names(0), data.class_names(1)), (data.classes(), [].as_slice()));
        assert!(data.location(0).unwrap().ends_with("a/10.png"));
        let (image, class) = values(&data, 1);
        assert_eq!(class, 0);
        let shade = f32::from(b'2');
        let columns = [0.0, 10.0, 20.0, 30.0];
        assert_eq!(image, [[shade; 4], [shade; 4], columns, columns, [0.0; 4], [100.0; 4]].concat());
        assert_eq!(values(&data, 2).1, 1);
        assert!(data.sample(3, &mut [0.0; 24], &mut [0]).is_err());
        PreparedDataset::new(
            Box::new(data.with_split(crate::data::Split::Random { validation: 0.0, test: 0.0 })),
            1,
        )
        .unwrap();
    }
}

#[test]
fn classes_of_whole_numbers_are_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["10", "9", "2"] {
        std::fs::create_dir(folder.path().join(class)).unwrap();
        save(&folder.path().join(class).join("x.png"), [1, 1], ColorType::Grayscale, &[0]);
    }
    let data = ImageFolder::open(folder.path()).read::<shape::Image<1, 1, 1>, shape::Class<3>>().unwrap();
    assert_eq!(data.classes(), ["2", "9", "10"]);
}

#[test]
fn channels_are_those_of_the_kind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("x")).unwrap();
    let path = folder.path().join("x/1.png");
    save(&path, [1, 1], ColorType::Rgba, &[100, 50, 200, 7]);
    let open = || ImageFolder::open(folder.path());
    let gray = open().read::<shape::Image<1, 1, 1>, shape::Class<1>>().unwrap();
    // 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05
    assert_eq!(values(&gray, 0).0, [82.0]);
    let color = open().read::<shape::Image<3, 1, 1>, shape::Class<1>>().unwrap();
    assert_eq!(values(&color, 0).0, [100.0, 50.0, 200.0]);
    let alpha = open().read::<shape::Image<4, 1, 1>, shape::Class<1>>().unwrap();
    assert_eq!(values(&alpha, 0).0, [100.0, 50.0, 200.0, 7.0]);
    let two = open().read::<shape::Image<2, 1, 1>, shape::Class<1>>().unwrap_err().to_string();
    assert!(two.contains("images of 1, 3 or 4 channels"), "{two}");
}

#[test]
fn images_are_resized_and_cropped() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("x")).unwrap();
    let pixels: Vec<u8> = (0..32).map(|place| place % 8 * 20).collect();
    save(&folder.path().join("x/1.png"), [4, 8], ColorType::Grayscale, &pixels);
    let open = || ImageFolder::open(folder.path());
    let center = open().crop().read::<shape::Image<1, 2, 2>, shape::Class<1>>().unwrap();
    assert_eq!(values(&center, 0).0, [60.0, 80.0, 60.0, 80.0]);
    let whole = open().resize(2, 4).read::<shape::Image<1, 2, 4>, shape::Class<1>>().unwrap();
    let (found, _) = values(&whole, 0);
    assert!(found[..4].is_sorted() && found[..4] == found[4..], "{found:?}");
    let shorter = open().resize_shorter(2).crop().read::<shape::Image<1, 2, 2>, shape::Class<1>>().unwrap();
    assert_eq!(values(&shorter, 0).0[0], found[1]);
}

#[test]
fn wrong_sizes_are_rejected() {
    let folder = folder();
    for (change, sentence) in [
        (
            (|reader| reader.resize(0, 4)) as fn(ImageFolder) -> ImageFolder,
            "data: `ImageFolder`: the images are resized to 0 by 4 pixels; expected at least 1 by 1 and at most 268435456 in all",
        ),
        (
            |reader| reader.resize(4, 4),
            "data: `ImageFolder`: `.resize(4, 4)` does not fit `Image<3, 2, 4>`; write `.resize(2, 4)`, or add `.crop()`",
        ),
        (
            |reader| reader.resize(1, 9).crop(),
            "data: `ImageFolder`: `.resize(1, 9)` is smaller than `Image<3, 2, 4>`, to which `.crop()` cuts; expected at least \
             `.resize(2, 4)`",
        ),
        (
            |reader| reader.resize_shorter(9),
            "data: `ImageFolder`: `.resize_shorter(9)` leaves the longer side as it is; add `.crop()`, or use `.resize(2, 4)`",
        ),
        (
            |reader| reader.resize_shorter(1).crop(),
            "data: `ImageFolder`: `.resize_shorter(1)` is smaller than `Image<3, 2, 4>`, to which `.crop()` cuts; expected at least \
             `.resize_shorter(2)`",
        ),
    ] {
        assert_eq!(problem(folder.path(), change), sentence);
    }
    save(&folder.path().join("b/2.png"), [5, 5], ColorType::Rgb, &[0; 75]);
    let sentence = "b/2.png: the image has 5 rows and 5 columns; expected 2 and 4, as in `Image<3, 2, 4>`; add `.resize(2, 4)`";
    assert_eq!(problem(folder.path(), |reader| reader), sentence);
    assert_eq!(problem(folder.path(), ImageFolder::on_demand), sentence);
}

#[test]
fn every_unreadable_file_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join("b/0.png"), "not an image").unwrap();
    assert_eq!(
        problem(folder.path(), |reader| reader),
        "b/0.png: the file is neither PNG nor JPEG; expected one of them"
    );
    let whole = std::fs::read(folder.path().join("a/10.png")).unwrap();
    std::fs::write(folder.path().join("b/3.png"), &whole[..whole.len() - 20]).unwrap();
    let said = problem(folder.path(), |reader| reader);
    assert!(
        said.starts_with("data: 2 of 5 images cannot be used: b/0.png: the file is neither PNG nor JPEG"),
        "{said}"
    );
    assert!(said.contains(". b/3.png: the image cannot be decoded ("), "{said}");
}

#[test]
fn folders_that_do_not_fit_are_rejected() {
    let folder = folder();
    let path = folder.path();
    let said =
        ImageFolder::open(path).read::<shape::Image<3, 2, 4>, shape::Class<5>>().unwrap_err().to_string();
    assert!(
        said.ends_with("the folder has 2 classes, but the kind is `Class<5>`; write `Class<2>`, and as many outputs in the model"),
        "{said}"
    );
    std::fs::write(path.join("a/notes.txt"), "").unwrap();
    assert_eq!(
        problem(path, |reader| reader),
        "a/notes.txt: this is not a PNG or JPEG file; expected only images there, so move it away"
    );
    std::fs::remove_file(path.join("a/notes.txt")).unwrap();
    std::fs::create_dir(path.join("c")).unwrap();
    assert_eq!(
        problem(path, |reader| reader),
        "c: the folder has no images; expected at least one of each class"
    );
    std::fs::remove_dir(path.join("c")).unwrap();
    save(&path.join("z.png"), [2, 4], ColorType::Rgb, &[0; 24]);
    assert_eq!(
        problem(path, |reader| reader),
        "z.png: the image is not in the folder of a class; expected it in one of them"
    );
    let empty = tempfile::tempdir().unwrap();
    assert!(
        problem(empty.path(), |reader| reader)
            .contains("the folder has no folders with images; expected one for each class")
    );
    assert!(problem(&empty.path().join("none"), |reader| reader).contains("No such file"));
}

#[test]
fn table_lists_files_and_classes() {
    let folder = folder();
    let table = folder.path().join("labels.csv");
    let listed = |text: &str| {
        std::fs::write(&table, text).unwrap();
        ImageFolder::open(folder.path())
            .listed_in(&table, "file", "kind")
            .read::<shape::Image<3, 2, 4>, shape::Class<2>>()
    };
    let data = listed("id,kind,file\n1,cat,b/1.png\n2,\"a, dog\",a/2.PNG\n3,cat,a/10.png\n").unwrap();
    assert_eq!(data.classes(), ["a, dog", "cat"]);
    assert_eq!([0, 1, 2].map(|index| values(&data, index).1), [1, 0, 1]);
    for (text, sentence) in [
        ("", "labels.csv: the table is empty; expected a line with the names of its columns"),
        ("file,kind\n", "labels.csv: no line of data; expected at least one image"),
        ("name,kind\n", "labels.csv:1: no column has the name `file`; found `name`, `kind`"),
        ("file,kind\nb/1.png\n", "labels.csv:2: 1 columns; expected 2, as in the header"),
        ("file,kind\nb/1.png,\n", "labels.csv:2: the cell of the column `kind` is empty; expected a text"),
        ("file,kind\n\nb/9.png,cat\n", "labels.csv:3: b/9.png: No such file or directory (os error 2)"),
        (
            "file,kind\nb/1.png,cat\n",
            "labels.csv: the table has 1 classes, but the kind is `Class<2>`; write `Class<1>`, and as many outputs in the model",
        ),
    ] {
        let said = listed(text).unwrap_err().to_string();
        assert_eq!(said.replace(&format!("{}/", folder.path().display()), ""), sentence);
    }
}

#[test]
fn decoding_stops_on_interruption() {
    let folder = folder();
    let interrupt = Interrupt::new();
    interrupt.request();
    let read = || ImageFolder::open(folder.path()).read::<shape::Image<3, 2, 4>, shape::Class<2>>();
    assert!(matches!(interrupt.during(read), Err(Error::Interrupted(_))));
}
