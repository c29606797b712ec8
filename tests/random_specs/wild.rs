//! Any text for any key: the result is an error that names the key, or a valid run.

use std::mem::discriminant;

use serde_json::Value;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Error, Experiment};

use super::dice::Dice;
use super::draw::CHANGES;
use super::judge::{Program, Seen, out_of_range, refused};

/// Values of every type, at and beyond their limits.
const TEXTS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "2",
    "-1",
    "3.5",
    "0.5",
    "1e-300",
    "1e-45",
    "5e-324",
    "1e39",
    "1e308",
    "1e400",
    "-0.0",
    "NaN",
    "inf",
    "-inf",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "999999999999999999",
    "",
    " ",
    "word",
    "\"text\"",
    "\"NaN\"",
    "[]",
    "[[]]",
    "[0]",
    "[1,2,3]",
    "[0.9,0.999]",
    "[1e308,1e308,1e308]",
    "[null]",
    "{}",
    "{\"a\":{\"b\":[]}}",
    "{\"Steps\":0}",
    "{\"Steps\":18446744073709551615}",
    "{\"Epochs\":18446744073709551615}",
    "{\"Epochs\":1}",
    "{\"Steps\":-1}",
    "[{\"Steps\":18446744073709551615}]",
    "[{\"Steps\":2},{\"Epochs\":1}]",
    "Sum",
    "Macro",
    "Binary",
    "All",
    "Zeros",
    "{\"Normal\":{\"std\":1e308}}",
    "{\"Orthogonal\":{\"gain\":1e-320}}",
    "Bf16",
    "F16",
    "{\"type\":\"F16\",\"loss_scale\":\"Dynamic\"}",
    "{\"type\":\"F16\",\"loss_scale\":{\"init\":1,\"growth\":1e308,\"interval\":1}}",
    "{\"type\":\"F16\",\"loss_scale\":4294967296}",
    "{\"type\":\"Nothing\"}",
    "{\"type\":3}",
    "{\"every\":{\"Steps\":1}}",
    "{\"every\":{\"Epochs\":18446744073709551615},\"keep\":18446744073709551615}",
    "{\"patience\":1}",
    "{\"monitor\":\"val_nothing\"}",
    "{\"monitor\":\"val_accuracy\",\"patience\":18446744073709551615}",
    "{\"eta\":1e308}",
    "{\"limit\":18446744073709551615}",
    "{\"decay\":0.5}",
    "{\"half_life\":5e-324}",
    "cpu",
    "Stop",
    "val_loss",
    "val_",
    "val_accuracy",
    "**",
    "a.**b",
    "ä",
    "[\"no_weight_decay\"]",
    "{\"pattern\":\"**\",\"freeze\":true}",
];

/// Keys that do not exist, and unusual ones.
const JUNK: [&str; 8] =
    ["", ".", "no.such", "batch.0", "optimizer.", "optimizer.type", "metrics.99.k", "steps.steps"];

/// Returns every path of a JSON value that a key can name.
fn places(json: &Value, prefix: &str, into: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match json {
        Value::Object(keys) => keys.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in below {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        places(value, &path, into);
        into.push(path);
    }
}

/// Returns the value at a path of a JSON value.
fn place<'a>(json: &'a Value, key: &str) -> Option<&'a Value> {
    json.pointer(&format!("/{}", key.replace('.', "/")))
}

/// Returns a text, mostly of the expected type: the others are rejected for their type alone.
fn text_for(expected: Option<&Value>, dice: &mut Dice) -> &'static str {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let is_alike = |text: &&&str| Some(discriminant(&read(text))) == expected.map(discriminant);
    let alike: Vec<&str> = TEXTS.iter().filter(is_alike).copied().collect();
    if alike.is_empty() || dice.once_in(4) { dice.one_of(TEXTS) } else { dice.one_of(&alike) }
}

/// The error with which an observer stops a long run.
const ENOUGH: &str = "enough was seen";

impl<M: Model> Program<M> {
    /// Makes some accepted changes first, so that keys exist that are absent by default.
    fn with_some(&self, dice: &mut Dice) -> Result<Experiment<M>, Error> {
        let changes: Vec<_> =
            (0..6).map(|_| (dice.below(CHANGES.len()), dice.below(usize::MAX) as u64)).collect();
        let changed = self.changed(&changes, |_| ());
        let is_accepted = changed.and_then(|mut training| training.settings().map(|_| ())).is_ok();
        self.changed(if is_accepted { &changes } else { &[] }, |_| ())
    }

    pub(crate) fn judge_text(&self, seed: u64, shown: &mut String) -> Result<Seen, String> {
        let mut dice = Dice::new(seed);
        let text_of = |error: Error| error.to_string();
        let out = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut training = self.with_some(&mut dice).map_err(text_of)?.out(out.path());
        let mut all_refused = true;
        for _ in 0..=dice.below(3) {
            let before = training.settings().map_err(text_of)?.to_json();
            let mut keys = Vec::new();
            places(&before, "", &mut keys);
            keys.extend(JUNK.map(str::to_owned));
            let key = dice.one_of(&keys);
            let text = text_for(place(&before, &key), &mut dice);
            shown.extend([&key, "=", text, " "]);
            let mut set = Ok(());
            training = training.with_config(|settings| set = settings.set(&key, text));
            let after = training.settings().map_err(text_of)?.to_json();
            match set {
                Ok(()) => all_refused = false,
                Err(error) if before != after => return Err(format!("`{error}`, but {before} is {after}")),
                Err(error) => drop(refused(&error)?),
            }
        }
        shown.push_str(&training.settings().map_err(text_of)?.to_json().to_string());
        if all_refused {
            return Ok(Seen::Refused);
        }
        let (mut has_started, mut events) = (false, 0);
        let run = training.run_with(&mut |event: &Event<'_>| {
            has_started |= matches!(event, Event::Begin(_));
            events += u64::from(matches!(event, Event::Step(_) | Event::Skip(_)));
            // The run may be too long to complete.
            if events > 30 { Err(Error::Dataset(ENOUGH.to_owned())) } else { Ok(()) }
        });
        match run {
            Ok(_) => Ok(Seen::Finished),
            Err(error) if error.to_string().contains(ENOUGH) => Ok(Seen::Finished),
            Err(error) if has_started => out_of_range(&error),
            Err(error) => refused(&error),
        }
    }
}
