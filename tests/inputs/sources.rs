//! Text, vocabularies, time series, arrays and images.

use std::path::Path;

use proptest::prelude::*;
use trainspec::data::{Npy, Text, Vocabulary, Windows};
use trainspec::prelude::*;

use super::campaign::{Campaign, Work, scratch};
use super::edit::{edited, edits};
use super::tables::{file, packed, packing};
use crate::meter::metered;

const MIB: usize = 1 << 20;

/// Reads every sample.
fn all(data: &impl trainspec::data::AnyDataset) -> Result<(), String> {
    for index in 0..data.len() {
        data.batch(&[index]).map_err(|error| error.to_string())?;
        let _ = data.location(index);
    }
    Ok(())
}

#[test]
fn random_texts_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("text");
    let text = "The cat sat on the mat.\n\nThe caf\u{e9} was \u{1f600} closed.\r\n".repeat(8);
    let campaign = Campaign { target: "text", cases: 3000, each: 8, besides: 1 << 19 };
    campaign.run(
        &(edits(), packing(), 0..4_u8, 1..9_usize),
        |(edits, how, reader, stride)| -> Work<'static> {
            let (bytes, size) = file(text.as_bytes(), &edits, how);
            std::fs::write(&path, bytes).unwrap();
            let text = Text::open(&path).stride(stride);
            let work = move || match reader {
                0 => all(&text.bytes().read::<Tokens<256, 4>>().map_err(|error| error.to_string())?),
                1 => all(&text
                    .bytes()
                    .documents("\n\n")
                    .read::<Tokens<256, 4>>()
                    .map_err(|error| error.to_string())?),
                2 => all(&text.read::<Tokens<20, 4>>().map_err(|error| error.to_string())?),
                _ => all(&text.documents("t").read::<Tokens<20, 4>>().map_err(|error| error.to_string())?),
            };
            (size, Box::new(work))
        },
    );
}

/// Decompression bombs, and a text of which each letter is a document.
#[test]
fn oversized_texts_stay_within_memory_bound() {
    let folder = scratch();
    let path = folder.path().join("text");
    let read = |bytes: &[u8], separator: &str| {
        std::fs::write(&path, bytes).unwrap();
        let text = Text::open(&path).documents(separator);
        let (outcome, peak) = metered(|| text.read::<Tokens<2, 4>>().map(|_| ()));
        (outcome.map_err(|error| error.to_string()), peak)
    };
    let (outcome, peak) = read(&b"ab".repeat(MIB), "b");
    assert!(outcome.unwrap_err().contains("the text has 1 characters") && peak < 8 * MIB, "{peak}");
    let (outcome, peak) = read(&packed(&b"abc".repeat(4 * MIB)), "c");
    assert!(
        outcome.unwrap_err().contains("the longest document has 2 characters") && peak < 40 * MIB,
        "{peak}"
    );
    let (outcome, peak) = read(&packed(&b"ab".repeat(4 * MIB)), "c");
    assert!(outcome.is_ok() && peak < 40 * MIB, "{peak}");
}

#[test]
fn random_vocabularies_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("tokenizer.json");
    let model = |model: &str| {
        format!(
            "{{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{{\"id\":5,\"content\":\"<end>\",\
             \"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}}],\"normalizer\":null,\
             \"pre_tokenizer\":{{\"type\":\"Whitespace\"}},\"post_processor\":null,\"decoder\":null,\"model\":{model}}}"
        )
    };
    let files = [
        "{\"characters\":\"\\n abc\"}".to_owned(),
        model(
            "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\
             \"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{\"l\":0,\"a\":1,\"b\":2,\"la\":3,\"lab\":4},\"merges\":[\"l \
             a\",\"la b\"]}",
        ),
        model("{\"type\":\"WordLevel\",\"vocab\":{\"la\":0,\"lab\":1,\"?\":2},\"unk_token\":\"?\"}"),
    ];
    // The tokenizer's own caches and tables come on top of its file.
    let campaign = Campaign { target: "vocabulary", cases: 3000, each: 256, besides: 4 << 20 };
    campaign.run(&(0..files.len(), edits()), |(number, edits)| -> Work<'static> {
        let bytes = edited(files[number].as_bytes(), &edits);
        std::fs::write(&path, &bytes).unwrap();
        let path = path.clone();
        let work = move || {
            let vocabulary = Vocabulary::open(&path)?;
            let _ = vocabulary.names();
            let tokens = vocabulary.encode("la lab<end>a")?;
            vocabulary.decode(&tokens)?;
            vocabulary.decode(&[0, u32::MAX]).map(|_| ())
        };
        (
            bytes.len(),
            Box::new(move || work().map_err(|error: trainspec::Error| error.to_string()).or_else(expected)),
        )
    });
}

/// A number above all tokens is the expected error of a vocabulary that was read.
fn expected(error: String) -> Result<(), String> {
    if error.contains("4294967295") { Ok(()) } else { Err(error) }
}

#[test]
fn random_series_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("series.csv");
    let rows = (0..40).map(|row| format!("2024-01-{row},{},{row}.5,-{row}e-3\r\n", row % 3));
    let table = format!("day,place,load,wind\n{}", rows.collect::<Vec<_>>().concat());
    let campaign = Campaign { target: "series", cases: 3000, each: 128, besides: 1 << 17 };
    campaign.run(
        &(edits(), packing(), any::<bool>(), 1..4_usize),
        |(edits, how, is_divided, stride)| -> Work<'static> {
            let (bytes, size) = file(table.as_bytes(), &edits, how);
            std::fs::write(&path, bytes).unwrap();
            let windows = Windows::open(&path).inputs(["load", "wind"]).target("wind").stride(stride);
            let windows = if is_divided { windows.series("place") } else { windows };
            let work =
                move || all(&windows.read::<Series<2, 3>, Values<2>>().map_err(|error| error.to_string())?);
            (size, Box::new(work))
        },
    );
}

/// An array as NumPy writes it.
fn array(values: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{values}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\0".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), bytes].concat()
}

type Rows = Npy<Features<3>, Class<4>>;

#[test]
fn random_arrays_do_not_panic() {
    let folder = scratch();
    let (x, y) = (folder.path().join("x.npy"), folder.path().join("y.npy"));
    let values: Vec<u8> = (0..90_u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    let (inputs, targets) = (array("<f4", "(30, 3)", &values), array("|u1", "(30,)", &[2; 30]));
    let campaign = Campaign { target: "npy", cases: 3000, each: 8, besides: 1 << 18 };
    campaign.run(&(edits(), edits(), packing(), 0..3_u8), |(of_x, of_y, how, which)| -> Work<'static> {
        let (inputs, of_inputs) =
            if which == 1 { (inputs.clone(), inputs.len()) } else { file(&inputs, &of_x, how) };
        let (targets, of_targets) =
            if which == 0 { (targets.clone(), targets.len()) } else { file(&targets, &of_y, how) };
        std::fs::write(&x, inputs).unwrap();
        std::fs::write(&y, targets).unwrap();
        let (x, y) = (x.clone(), y.clone());
        let work = move || all(&Rows::read(x, y).map_err(|error| error.to_string())?);
        (of_inputs + of_targets, Box::new(work))
    });
}

#[test]
fn random_archives_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("x.npz");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/arrays");
    let files = ["stored.npz", "compressed.npz"].map(|name| std::fs::read(golden.join(name)).unwrap());
    let campaign = Campaign { target: "npz", cases: 3000, each: 1100, besides: 1 << 18 };
    campaign.run(&(0..2_usize, edits()), |(number, edits)| -> Work<'static> {
        let bytes = edited(&files[number], &edits);
        std::fs::write(&path, &bytes).unwrap();
        let path = path.clone();
        let read = move || Npy::<Image<1, 2, 3>, Class<3>>::read_npz(path, "x", "y");
        (bytes.len(), Box::new(move || all(&read().map_err(|error| error.to_string())?)))
    });
}
#[test]
fn random_images_do_not_panic() {
    let folder = scratch();
    let class = folder.path().join("class");
    std::fs::create_dir(&class).unwrap();
    let path = class.join("x.png");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/images");
    let files = ["color.png", "palette.png", "progressive.jpg", "turned_6.jpg"]
        .map(|name| std::fs::read(golden.join(name)).unwrap());
    // A header may claim as much as a file of its size can hold.
    let campaign = Campaign { target: "images", cases: 1500, each: 3 * 1032 * 32, besides: 1 << 20 };
    let folder = folder.path().to_owned();
    campaign.run(&(0..files.len(), edits()), |(number, edits)| -> Work<'static> {
        let bytes = edited(&files[number], &edits);
        std::fs::write(&path, &bytes).unwrap();
        let reader = ImageFolder::open(&folder).on_demand().resize(8, 8);
        let read = move || reader.read::<Image<3, 8, 8>, Class<1>>();
        (bytes.len(), Box::new(move || all(&read().map_err(|error| error.to_string())?)))
    });
}
