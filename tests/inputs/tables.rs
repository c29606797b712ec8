//! Data files: CSV and IDX, plain and compressed.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use trainspec::data::{Csv, Idx};
use trainspec::prelude::*;

use super::campaign::{Campaign, Work, scratch};
use super::edit::{edited, edits};
use crate::meter::metered;

pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// The largest compression ratio of deflate.
const UNPACKED: usize = 1032;

/// The compression of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packed {
    No,
    /// The content is damaged, the compression is not.
    Whole,
    /// The compressed bytes are damaged.
    Damaged,
}

pub(super) fn packing() -> impl Strategy<Value = Packed> {
    prop_oneof![4 => Just(Packed::No), 1 => Just(Packed::Whole), 1 => Just(Packed::Damaged)]
}

/// Returns the file and its decompressed length.
pub(super) fn file(bytes: &[u8], edits: &[super::edit::Edit], how: Packed) -> (Vec<u8>, usize) {
    match how {
        Packed::No => {
            let bytes = edited(bytes, edits);
            (bytes.clone(), bytes.len())
        }
        Packed::Whole => {
            let bytes = edited(bytes, edits);
            (packed(&bytes), bytes.len())
        }
        Packed::Damaged => {
            let bytes = edited(&packed(bytes), edits);
            (bytes.clone(), UNPACKED * bytes.len())
        }
    }
}

fn table() -> Vec<u8> {
    let header = "length,width,\"a \"\"quoted\"\" name\",kind\n".to_owned();
    let rows = (0..40).map(|row| format!("{row}.5,-{row}e-3,\"{}\",{}\r\n", row * 7, row % 2));
    [header].into_iter().chain(rows).collect::<Vec<_>>().concat().into_bytes()
}

#[derive(Clone, Copy, Debug)]
struct Dress {
    header: bool,
    named: bool,
    ignoring: bool,
    delimiter: u8,
}

fn csv(path: &Path, dress: Dress) -> trainspec::Result<()> {
    let mut csv = Csv::open(path).delimiter(dress.delimiter);
    csv = if dress.header { csv.header() } else { csv.skip_lines(1) };
    if dress.named {
        csv = csv.target("kind");
    }
    if dress.ignoring {
        csv.ignore(1).read::<Features<2>, Class<2>>()?;
    } else {
        csv.read::<Features<3>, Class<2>>()?;
    }
    Ok(())
}

#[test]
fn random_csv_files_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("table.csv");
    let dress = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop_oneof![4 => Just(b','), 1 => Just(b'\n'), 1 => Just(b'"'), 1 => any::<u8>()],
    )
        .prop_map(|(header, named, ignoring, delimiter)| Dress { header, named, ignoring, delimiter });
    let table = table();
    let campaign = Campaign { target: "csv", cases: 4000, each: 128, besides: 1 << 17 };
    campaign.run(&(edits(), packing(), dress), |(edits, how, dress)| -> Work<'static> {
        let (bytes, size) = file(&table, &edits, how);
        std::fs::write(&path, bytes).unwrap();
        let path = path.clone();
        (size, Box::new(move || csv(&path, dress).map_err(|error| error.to_string())))
    });
}

/// A table with dates and groups, and a second one with the targets.
#[test]
fn random_joined_tables_do_not_panic() {
    let folder = scratch();
    let (x, y) = (folder.path().join("x"), folder.path().join("y"));
    let rows = |row: fn(u32) -> String| (0..40).map(row).collect::<String>();
    let samples = rows(|row| {
        format!("{row},2024-{:02}-{:02}T10:{row:02},p{},{row}.5\n", row % 12 + 1, row % 28 + 1, row % 7)
    });
    let samples = format!("id,when,patient,size\n{samples}").into_bytes();
    let targets = format!("kind,id\n{}", rows(|row| format!("{},\"{}\"\n", row % 2, 39 - row))).into_bytes();
    let campaign = Campaign { target: "joined csv", cases: 4000, each: 128, besides: 1 << 17 };
    campaign.run(&(edits(), edits(), packing(), 0..3_u8), |(of_x, of_y, how, which)| -> Work<'static> {
        let (samples, of_samples) =
            if which == 1 { (samples.clone(), samples.len()) } else { file(&samples, &of_x, how) };
        let (targets, of_targets) =
            if which == 0 { (targets.clone(), targets.len()) } else { file(&targets, &of_y, how) };
        std::fs::write(&x, samples).unwrap();
        std::fs::write(&y, targets).unwrap();
        let csv = Csv::open(&x).header().date("when").group("patient").targets_from(&y, "id");
        (
            of_samples + of_targets,
            Box::new(move || {
                csv.read::<Features<8>, Class<2>>().map(|_| ()).map_err(|error| error.to_string())
            }),
        )
    });
}

const MIB: usize = 1 << 20;

/// A row of four megabytes; a million columns, in a header too; an unclosed quotation mark; a decompression bomb of each kind.
#[test]
fn oversized_csv_files_are_rejected_within_memory_bound() {
    let folder = scratch();
    let path = folder.path().join("table.csv");
    let row = |bytes: &str, count: usize| bytes.repeat(count).into_bytes();
    let open = |count| [b"1,2,3,0\n\"".as_slice(), &row("1,2,3,0\n", count)].concat();
    for (name, bytes, each, besides, words) in [
        ("a long cell", row("1", 4 * MIB), 32, MIB, "1 columns; expected"),
        ("columns", row("1,", MIB), 128, MIB, "1048577 columns"),
        ("columns without an end", row(",", MIB), 128, MIB, "1048577 columns"),
        (
            "many names",
            [row("a,", MIB), b"\n".to_vec(), row("1,", MIB)].concat(),
            128,
            MIB,
            "1048577 columns",
        ),
        ("quotation marks", row("\"", 4 * MIB), 32, MIB, "columns; expected"),
        ("one quotation mark", open(MIB / 2), 128, MIB, "1 columns; expected"),
        ("zero bytes", row("\0", 4 * MIB), 32, MIB, "columns; expected"),
        ("a bomb of one row", packed(&row("0", 200 * MIB)), 0, 100 * MIB, "a row of more than"),
        ("a bomb behind a quotation mark", packed(&open(20 * MIB)), 0, 100 * MIB, "a row of more than"),
        ("a bomb of empty lines", packed(&row("\n", 20 * MIB)), 0, MIB, "bytes of empty lines"),
        ("a bomb of rows that are none", packed(&row("x\n", 20 * MIB)), 0, MIB, "columns; expected"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        for header in [false, true] {
            let read = || {
                let csv = Csv::open(&path);
                if header { csv.header().ignore("kind") } else { csv }.read::<Features<3>, Class<2>>()
            };
            let (outcome, peak) = metered(|| read().map(|_| ()));
            let problem = outcome.unwrap_err().to_string();
            assert!(header || problem.contains(words), "{name}: {problem}");
            assert!(problem.len() < 2000, "{name}: a message of {} bytes", problem.len());
            let allowed = each * bytes.len() + besides;
            assert!(
                peak <= allowed,
                "{name}, with a header {header}: {peak} bytes for {}; expected at most {allowed}",
                bytes.len()
            );
        }
    }
}

/// An IDX file: the axes, then bytes.
fn idx(axes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, axes.len() as u8];
    file.extend(axes.iter().flat_map(|axis| axis.to_be_bytes()));
    file.extend(bytes);
    file
}

type Pictures = Idx<Image<1, 4, 5>, Class<10>>;

#[test]
fn random_idx_files_do_not_panic() {
    let folder = scratch();
    let (x, y) = (folder.path().join("x"), folder.path().join("y"));
    let pixels: Vec<u8> = (0..30 * 20).map(|place| place as u8).collect();
    let labels: Vec<u8> = (0..30).map(|place| place % 10).collect();
    let (images, labels) = (idx(&[30, 4, 5], &pixels), idx(&[30], &labels));
    let campaign = Campaign { target: "idx", cases: 4000, each: 8, besides: 1 << 17 };
    campaign.run(&(edits(), edits(), packing(), 0..3_u8), |(of_x, of_y, how, which)| -> Work<'static> {
        let (images, of_images) =
            if which == 1 { (images.clone(), images.len()) } else { file(&images, &of_x, how) };
        let (labels, of_labels) =
            if which == 0 { (labels.clone(), labels.len()) } else { file(&labels, &of_y, how) };
        std::fs::write(&x, images).unwrap();
        std::fs::write(&y, labels).unwrap();
        let (x, y) = (x.clone(), y.clone());
        (
            of_images + of_labels,
            Box::new(move || Pictures::read(x, y).map(|_| ()).map_err(|error| error.to_string())),
        )
    });
}

/// Axes whose product exceeds the data, or is 0, and decompression bombs that do not match their header.
#[test]
fn oversized_idx_files_are_rejected_within_memory_bound() {
    let folder = scratch();
    let (x, y) = (folder.path().join("x"), folder.path().join("y"));
    std::fs::write(&y, idx(&[1], &[0])).unwrap();
    let zeros = vec![0; 50 << 20];
    let most = u32::MAX;
    for (bytes, words) in [
        (idx(&[most, 4, 5], &[1; 20]), "expected 85899345900 for 4294967295 samples"),
        (idx(&[most, most, most, most], &[1; 20]), "each sample is"),
        (idx(&[1, 1, 4, 1, 5, most], &[1; 20]), "each sample is"),
        (idx(&[most, 4, 5, 0], &[]), "each sample is"),
        (idx(&[0, 4, 5], &[]), "labels; expected 0"),
        ([[0, 0, 8, 255].as_slice(), &[255; 1020]].concat(), "each sample is"),
        (packed(&idx(&[1, 4, 5], &zeros)), "more than the 20 bytes of 1 samples"),
        (packed(&zeros), "the magic number is 0"),
        // More than a file of this size can contain.
        (packed(&idx(&[most, 4, 5], &zeros)), "the header declares 85899345900 bytes for 4294967295 samples"),
    ] {
        std::fs::write(&x, &bytes).unwrap();
        let (outcome, peak) = metered(|| Pictures::read(&x, &y).map(|_| ()));
        let problem = outcome.unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
        assert!(problem.starts_with(&*folder.path().to_string_lossy()), "{problem}");
        assert!(peak < 1 << 18, "{peak} bytes: {problem}");
    }
}
