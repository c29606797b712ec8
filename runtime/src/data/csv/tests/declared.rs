//! Dates, groups, and targets in a second table.

use super::*;
use crate::loss::TargetKinds;
use crate::shape::InputKinds;

/// Seven elements, of which the first is normalized.
#[test]
fn dates_become_features() {
    use crate::data::Normalization;
    let text = "when,x,y\n2024-01-01,0.5,1\n2024-01-03T12:00,1.5,0\n2024-01-05,1,1\n";
    let csv = || Csv::open("x.csv").header().date("when");
    let data = csv().read_bytes::<Features<8>, Values<1>>(text.as_bytes()).unwrap();
    let (mut input, mut target) = ([0.0; 8], [0.0]);
    data.sample(1, &mut input, &mut target).unwrap();
    // A Wednesday at noon.
    let [day, week] = [2.5 / 366.0, 2.5 / 7.0].map(|part: f64| (std::f64::consts::TAU * part).sin_cos());
    let expected = [19725.5, day.0, day.1, week.0, week.1, 0.0, -1.0, 1.5].map(|element| element as f32);
    for (found, expected) in input.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{input:?}");
    }
    assert_eq!(Dataset::unscaled_elements(&data, 0), [1, 2, 3, 4, 5, 6]);
    let split = Split::Fixed { train: 0..3, validation: 0..0, test: 0..0 };
    let normalized = data.with_split(split).with_normalization(Normalization::PerElement);
    let normalized = PreparedDataset::new(Box::new(normalized), 1).unwrap();
    let mean = normalized.normalizers().of(0).unwrap().mean().to_vec();
    assert_eq!(mean[1..7], [0.0; 6]);
    assert!((mean[0] - 19725.167).abs() < 0.01, "{mean:?}");
    // Between columns of other kinds, in the order of the inputs, and with a number of days subtracted.
    let text = "skin,when,weight,y\nfur,2024-01-02,3,1\nscales,2024-01-01,,0\n";
    let csv = Csv::open("x.csv").header().category("skin").date("when").allow_missing("weight");
    let csv = csv.subtract("when", 19_723.0);
    let data = csv
        .clone()
        .inputs(["weight", "when", "skin"])
        .read_bytes::<Features<11>, Values<1>>(text.as_bytes())
        .unwrap();
    let (mut input, mut target) = ([0.0; 11], [0.0]);
    data.sample(1, &mut input, &mut target).unwrap();
    assert!(input[0].is_nan());
    assert_eq!(input[1..], [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    assert_eq!(
        (Dataset::missing_elements(&data, 0), Dataset::unscaled_elements(&data, 0)),
        ([0].as_slice(), [1, 3, 4, 5, 6, 7, 8, 9, 10].as_slice())
    );
    let two = csv.read_bytes::<(Features<9>, Tokens<2, 1>), Values<1>>(text.as_bytes()).unwrap();
    let batch = two.batch(&[0]).unwrap();
    assert_eq!(batch.inputs[1].elements, Elements::Int(vec![0]));
    let Elements::Float(reals) = &batch.inputs[0].elements else { panic!() };
    assert_eq!((reals[0], reals[7], reals[8]), (1.0, 3.0, 0.0));
}

#[test]
fn wrong_dates_are_rejected_with_line_and_column() {
    let problem = |csv: Csv, text: &str| {
        csv.read_bytes::<Features<7>, Values<1>>(text.as_bytes()).unwrap_err().to_string()
    };
    let csv = || Csv::open("x.csv").header();
    let dated = || csv().date("when");
    let expected = "expected a date, such as `2024-03-05` or `2024-03-05T14:30:00Z`";
    for (csv, text, sentence) in [
        (dated(), "when,y\n2024-01-01,1\n2024-02-30,1\n", format!("x.csv:3: column `when` is `2024-02-30`; {expected}")),
        (dated(), "when,y\n,1\n", format!("x.csv:2: column `when` is empty; {expected}")),
        (
            csv(),
            "when,b,c,d,e,f,g,y\n2024-01-01,1,1,1,1,1,1,1\n",
            "x.csv:2: column `when` is `2024-01-01`; expected a finite number; if the column holds dates, use `.date(…)`".to_owned(),
        ),
        (
            dated(),
            "when,x,y\n2024-01-01,3,1\n",
            "x.csv: the columns of real numbers and categories have 8 elements: `when` 7 (a date), `x` 1 (a number); expected 7; write \
             `Features<8>`"
                .to_owned(),
        ),
        (
            dated().allow_missing("when"),
            "when,y\n2024-01-01,1\n",
            "x.csv:2: column `when` holds dates, which must not be missing; remove its `allow_missing`".to_owned(),
        ),
        (
            dated().category("when"),
            "when,y\n2024-01-01,1\n",
            "x.csv:2: column `when` is declared to hold dates and categories; remove its `date` or its `category`".to_owned(),
        ),
        (
            csv().date("y"),
            "x,y\n1,2024-01-01\n",
            "x.csv:2: column `y` is a target, and dates are features; remove its `date`, or ignore the column".to_owned(),
        ),
        (
            dated().ignore("when"),
            "when,x,y\n2024-01-01,1,1\n",
            "x.csv:2: column `when` is neither input nor target; remove its `date`".to_owned(),
        ),
    ] {
        assert_eq!(problem(csv, text), sentence);
    }
    let tokens =
        dated().read_bytes::<Tokens<9, 1>, Values<1>>(b"when,y\n2024-01-01,1\n").unwrap_err().to_string();
    assert_eq!(
        tokens,
        "x.csv:2: column `when` holds tokens; remove its `date`, or use a real input, such as `Features`"
    );
}

#[test]
fn groups_are_numbered_in_order() {
    let text = "patient,x,y\nP7,1,2\nP2,3,4\n P7 ,5,6\n\"P,9\",7,8\n";
    let csv = || Csv::open("x.csv").header();
    let data = csv().group("patient").read_bytes::<Features<1>, Values<1>>(text.as_bytes()).unwrap();
    let groups: Vec<_> = (0..5).map(|sample| Dataset::group(&data, sample)).collect();
    assert_eq!(groups, [Some(0), Some(1), Some(0), Some(2), None]);
    let plain = csv().ignore("patient").read_bytes::<Features<1>, Values<1>>(text.as_bytes()).unwrap();
    assert_eq!(Dataset::group(&plain, 0), None);
    let problem = |csv: Csv, text: &str| {
        csv.read_bytes::<Features<1>, Values<1>>(text.as_bytes()).unwrap_err().to_string()
    };
    for (csv, text, sentence) in [
        (
            csv().group("patient"),
            "patient,x,y\nP7,1,2\nNA,3,4\n",
            "x.csv:3: column `patient` is `NA`; expected the group of the sample",
        ),
        (
            csv().group("patient"),
            "patient,x,y\n,1,2\n",
            "x.csv:2: column `patient` is empty; expected the group of the sample",
        ),
        (
            csv().group("y").target("y"),
            "a,x,y\n1,1,2\n",
            "x.csv:2: column 2 (from 0) is the target and is the group",
        ),
        (
            csv().group("a").inputs(["a"]),
            "a,x,y\n1,1,2\n",
            "x.csv:2: column `a` is an input and is the group",
        ),
        (
            csv().group("a").category("a"),
            "a,x,y\n1,1,2\n",
            "x.csv:2: column `a` is neither input nor target; remove its `category`",
        ),
        (
            csv().group("a"),
            "a,x,z,y\n1,1,2,3\n",
            "x.csv:2: 3 columns that are neither ignored nor the group; expected 1 for `Features` and 1 for `Values`",
        ),
    ] {
        assert_eq!(problem(csv, text), sentence);
    }
}

/// Reads two tables that are joined by `id`, in a folder of their own, and removes its name from an error.
fn join<I: InputKinds, T: TargetKinds>(
    change: impl FnOnce(Csv) -> Csv,
    [first, second]: [&str; 2],
) -> Result<InMemory<I, T>, String> {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
    std::fs::write(&a, first).unwrap();
    std::fs::write(&b, packed(second.as_bytes())).unwrap();
    let csv = change(Csv::open(a).header().targets_from(b, "id"));
    csv.read().map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn targets_are_joined_by_key_in_the_order_of_the_first_file() {
    let first = "id,x,z\n7,1,10\nk 2,2,20\n\"9,5\",3,30\n";
    let second = "price,id,kind\n0.5,\"9,5\",b\n0.25, 7 ,a\n0.75,k 2,b\n";
    let data = join::<Features<2>, Values<1>>(|csv| csv.ignore("kind"), [first, second]).unwrap();
    let batch = data.batch(&[0, 1, 2]).unwrap();
    assert_eq!(batch.inputs[0].elements, Elements::Float(vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0]));
    assert_eq!(batch.targets[0].elements, Elements::Float(vec![0.25, 0.75, 0.5]));
    assert!(Dataset::location(&data, 1).unwrap().ends_with("a.csv:3"));
    let both = join::<Features<1>, (Class<2>, Values<1>)>(
        |csv| csv.inputs(["z"]).targets(["kind", "price"]).category("kind"),
        [first, second],
    )
    .unwrap();
    let batch = both.batch(&[0, 1, 2]).unwrap();
    assert_eq!(batch.inputs[0].elements, Elements::Float(vec![10.0, 20.0, 30.0]));
    assert_eq!(batch.targets[0].elements, Elements::Int(vec![0, 1, 1]));
    assert_eq!(Dataset::class_names(&both, 0), ["a", "b"]);
    // Numbers count on from the first file, and a group may be in either.
    let by_number =
        join::<Features<1>, Values<1>>(|csv| csv.ignore(2).target(3).group("kind"), [first, second]).unwrap();
    assert_eq!(by_number.batch(&[0]).unwrap().targets[0].elements, Elements::Float(vec![0.25]));
    assert_eq!([0, 1, 2].map(|sample| Dataset::group(&by_number, sample)), [Some(0), Some(1), Some(1)]);
}

#[test]
fn tables_that_cannot_be_joined_are_rejected() {
    let (first, second) = ("id,x\n7,1\n8,2\n", "id,y\n8,1\n7,0\n");
    let problem = |files: [&str; 2]| join::<Features<1>, Values<1>>(|csv| csv, files).unwrap_err();
    for (files, sentence) in [
        (
            ["id,x\n7,1\n9,2\n", second],
            "a.csv:3: column `id` is `9`, which no line of b.csv has; expected a line with its target there",
        ),
        (
            [first, "id,y\n8,1\n7,0\n8,2\n"],
            "b.csv:4: column `id` is `8`, as in line 2; expected each key once",
        ),
        (["id,x\n7,1\n7,2\n", second], "a.csv:3: column `id` is `7`, as in line 2; expected each key once"),
        (
            [first, "id,y\n8,1\n7,0\n5,2\n"],
            "b.csv:4: column `id` is `5`, which no line of a.csv has; remove the line, or add the sample",
        ),
        (["id,x\n7,1\n,2\n", second], "a.csv:3: column `id` is empty; expected the key of the sample"),
        ([first, "id,y\n8,1\nnull,0\n"], "b.csv:3: column `id` is `null`; expected the key of the sample"),
        (["no,x\n7,1\n", second], "a.csv: no column has the name `id`; found `no`, `x`"),
        ([first, "no,y\n8,1\n"], "b.csv: no column has the name `id`; found `no`, `y`"),
        ([first, ""], "b.csv: no header; expected the names of the columns, with `id`"),
        ([first, "id,y\n8,1\n7\n"], "b.csv:3: 1 columns; expected 2, as in the header"),
        (
            [first, "id,y\n8,1\n7,x\n"],
            "b.csv:3: column `y` is `x`; expected a finite number; if the column holds words, use `.category(…)`",
        ),
        (
            ["id,x\n7,q\n8,2\n", second],
            "a.csv:2: column `x` is `q`; expected a finite number; if the column holds words, use `.category(…)`",
        ),
        (
            [first, "id,y,z\n8,1,2\n7,0,2\n"],
            "a.csv:2: 2 columns besides the key in the file of the targets; expected 1 for `Values`; choose them with `.targets([…])`, or \
             ignore the others",
        ),
        (
            [first, "id\n8\n7\n"],
            "a.csv:2: 0 columns besides the key in the file of the targets; expected 1 for `Values`",
        ),
        (["id\n8\n7\n", second], "a.csv:2: 0 columns besides the key; expected 1 for `Features`"),
        (["id,x,z\n7,1,1\n8,2,1\n", second], "a.csv:2: 2 columns besides the key; expected 1 for `Features`"),
    ] {
        assert_eq!(problem(files), sentence);
    }
    let with = |change: fn(Csv) -> Csv| join::<Features<1>, Values<1>>(change, [first, second]).unwrap_err();
    assert_eq!(with(|csv| csv.target("id")), "a.csv:2: column 2 (from 0) is the target and is the key");
    assert_eq!(with(|csv| csv.inputs(["id"])), "a.csv:2: column `id` is an input and is the key");
    assert_eq!(with(|csv| csv.target("x")), "a.csv:2: no column has the name `x`; found `id`, `y`");
    assert_eq!(
        with(|csv| csv.target(1)),
        "a.csv:2: column 1 is in the other file; expected a number from 2 to 3"
    );
    assert_eq!(with(|csv| csv.ignore("id")), "a.csv:2: two columns have the name `id`; use a number");
    let unnamed =
        Csv::open("a.csv").targets_from("b.csv", "id").read_bytes::<Features<1>, Values<1>>(b"1,2\n");
    assert_eq!(
        unnamed.unwrap_err().to_string(),
        "a.csv: the key `id` of `targets_from` is the name of a column; add `.header()`"
    );
}
