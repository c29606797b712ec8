use std::path::Path;

use super::*;
use crate::data::file::tests::{packed, problem};
use crate::data::{AnyDataset, Dataset, PreparedDataset, RoundedColumn, Split};
use crate::shape::Elements;
use crate::{Class, Features, Series, Tokens, Values};

type Flowers = InMemory<Features<2>, Class<3>>;
type Read<'a> = &'a dyn Fn(&Path) -> Result<Flowers>;

/// All values of a file: inputs and targets.
fn numbers<const N: usize, const M: usize>(csv: Csv, bytes: &[u8]) -> Result<(Vec<f32>, Vec<f32>)> {
    let data: InMemory<Features<N>, Values<M>> = csv.read_bytes(bytes)?;
    let batch = data.batch(&(0..Dataset::len(&data)).collect::<Vec<_>>())?;
    match (&batch.inputs[0].elements, &batch.targets[0].elements) {
        (Elements::Float(inputs), Elements::Float(targets)) => Ok((inputs.clone(), targets.clone())),
        _ => panic!("real kinds have real elements"),
    }
}

#[test]
fn series_takes_one_channel_after_the_other() {
    let text = "1,2,3,4,5,6,0\n6,5,4,3,2,1,1\n";
    let data: InMemory<Series<2, 3>, Class<2>> = Csv::open("x.csv").read_bytes(text.as_bytes()).unwrap();
    let batch = data.batch(&[1]).unwrap();
    assert_eq!(batch.inputs[0].shape.axes(), [2, 3]);
    assert_eq!(batch.inputs[0].elements, Elements::Float(vec![6.0, 5.0, 4.0, 3.0, 2.0, 1.0]));
}

#[test]
fn csv_variants_parse_to_equal_tables() {
    let expected = (vec![1.0, 2.0, 4.0, 5.0], vec![3.0, 6.0]);
    let csv = || Csv::open("x.csv");
    for (csv, text) in [
        (csv(), "1,2,3\n4,5,6\n"),
        (csv(), "1,2,3\r\n4,5,6"),
        (csv(), "\u{FEFF}1,2,3\n\n \r\n4,5,6\n\n"),
        (csv(), " 1 ,2.0,\"3\"\n+4,0.5e1,6"),
        (csv().delimiter(b' '), "1 2 3\n4 5 6\n"),
        (csv().delimiter(b'\t'), "1\t2\t3\n4\t5\t6\n"),
        (csv().skip_lines(2), "by hand\n2,2\n1,2,3\n4,5,6\n"),
        (csv().header(), "a,b,c\n1,2,3\n4,5,6\n"),
        (csv().header().target("b"), "a,\"b\",c\r\n1,3,2\r\n4,6,5\r\n"),
        (csv().header().target("b"), "\u{FEFF}b,a,c\n3,1,2\n6,4,5\n"),
        (csv().target(0), "3,1,2\n6,4,5\n"),
        (csv().target(1).ignore(0), "x,3,1,2\n,6,4,5\n"),
        (csv().ignore(CsvColumn::Last), "1,2,3,\"a, \"\"quoted\"\"\nnote\"\n4,5,6,\n"),
        (csv().header().ignore("id").ignore("id"), "a,id,b,c\n1,7,2,3\n4,8,5,6\n"),
    ] {
        assert_eq!(numbers::<2, 1>(csv.clone(), text.as_bytes()).unwrap(), expected, "{text:?}");
        assert_eq!(numbers::<2, 1>(csv, &packed(text.as_bytes())).unwrap(), expected, "{text:?}, packed");
    }
}

#[test]
fn multiple_target_columns_form_one_target() {
    let text = b"1,2,3,4\n";
    for (csv, inputs, targets) in [
        (Csv::open(""), [1.0, 2.0], [3.0, 4.0]),
        (Csv::open("").target(0), [3.0, 4.0], [1.0, 2.0]),
        (Csv::open("").target(1), [1.0, 4.0], [2.0, 3.0]),
    ] {
        assert_eq!(numbers::<2, 2>(csv, text).unwrap(), (inputs.to_vec(), targets.to_vec()));
    }
    assert_eq!(
        numbers::<2, 2>(Csv::open("x.csv").target(3), text).unwrap_err().to_string(),
        "x.csv:1: the target starts at column 3 (from 0) of 4 in use; expected one with 1 more after it, for \
         `Values`"
    );
}

#[test]
fn csv_error_names_line_and_column() {
    let plain = |path: &Path| Csv::open(path).read::<Features<2>, Class<3>>();
    let named = |path: &Path| Csv::open(path).header().read::<Features<2>, Class<3>>();
    for (text, read, sentence) in [
        ("", &plain as Read, "x.csv: no line of data; expected at least one sample"),
        ("\n\n", &plain, "x.csv: no line of data; expected at least one sample"),
        ("a,b,c\n", &named, "x.csv: no line of data; expected at least one sample"),
        ("1,2,0\n1,2\n", &plain, "x.csv:2: 2 columns; expected 3, as in the first line of data"),
        ("1,2,0\r\n\r\n1,2,0,4\r\n", &plain, "x.csv:3: 4 columns; expected 3, as in the first line of data"),
        (
            "3,2,setosa,versicolor,virginica\n1,2,0\n",
            &plain,
            "x.csv:1: 5 columns; expected 2 for `Features` and 1 for `Class`; if this line is not data, use \
             `.header()` or `.skip_lines(1)`",
        ),
        (
            "a,b,c\n1,2,0\n",
            &plain,
            "x.csv:1: column 0 (from 0) is `a`; expected a finite number; if this line is not data, use \
             `.header()` or `.skip_lines(1)`",
        ),
        ("a,b,c\n1,2\n", &named, "x.csv:2: 2 columns; expected 3, as in the header"),
        ("a,b,c,d\n1,2,3,0\n", &named, "x.csv:2: 4 columns; expected 2 for `Features` and 1 for `Class`"),
        ("1,2,0\n\n1,?,0\n", &plain, "x.csv:3: column 1 (from 0) is `?`; expected a finite number"),
        ("a,b,c\n1,2,0\n1,,0\n", &named, "x.csv:3: column `b` is empty; expected a finite number"),
        ("1,2,0\nNaN,2,0\n", &plain, "x.csv:2: column 0 (from 0) is `NaN`; expected a finite number"),
        ("1,2,0\n1,-inf,0\n", &plain, "x.csv:2: column 1 (from 0) is `-inf`; expected a finite number"),
        (
            "1,2,0\n1,2,0.5\n",
            &plain,
            "x.csv:2: column 2 (from 0) is `0.5`; expected a whole number from 0 to 2",
        ),
        (
            "1,2,0\n1,2,-1\n",
            &plain,
            "x.csv:2: column 2 (from 0) is `-1`; expected a whole number from 0 to 2",
        ),
        (
            "1,2,0\n1,5\" disk,0\n1,2,0\n",
            &plain,
            "x.csv:2: a quotation mark is not closed; remove it, or double it",
        ),
        ("1,2,0\n1,\"2,0\n1,2,0\n", &plain, "x.csv:2: 2 columns; expected 3, as in the first line of data"),
        (
            "1,2,0\r1,2,0\r",
            &plain,
            "x.csv:1: 5 columns; expected 2 for `Features` and 1 for `Class`; if this \
             line is not data, use `.header()` or `.skip_lines(1)`",
        ),
    ] {
        assert_eq!(problem("x.csv", text.as_bytes(), read), sentence, "{text:?}");
    }
    let missing = plain(Path::new("missing.csv")).unwrap_err().to_string();
    assert!(missing.starts_with("missing.csv: No such file"), "{missing}");
    let long = format!("1,2,0\n1,{},0\n", "x".repeat(1000));
    assert!(problem("x.csv", long.as_bytes(), plain).len() < 150);
    assert!(problem("x.csv", b"1,2,0\n1,\xFF\xFE,0\n", plain).starts_with("x.csv:2: column 1 (from 0) is `"));
}

/// Only the loss decides whether a label is ignored.
#[test]
fn class_out_of_range_is_reported_with_line() {
    let data: Flowers = Csv::open("x.csv").read_bytes(b"1,2,0\n\n1,2,255\n1,2,3\n").unwrap();
    let places: Vec<_> = (0..3).map(|sample| Dataset::location(&data, sample).unwrap()).collect();
    assert_eq!(places, ["x.csv:1", "x.csv:3", "x.csv:4"]);
    let split = Split::Fixed { train: 0..2, validation: 2..3, test: 0..0 };
    let said = PreparedDataset::ignoring(Box::new(data.with_split(split)), 0, Some(255)).err().unwrap();
    assert_eq!(
        said.to_string(),
        "data: x.csv:4: sample 2 (from 0) of the validation part: the target is 3; expected a whole number from 0 to 2; if \
         your values start at 1, subtract 1"
    );
    let tokens =
        Csv::open("x.csv").read_bytes::<Tokens<3, 2>, Class<3>>(b"1,3,0\n").err().unwrap().to_string();
    assert_eq!(
        tokens,
        "x.csv:1: column 1 (from 0) is `3`; expected a whole number from 0 to 2; if your values start at 1, subtract 1; if \
         this line is not data, use `.header()` or `.skip_lines(1)`"
    );
}

/// Seconds of 2023, which f32 rounds to multiples of 128.
#[test]
fn columns_constant_in_f32_are_found() {
    let rows = |from| {
        (0..250).map(|i| format!("{},{},{}\n", from + i, i % 7, 2 * from + i)).collect::<Vec<_>>().concat()
    };
    let (late, early) = (rows(1_700_000_000_u64), rows(0));
    let read = |csv: Csv, text: &str| csv.read_bytes::<Features<2>, Values<1>>(text.as_bytes()).unwrap();
    let csv = || Csv::open("x.csv");
    let lost = |column: &str, element, left| RoundedColumn {
        column: column.to_owned(),
        element,
        distinct: 250,
        left,
    };
    let found = read(csv(), &late);
    assert_eq!(
        Dataset::rounded_columns(&found),
        [lost("0 (from 0)", Some(0), 3), lost("2 (from 0)", None, 2)]
    );
    assert_eq!(Dataset::rounded_columns(&read(csv(), &early)), []);
    let shifted = read(csv().subtract(0, 1.7e9).subtract(2, 3.4e9), &late);
    assert_eq!(Dataset::rounded_columns(&shifted), []);
    let (mut input, mut target) = ([0.0; 2], [0.0]);
    shifted.sample(249, &mut input, &mut target).unwrap();
    assert_eq!((input, target), ([249.0, 4.0], [249.0]));
    let named = read(csv().header(), &format!("time,day,end\n{late}"));
    assert_eq!(Dataset::rounded_columns(&named)[0], lost("`time`", Some(0), 3));
    let said = csv().ignore(0).subtract(0, 1.0).read_bytes::<Features<1>, Values<1>>(late.as_bytes());
    assert_eq!(
        said.err().unwrap().to_string(),
        "x.csv:1: column 0 (from 0), which has a `subtract` of 1, does not hold real numbers of a sample; remove the \
         `subtract`"
    );
}

#[test]
fn unexpected_delimiter_or_encoding_is_reported() {
    let plain = |path: &Path| Csv::open(path).read::<Features<2>, Class<3>>();
    let named = |path: &Path| Csv::open(path).header().read::<Features<2>, Class<3>>();
    let semicolon = "; the cells seem to be separated by `;`: use `.delimiter(b';')`";
    let tabs = "; the cells seem to be separated by tabs: use `.delimiter(b'\\t')`";
    let utf_16 = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
        [mark, &"1,2,0\n".encode_utf16().flat_map(unit).collect::<Vec<_>>()].concat()
    };
    let encoded = "x.csv: the text seems to be UTF-16; expected UTF-8: save it as UTF-8, or convert it with `iconv -f UTF-16 -t \
                   UTF-8`";
    for (bytes, read, sentence) in [
        (
            b"length;width;kind\n1;2;0\n".to_vec(),
            &plain as Read,
            format!("x.csv:1: 1 columns; expected 2 for `Features` and 1 for `Class`{semicolon}"),
        ),
        (
            b"length;width;kind\n1;2;0\n".to_vec(),
            &named,
            format!("x.csv:2: 1 columns; expected 2 for `Features` and 1 for `Class`{semicolon}"),
        ),
        (
            b"1\t2\t0\n".to_vec(),
            &plain,
            format!("x.csv:1: 1 columns; expected 2 for `Features` and 1 for `Class`{tabs}"),
        ),
        // With decimal commas, the rows have as many cells as expected.
        (
            b"1,5;2,5;0\n".to_vec(),
            &plain,
            format!("x.csv:1: column 1 (from 0) is `5;2`; expected a finite number{semicolon}"),
        ),
        (utf_16(b"\xFF\xFE", u16::to_le_bytes), &plain, encoded.to_owned()),
        (utf_16(b"\xFE\xFF", u16::to_be_bytes), &named, encoded.to_owned()),
        (utf_16(b"", u16::to_le_bytes), &plain, encoded.to_owned()),
        (utf_16(b"", u16::to_be_bytes), &plain, encoded.to_owned()),
    ] {
        assert_eq!(problem("x.csv", &bytes, read), sentence, "{bytes:?}");
    }
    let semicolons = |path: &Path| Csv::open(path).delimiter(b';').read::<Features<2>, Class<3>>();
    assert_eq!(
        problem("x.csv", b"1,5;2,5;0\n", semicolons),
        "x.csv:1: column 0 (from 0) is `1,5`; expected a finite number; write a point instead of the decimal comma"
    );
    assert_eq!(
        problem("x.csv", b"1;2;0\n", |path| Csv::open(path).delimiter(b'"').read::<Features<2>, Class<3>>()),
        "data: the delimiter of a `Csv` is '\"'; expected a character other than a quotation mark or a line end, such as `b';'`"
    );
}

#[test]
fn damaged_gzip_is_distinguished_from_truncated_gzip() {
    let mut bytes = packed("1,2,0\n".repeat(1000).as_bytes());
    bytes.truncate(bytes.len() - 9);
    let said = problem("x.csv.gz", &bytes, |path| Csv::open(path).read::<Features<2>, Class<3>>());
    assert!(said.starts_with("x.csv.gz: the gzip file is damaged or cut short ("), "{said}");
}

#[test]
fn missing_column_error_lists_columns() {
    let text = b"a,b,c\n1,2,0\n";
    let csv = || Csv::open("x.csv").header();
    for (csv, sentence) in [
        (csv().target("d"), "x.csv:2: no column has the name `d`; found `a`, `b`, `c`"),
        (csv().target(3), "x.csv:2: there is no column 3; expected a number below 3"),
        (
            Csv::open("x.csv").skip_lines(1).target("c"),
            "x.csv:2: the columns have no names, so `c` is not found; use `.header()` or a number",
        ),
        (
            csv().ignore("b"),
            "x.csv:2: 2 columns that are not ignored; expected 2 for `Features` and 1 for `Values`",
        ),
    ] {
        assert_eq!(numbers::<2, 1>(csv, text).unwrap_err().to_string(), sentence);
    }
    assert_eq!(
        numbers::<1, 1>(csv().ignore("b").target("b"), text).unwrap_err().to_string(),
        "x.csv:2: column 1 (from 0) is the target and is ignored"
    );
    assert_eq!(
        numbers::<2, 1>(csv().target("a"), b"a,a,c\n1,2,0\n").unwrap_err().to_string(),
        "x.csv:2: two columns have the name `a`; use a number"
    );
}
