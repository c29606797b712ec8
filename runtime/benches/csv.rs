//! Tables of numbers as `Csv` reads them, beside the bare `csv` crate: bytes a second.
//!
//! Both parse every cell; the bare crate's loop neither counts lines nor names places, and keeps its numbers in one list.

use std::fmt::Write;
use std::path::PathBuf;

use divan::Bencher;
use divan::counter::BytesCount;
use trainspec::data::{Csv, Dataset};
use trainspec::{Class, Features};

fn main() {
    divan::main();
}

const ROWS: u32 = 200_000;

/// A file of rows with eight features and a class; every hundredth has quotation marks, if any.
fn table(folder: &tempfile::TempDir, quoted: bool) -> (PathBuf, u64) {
    let mut text = String::new();
    for row in 0..ROWS {
        for column in 0..8 {
            let value = f64::from(row.wrapping_mul(2_654_435_761).rotate_left(column * 4)) / 4e6 - 500.0;
            let _ = write!(text, "{value:.4},");
        }
        let mark = if quoted && row.is_multiple_of(100) { "\"" } else { "" };
        let _ = writeln!(text, "{mark}{}{mark}", row % 3);
    }
    let path = folder.path().join("table.csv");
    std::fs::write(&path, &text).expect("the folder can be written");
    (path, text.len() as u64)
}

#[divan::bench(args = [false, true], sample_count = 20)]
fn trainspec_csv(bencher: Bencher, quoted: bool) {
    let folder = tempfile::tempdir().expect("there is a folder for files");
    let (path, bytes) = table(&folder, quoted);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let data = Csv::open(&path).read::<Features<8>, Class<3>>().expect("the table is good");
        assert_eq!(data.len(), ROWS as usize);
        data
    });
}

#[divan::bench(args = [false, true], sample_count = 20)]
fn bare_csv(bencher: Bencher, quoted: bool) {
    let folder = tempfile::tempdir().expect("there is a folder for files");
    let (path, bytes) = table(&folder, quoted);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(&path).expect("it is there");
        let mut record = csv::ByteRecord::new();
        let mut numbers: Vec<f32> = Vec::new();
        while reader.read_byte_record(&mut record).expect("the table is good") {
            for cell in &record {
                let text = std::str::from_utf8(cell).expect("digits are UTF-8");
                numbers.push(text.parse().expect("a number"));
            }
        }
        assert_eq!(numbers.len(), 9 * ROWS as usize);
        numbers
    });
}
