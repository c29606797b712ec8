//! `folds.json`: the runs of a cross-validation and their results.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::student::{CONFIDENCE, Estimate};
use crate::data::{Division, FoldPlan};
use crate::error::{Error, Result};
use crate::files::{is_no_file, pretty, read_file, write_atomic};

/// The name of the file.
pub(super) const FILE: &str = "folds.json";

/// The format that this version writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    format: u32,
    name: String,
    pub(super) k: usize,
    pub(super) seed: u64,
    pub(super) spec_hash: String,
    pub(super) data_fingerprint: String,
    /// Whether each class is divided.
    pub(super) division: Division,
    /// The samples that are divided, and the test samples that are not.
    pub(super) samples: usize,
    pub(super) test_samples_left_out: usize,
    /// The finished folds, in order.
    pub(super) folds: Vec<Finished>,
    /// Mean, standard deviation and interval of each validation metric, once all folds are finished.
    metrics: Value,
    confidence: f64,
}

/// A finished fold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finished {
    /// From 1.
    pub(super) fold: usize,
    /// Its run folder, below that of the cross-validation.
    pub(super) run: String,
    /// The evaluation of its final model on its validation samples, as in the manifest of the run.
    pub(super) validation: Value,
}

impl Record {
    /// The record before the first fold.
    pub(super) fn new(
        name: &str,
        k: usize,
        seed: u64,
        spec_hash: &str,
        fingerprint: &str,
        plan: FoldPlan,
    ) -> Self {
        Self {
            format: FORMAT,
            name: name.to_owned(),
            k,
            seed,
            spec_hash: spec_hash.to_owned(),
            data_fingerprint: fingerprint.to_owned(),
            division: plan.division,
            samples: plan.samples,
            test_samples_left_out: plan.left_out,
            folds: Vec::new(),
            metrics: Value::Null,
            confidence: CONFIDENCE,
        }
    }

    /// Takes the finished folds from the file in this folder, if it has one.
    ///
    /// # Errors
    /// If the file cannot be read, or is that of another cross-validation.
    pub(super) fn continued(mut self, folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = match read_file(&path) {
            Err(error) if is_no_file(&error) => return Ok(self),
            bytes => bytes.map_err(Error::file(&path))?,
        };
        let fault = |problem: &str| Error::File {
            path: path.clone(),
            cause: std::io::Error::other(format!(
                "{problem}; remove the folder, or choose another with `--out`"
            )),
        };
        let found: Self = serde_json::from_slice(&bytes)
            .map_err(|error| fault(&format!("not the record of a cross-validation: {error}")))?;
        if found.format != FORMAT {
            return Err(fault(&format!("has the format {}; this version reads {FORMAT}", found.format)));
        }
        let of = |record: &Self| {
            let divided = (record.division, record.samples, record.test_samples_left_out);
            (record.k, record.seed, record.spec_hash.clone(), record.data_fingerprint.clone(), divided)
        };
        if of(&found) != of(&self) {
            return Err(fault("the record of a cross-validation with another spec or other data"));
        }
        let is_next =
            |(place, finished): (usize, &Finished)| finished.fold == place + 1 && finished.fold <= self.k;
        if !found.folds.iter().enumerate().all(is_next) {
            return Err(fault("its folds are not in order"));
        }
        self.folds = found.folds;
        Ok(self)
    }

    pub(super) fn write(&mut self, folder: &Path) -> Result<()> {
        self.metrics = match self.estimates() {
            Some(estimates) => {
                estimates.iter().map(|(name, estimate)| (name.clone(), entry(*estimate))).collect()
            }
            None => Value::Null,
        };
        let json =
            serde_json::to_value(&*self).map_err(|_| Error::Internal("a cross-validation is not JSON"))?;
        write_atomic(&folder.join(FILE), pretty(&json).as_bytes())
    }

    /// The estimate of each validation metric; `None` before all folds are finished.
    pub(super) fn estimates(&self) -> Option<BTreeMap<String, Estimate>> {
        if self.folds.len() < self.k {
            return None;
        }
        let measures: Vec<_> = self.folds.iter().map(Finished::measures).collect();
        let names = measures.first()?.keys();
        let estimate = |name: &String| {
            let values: Vec<f64> =
                measures.iter().map(|measures| measures.get(name).copied().unwrap_or(f64::NAN)).collect();
            (name.clone(), Estimate::of(&values))
        };
        Some(names.map(estimate).collect())
    }
}

fn entry(estimate: Estimate) -> Value {
    let Estimate { mean, deviation, interval } = estimate;
    // A value that is not finite is `null`.
    json!({ "mean": mean, "standard_deviation": deviation, "interval": interval })
}

impl Finished {
    /// The number of validation samples.
    pub(super) fn samples(&self) -> u64 {
        self.validation.get("samples").and_then(Value::as_u64).unwrap_or(0)
    }

    /// The loss and each metric that is a number; an undefined one is NaN.
    pub(super) fn measures(&self) -> BTreeMap<String, f64> {
        let entries = self.validation.as_object().into_iter().flatten();
        let entries = entries.filter(|(name, _)| *name != "samples");
        let number = |value: &Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
        entries.filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect()
    }
}
