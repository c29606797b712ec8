//! Arguments of `--set`: keys, and values in JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use trainspec::prelude::*;

use super::campaign::{Campaign, Work};
use super::edit::{edited, edits};
use super::model_file::{Net, points};

train! {
    Everything {
        model: Net,
        data: points(),
        metrics: [Accuracy, F1],
        batch: 4,
        epochs: 2,
        groups: [Group { pattern: "linear_1.*", lr: 0.5 }],
        schedule: [Warmup { steps: 2 }, CosineRestarts { period: Steps(4), steps: 4 }, MultiStep { at: &[Steps(1)] }],
        scale_lr: LinearScaling { base_batch: 256 },
        clip: GlobalNorm { max: 1.0 },
        gradient_noise: GradientNoise { eta: 0.01 },
        mix: Mixup { alpha: 0.2 },
        constrain: MaxNorm { max: 1.0 },
        ema: Ema { half_life: 10.0 },
        early_stop: EarlyStop { patience: 2 },
        checkpoint: Checkpoint { every: Steps(10), keep: 2 },
        precision: F16 { loss_scale: Dynamic },
        init_from: InitFrom {
            file: "none.safetensors",
            names: &[Rename { from: "a.**", to: "b.**" }],
            only: &["**"],
            except: &["linear_1.*"],
            ignore: &["c"],
        },
    }
}

/// Every key, at every depth.
fn keys(json: &Value, above: &str, keys: &mut Vec<(String, String)>) {
    let mut add = |name: String, value: &Value| {
        let key = if above.is_empty() { name } else { format!("{above}.{name}") };
        keys.push((key.clone(), value.to_string()));
        self::keys(value, &key, keys);
    };
    match json {
        Value::Object(map) => map.iter().for_each(|(name, value)| add(name.clone(), value)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, value)| add(place.to_string(), value));
        }
        _ => {}
    }
}

/// JSON of any shape.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..9_u8).prop_map(Value::from),
        prop_oneof![
            Just("Steps"),
            Just("Epochs"),
            Just("type"),
            Just("*.**"),
            Just("../x"),
            Just("\0\u{1b}[2J")
        ]
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = || {
        prop_oneof![Just("type".to_owned()), Just("Steps".to_owned()), Just("lr".to_owned()), any::<String>()]
    };
    let value = leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(key(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}

#[derive(Clone, Debug)]
enum Given {
    /// The current value with changes.
    Changed(Vec<super::edit::Edit>),
    Json(String),
    Any(String),
    Nested(usize, bool),
}

#[test]
fn random_settings_do_not_panic() {
    let mut known = Vec::new();
    keys(&Everything::experiment().settings().unwrap().to_json(), "", &mut known);
    assert!(known.len() > 100, "{}", known.len());
    let given = prop_oneof![
        4 => edits().prop_map(Given::Changed),
        4 => json().prop_map(Given::Json),
        1 => any::<String>().prop_map(Given::Any),
        1 => (1..20_000_usize, any::<bool>()).prop_map(|(depth, closed)| Given::Nested(depth, closed)),
    ];
    let other = prop_oneof![9 => Just(None), 1 => any::<String>().prop_map(Some)];
    let cases = (0..known.len(), given, other, 0..8_u8);
    let campaign = Campaign { target: "settings", cases: 6000, each: 64, besides: 1 << 18 };
    campaign.run(&cases, |(number, given, other, also)| -> Work<'static> {
        let (key, value) = &known[number];
        let value = match given {
            Given::Changed(edits) => String::from_utf8_lossy(&edited(value.as_bytes(), &edits)).into_owned(),
            Given::Json(text) | Given::Any(text) => text,
            Given::Nested(depth, closed) => {
                "[".repeat(depth) + &if closed { "]".repeat(depth) } else { String::new() }
            }
        };
        let key = other.unwrap_or_else(|| key.clone());
        (
            key.len() + value.len(),
            Box::new(move || {
                let work = || -> trainspec::Result<()> {
                    let mut training = Everything::experiment().set(&key, &value)?;
                    training.spec()?;
                    if also == 0 {
                        let schedule = training.schedule()?;
                        let last = schedule.steps().saturating_sub(1);
                        for k in [0, 1, last / 2, last] {
                            assert!(!schedule.rate(k).is_nan(), "step {k}");
                        }
                    } else if also == 1 {
                        training.set("init_from", "null")?.check()?;
                    }
                    Ok(())
                };
                work().map_err(|error| error.to_string())
            }),
        )
    });
}
