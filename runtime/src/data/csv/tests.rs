mod declared;

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
        (
            "1,2,0\n\n1,?,0\n",
            &plain,
            "x.csv:3: column 1 (from 0) is `?`; expected a finite number; if values may be missing, use `.allow_missing(…)`",
        ),
        (
            "a,b,c\n1,2,0\n1,,0\n",
            &named,
            "x.csv:3: column `b` is empty; expected a finite number; if values may be missing, use `.allow_missing(…)`",
        ),
        (
            "1,2,0\nNaN,2,0\n",
            &plain,
            "x.csv:2: column 0 (from 0) is `NaN`; expected a finite number; if values may be missing, use `.allow_missing(…)`",
        ),
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
    assert_eq!(
        problem("x.csv", long.as_bytes(), plain),
        format!(
            "x.csv:2: column 1 (from 0) is `{}…`; expected a finite number; if the column holds words, use `.category(…)`",
            "x".repeat(40)
        )
    );
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
        "x.csv:1: column 0 (from 0) is neither input nor target; remove its `subtract`"
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

/// The batch of all samples: the elements of each input and each target.
fn all(data: &impl AnyDataset) -> (Vec<Elements>, Vec<Elements>) {
    let batch = data.batch(&(0..data.len()).collect::<Vec<_>>()).unwrap();
    let elements =
        |columns: Vec<crate::data::BatchTensor>| columns.into_iter().map(|column| column.elements).collect();
    (elements(batch.inputs), elements(batch.targets))
}

const ANIMALS: &str =
    "weight,skin,legs,animal\n4.5,fur,4,cat\n0.5,scales,?,carp\n,feathers,2,hen\n5,fur,4,cat\n";

#[test]
fn categories_become_sorted_classes_and_one_hot_elements() {
    let csv = || Csv::open("x.csv").header().ignore("weight").category("skin").category("animal");
    let text = ANIMALS.replace('?', "0");
    let data: InMemory<Features<4>, Class<3>> = csv().read_bytes(text.as_bytes()).unwrap();
    let (inputs, targets) = all(&data);
    // `feathers`, `fur`, `scales`, and the legs.
    let rows = [[0.0, 1.0, 0.0, 4.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 2.0], [0.0, 1.0, 0.0, 4.0]];
    assert_eq!(inputs, [Elements::Float(rows.concat())]);
    assert_eq!(targets, [Elements::Int(vec![1, 0, 2, 1])]);
    assert_eq!(Dataset::class_names(&data, 0), ["carp", "cat", "hen"]);
    assert_eq!(Dataset::unscaled_elements(&data, 0), [0, 1, 2]);
    // A declared order.
    let data: InMemory<Features<4>, Class<4>> =
        csv().categories("animal", ["hen", "dog", "cat", "carp"]).read_bytes(text.as_bytes()).unwrap();
    assert_eq!(all(&data).1, [Elements::Int(vec![2, 3, 0, 2])]);
    assert_eq!(Dataset::class_names(&data, 0), ["hen", "dog", "cat", "carp"]);
}

#[test]
fn missing_values_become_nan_with_an_indicator_or_a_category() {
    let csv = Csv::open("x.csv")
        .header()
        .allow_missing("weight")
        .allow_missing("legs")
        .category("skin")
        .category("animal");
    let data: InMemory<Features<7>, Class<3>> = csv.clone().read_bytes(ANIMALS.as_bytes()).unwrap();
    let (inputs, _) = all(&data);
    let Elements::Float(values) = &inputs[0] else { panic!("features are real") };
    assert_eq!(values[..7], [4.5, 0.0, 0.0, 1.0, 0.0, 4.0, 0.0]);
    assert!(values[12].is_nan() && values[14].is_nan());
    assert_eq!((values[13], values[15]), (1.0, 1.0));
    assert_eq!(Dataset::missing_elements(&data, 0), [0, 5]);
    assert_eq!(Dataset::unscaled_elements(&data, 0), [1, 2, 3, 4, 6]);

    let gap = ANIMALS.replace("feathers", "NA");
    let data: InMemory<Features<7>, Class<3>> = csv.allow_missing("skin").read_bytes(gap.as_bytes()).unwrap();
    let Elements::Float(values) = &all(&data).0[0] else { panic!("features are real") };
    // `fur`, `scales`, then the missing ones.
    assert_eq!(values[16..19], [0.0, 0.0, 1.0]);
}

#[test]
fn columns_are_divided_among_several_kinds() {
    type Mixed = InMemory<(Features<1>, Tokens<6, 2>), (Class<3>, Values<1>)>;
    let text = "a,kind,price,color,size\nx,cat,1.5,red,7\ny,dog,2.5,blue,8\nz,hen,3.5,red,9\n";
    let csv = Csv::open("x.csv")
        .header()
        .category("a")
        .category("color")
        .category("kind")
        .targets(["kind", "price"]);
    let data: Mixed = csv.clone().read_bytes(text.as_bytes()).unwrap();
    let (inputs, targets) = all(&data);
    // The tokens 0 to 2 are `x`, `y`, `z`; 3 and 4 are `blue`, `red`.
    assert_eq!(inputs, [Elements::Float(vec![7.0, 8.0, 9.0]), Elements::Int(vec![0, 4, 1, 3, 2, 4])]);
    assert_eq!(targets, [Elements::Int(vec![0, 1, 2]), Elements::Float(vec![1.5, 2.5, 3.5])]);
    assert_eq!((Dataset::class_names(&data, 0).len(), Dataset::class_names(&data, 1).len()), (3, 0));

    let csv = Csv::open("x.csv")
        .header()
        .category("color")
        .category("kind")
        .target("kind")
        .inputs(["price", "color", "size"]);
    let data: InMemory<(Features<1>, Features<3>), Class<3>> = csv.read_bytes(text.as_bytes()).unwrap();
    let (inputs, _) = all(&data);
    assert_eq!(
        inputs,
        [
            Elements::Float(vec![1.5, 2.5, 3.5]),
            Elements::Float(vec![0.0, 1.0, 7.0, 1.0, 0.0, 8.0, 0.0, 1.0, 9.0])
        ]
    );
}

#[test]
fn listed_inputs_keep_their_order() {
    let text = b"a,b,c,d\n1,2,3,4\n";
    let csv = || Csv::open("x.csv").header();
    let read = |csv: Csv| numbers::<2, 1>(csv, text);
    assert_eq!(read(csv().inputs(["c", "a"])).unwrap(), (vec![3.0, 1.0], vec![4.0]));
    assert_eq!(read(csv().inputs(["d", "a"]).target("b")).unwrap(), (vec![4.0, 1.0], vec![2.0]));
    assert_eq!(
        read(csv().inputs(["a"])).unwrap_err().to_string(),
        "x.csv:2: 1 columns of the input; expected 2 for `Features`"
    );
    assert_eq!(
        read(csv().inputs(["a", "b"]).target("b")).unwrap_err().to_string(),
        "x.csv:2: column 1 (from 0) is the target and an input"
    );
    let two = |csv: Csv| csv.read_bytes::<Features<2>, Values<1>>(b"a,b\n1,2\n").unwrap_err().to_string();
    assert_eq!(
        two(csv().inputs(["a", "b"])),
        "x.csv:2: 0 columns besides those of the input; expected 1 for `Values`"
    );
    assert_eq!(two(csv().inputs(["a", "a"])), "x.csv:2: column `a` is listed twice as an input; remove one");
    assert_eq!(two(csv().ignore("a").inputs(["a", "b"])), "x.csv:2: column `a` is an input and is ignored");
    assert_eq!(
        two(csv().categories("a", ["x", "y", "x"])),
        "data: the categories of a `Csv` have `x` twice; remove one"
    );
    assert_eq!(
        read(csv().inputs(["a", "b"]).targets(["c", "d"])).unwrap_err().to_string(),
        "x.csv:2: 2 target columns; expected 1 for `Values`"
    );
}

#[test]
fn wrong_declaration_of_a_column_says_what_to_write() {
    let problem =
        |csv: Csv| csv.read_bytes::<Features<4>, Class<3>>(ANIMALS.as_bytes()).unwrap_err().to_string();
    let csv = || Csv::open("x.csv").header();
    let full = || csv().category("skin").allow_missing("weight").allow_missing("legs").category("animal");
    for (csv, sentence) in [
        (
            csv().category("animal").allow_missing("weight"),
            "x.csv:2: column `skin` is `fur`; expected a finite number; if the column holds words, use `.category(…)`",
        ),
        (
            csv().category("skin").category("animal").allow_missing("weight"),
            "x.csv:3: column `legs` is `?`; expected a finite number; if values may be missing, use `.allow_missing(…)`",
        ),
        (
            csv().category("skin").allow_missing("weight").allow_missing("legs"),
            "x.csv:2: column `animal` is `cat`; expected a whole number from 0 to 2; if the column holds words, use `.category(…)`",
        ),
        (
            full(),
            "x.csv: the columns of real numbers and categories have 7 elements: `weight` 2 (the number, and whether it is missing), \
             `skin` 3 (3 categories), `legs` 2 (the number, and whether it is missing); expected 4; write `Features<7>`",
        ),
        (
            full().categories("animal", ["cat", "dog"]),
            "x.csv:3: column `animal` is `carp`; expected one of the categories `cat`, `dog`",
        ),
        (
            full().allow_missing("animal"),
            "x.csv:2: column `animal` is a target, so its values must not be missing; remove its `allow_missing`",
        ),
        (full().ignore("skin"), "x.csv:2: column `skin` is neither input nor target; remove its `category`"),
        (
            full().subtract("skin", 2.0),
            "x.csv:2: column `skin` has a `subtract` of 2, but does not hold real numbers; remove its `subtract`",
        ),
    ] {
        assert_eq!(problem(csv), sentence);
    }
    let of_two = full().read_bytes::<Features<7>, Class<2>>(ANIMALS.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        of_two,
        "x.csv: column `animal` has the 3 categories `carp`, `cat`, `hen`; expected 2; write `Class<3>`"
    );
    let tokens = full()
        .read_bytes::<(Features<4>, Tokens<2, 1>), Class<3>>(ANIMALS.as_bytes())
        .unwrap_err()
        .to_string();
    assert_eq!(
        tokens,
        "x.csv: the columns of `Tokens` have 3 categories: `skin` 3; expected at most 2; write `Tokens<3, 1>`"
    );
    let beyond = csv().category("skin").category("animal").category("weight");
    for said in [
        beyond
            .clone()
            .ignore("legs")
            .read_bytes::<Tokens<9, 1>, Class<3>>(ANIMALS.replace(",feath", "1,feath").as_bytes())
            .unwrap_err(),
        beyond
            .inputs(["legs", "weight", "skin"])
            .read_bytes::<(Features<4>, Tokens<9, 1>), Class<3>>(ANIMALS.as_bytes())
            .unwrap_err(),
    ] {
        let said = said.to_string();
        assert!(
            said.contains("column `skin` has no token left, of which the input has 1; ignore the column, or change the kind"),
            "{said}"
        );
    }
    let lines =
        Csv::open("x.csv").category(CsvColumn::Last).read_bytes::<Features<4>, Class<3>>(b"1;2;3;4;a\n");
    assert_eq!(
        lines.unwrap_err().to_string(),
        "x.csv:1: 1 columns; expected 4 for `Features` and 1 for `Class`; the cells seem to be separated by `;`: use `.delimiter(b';')`"
    );
    let real = csv().category("animal").inputs(["legs"]);
    let real = real.read_bytes::<Features<1>, Values<1>>(ANIMALS.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        real,
        "x.csv:2: column `animal` is a target of real numbers; remove its `category`, or use the kind `Class`"
    );
}

/// The mean of the training samples replaces a missing number, in training and in a trained model; without normalization there is
/// no mean.
#[test]
fn missing_values_need_per_element_normalization() {
    use crate::data::Normalization;
    let csv = || Csv::open("x.csv").header().allow_missing("a");
    let read = |text: &str| csv().read_bytes::<Features<2>, Values<1>>(text.as_bytes()).unwrap();
    let split = || Split::Fixed { train: 0..3, validation: 3..4, test: 0..0 };
    let text = "a,y\n1,0\n,1\n3,1\n,0\n";
    let prepared = |text: &str, rule| {
        PreparedDataset::new(Box::new(read(text).with_split(split()).with_normalization(rule)), 1)
    };
    let data = prepared(text, Normalization::PerElement).unwrap();
    assert_eq!(
        data.batch(&[0, 1, 2, 3]).unwrap().inputs[0].elements,
        Elements::Float(vec![-1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    );
    assert_eq!(data.normalizers().of(0).unwrap().missing(), [0]);
    assert_eq!(
        prepared(text, Normalization::None).err().unwrap().to_string(),
        "data: values may be missing, and the normalization, which replaces them by the mean, is `None`; expected \
         `.with_normalization(Normalization::PerElement)`"
    );
    assert_eq!(
        prepared("a,y\n,0\n,1\n,1\n2,0\n", Normalization::PerElement).err().unwrap().to_string(),
        "data: element 0 of the input is missing in every training sample, so it has no mean; remove it from the input"
    );
}
