//! Restores the state of a run folder's observers at a line of `metrics.jsonl`.

use serde_json::Value;

use super::curves::Curves;

/// The state that the lines of a run restore.
pub(super) struct Replayed {
    /// The picture so far.
    pub(super) curves: Curves,
    /// The last step of the best epoch so far.
    pub(super) best: Option<u64>,
}

/// Reads the lines of the run `name`.
pub(super) fn replay(name: &str, lines: &[u8]) -> Result<Replayed, String> {
    let mut replayed = Replayed { curves: Curves::new(name), best: None };
    for (place, line) in lines.split(|&byte| byte == b'\n').enumerate() {
        if !line.is_empty() {
            let fault = || format!("line {} of `metrics.jsonl` is not one that a run writes", place + 1);
            let line = serde_json::from_slice(line).map_err(|_| fault())?;
            replayed.take(&line).ok_or_else(fault)?;
        }
    }
    Ok(replayed)
}

impl Replayed {
    fn take(&mut self, line: &Value) -> Option<()> {
        match line.get("kind")?.as_str()? {
            "step" => self.curves.step(line.get("step")?.as_u64()?, number(line.get("lr")?)?),
            "skip" => {}
            "epoch" => {
                let epoch = line.get("epoch")?.as_u64()?;
                for (part, key) in ["training", "validation"].into_iter().enumerate() {
                    let Value::Object(measured) = line.get(key)? else { continue };
                    let is_metric = |name: &str| !["loss", "samples"].contains(&name);
                    let metrics = measured.iter().filter(|(name, _)| is_metric(name));
                    // A value that is not a number is a table.
                    let metrics = metrics.filter_map(|(name, value)| Some((name.as_str(), number(value)?)));
                    self.curves.add(epoch, part, number(measured.get("loss")?)?, metrics);
                }
                if line.get("is_best")?.as_bool()? {
                    self.best = Some(line.get("step")?.as_u64()?);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// A value that JSON does not support is `null`.
pub(super) fn number(value: &Value) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
}
