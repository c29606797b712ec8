//! The names of the kinds of advice.

use super::Sane;

#[test]
fn unknown_advice_name_is_rejected() {
    let error = Sane::experiment().set("allow", "[\"NoWeightDecy\"]").map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "allow: unknown name `NoWeightDecy`; did you mean `NoWeightDecay`? expected one of `NoWeightDecay`"
        ),
        "{error}"
    );
}

/// Each name has one row in the table of the documentation of `train!`.
#[test]
fn every_advice_kind_is_documented() {
    let page = include_str!("../../runtime/src/docs/train.md");
    let names = include_str!("../../runtime/src/advice/table.rs");
    let names: Vec<_> =
        names.lines().filter_map(|line| line.trim().strip_prefix("advice: Advice::")).collect();
    assert!(names.len() > 30);
    for name in names {
        let row = format!("| `{}` |", name.trim_end_matches(','));
        assert_eq!(page.matches(&row).count(), 1, "{row}");
    }
}
