//! Specs that are rejected before the first step.

use trainspec::Config;
use trainspec::Experiment;
use trainspec::prelude::*;
use trainspec::trainer::RateSearch;

use super::{Sane, Wide, points};

#[model]
fn Enormous(x: Features<2>) -> Logits<2> {
    x.linear(out = 1_000_000).relu().linear(out = 1_000_000).relu().linear(out = 2)
}

train! {
    TooLarge { model: Enormous, data: points(64), batch: 8, epochs: 1 }
}

/// More checkpoints than any disk holds: each of at least 4 values, after each of as many steps.
#[test]
fn run_larger_than_disk_is_rejected() {
    let out = std::env::temp_dir();
    let many = |training: Experiment<Wide>| {
        let saved = r#"{"every":{"Steps":1},"keep":1000000000000000}"#;
        training.set("steps", "1000000000000000").unwrap().set("checkpoint", saved).unwrap().out(&out)
    };
    for error in [
        many(Sane::experiment()).check().map(|_| ()).unwrap_err(),
        many(Sane::experiment()).run().map(|_| ()).unwrap_err(),
    ] {
        let error = error.to_string();
        let words = " there for 1000000000000000 checkpoints and the model, but ";
        assert!(error.contains("the run needs ") && error.contains(words), "{error}");
    }
    assert!(!out.join("sane").exists());
}

#[test]
fn learning_rate_search_checks_memory() {
    let error = TooLarge::experiment().find_rate(RateSearch::DEFAULT).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("training needs 14.6 TiB of memory"), "{error}");
}

#[test]
fn run_larger_than_memory_is_rejected() {
    // Four values of 4 bytes for each of 10^12 weights; the model is saved without a copy.
    for error in [
        TooLarge::experiment().without_folder().check().map(|_| ()).unwrap_err(),
        TooLarge::experiment().without_folder().run().map(|_| ()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.starts_with("training needs 14.6 TiB of memory, of which "), "{error}");
        assert!(error.contains("but the system has "), "{error}");
    }
}

#[test]
fn accumulation_above_epoch_length_is_rejected() {
    let check = |accumulate: &str| {
        let training = Sane::experiment().set("accumulate", accumulate).unwrap();
        training.without_folder().check().map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(check("6"), Ok(()));
    assert_eq!(
        check("7").unwrap_err(),
        "accumulate: a step has 7 micro-batches, but 48 samples in batches of 8 are 6: no step would be complete; use at \
         most 6, or a smaller `batch`"
    );
}
