//! Faults that random specs have found: each spec trained for an epoch, or one step, before it failed.

use trainspec::prelude::*;
use trainspec::spec::Precision;
use trainspec::{Config, Error, Experiment, Result};

#[model]
fn Net(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).relu().linear(out = 2)
}

/// 24 points; the validation points are all of one class.
struct OneSided;

impl Dataset for OneSided {
    type Input = Features<2>;
    type Target = Class<2>;

    fn len(&self) -> usize {
        24
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        input.fill(index as f32 / 12.0 - 1.0);
        target.fill(u32::from(index < 16 && index.is_multiple_of(3)));
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..16, validation: 16..20, test: 20..24 }
    }
}

train! {
    OneSidedRun { model: Net, data: OneSided, metrics: [Accuracy, Auroc], batch: 4, steps: 6 }
}

/// Returns the error of a check and a run, which must be equal, and asserts that the run leaves no files.
#[track_caller]
fn refusal(training: impl Fn() -> Result<Experiment<Net>>) -> String {
    let out = tempfile::tempdir().unwrap();
    let with_folder = || training().map(|training| training.out(out.path()));
    let said = |error: Error| error.to_string();
    let run = with_folder().and_then(Experiment::run).map(|_| ()).map_err(said);
    let check = with_folder().and_then(Experiment::check).map(|_| ()).map_err(said);
    assert_eq!(run, check);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    run.unwrap_err()
}

#[test]
fn monitored_metric_undefined_on_validation_is_rejected() {
    let monitor = |stop| OneSidedRun::experiment().set("early_stop", stop);
    let expected =
        "`auroc` is not defined on the 4 validation samples, for any prediction; monitor another metric";
    let found = refusal(|| monitor(r#"{"monitor":"val_auroc"}"#));
    assert!(found.starts_with(&format!("early_stop.monitor: {expected}")), "{found}");
    let found = refusal(|| {
        Ok(OneSidedRun::experiment().with_config(|settings| {
            settings.schedule =
                vec![Box::new(ReduceOnPlateau { monitor: ValMetric("auroc"), ..ReduceOnPlateau })];
        }))
    });
    assert!(found.starts_with(&format!("schedule.0.monitor: {expected}")), "{found}");
    assert!(monitor(r#"{"monitor":"val_accuracy"}"#).unwrap().without_folder().run().is_ok());
}

#[test]
fn check_rejects_what_run_rejects() {
    let found = refusal(|| {
        Ok(OneSidedRun::experiment().with_config(|settings| {
            settings.schedule = vec![Box::new(Warmup { steps: 5, ..Warmup::DEFAULT })];
        }))
    });
    assert!(found.starts_with("schedule: the phases end after 5 steps"), "{found}");
    let without = || OneSidedRun::experiment().set("checkpoint", r#"{"keep":1}"#).unwrap().without_folder();
    let found = without().check().unwrap_err().to_string();
    assert!(found.starts_with("checkpoint: there is no run folder"), "{found}");
    assert_eq!(without().run().unwrap_err().to_string(), found);
}

#[test]
fn rejected_length_leaves_spec_unchanged() {
    let mut refused = Ok(());
    let mut training =
        OneSidedRun::experiment().with_config(|settings| refused = settings.set("epochs", "0"));
    assert!(refused.unwrap_err().to_string().starts_with("epochs is 0; expected at least 1"));
    assert_eq!((training.settings().unwrap().steps, training.settings().unwrap().epochs), (Some(6), None));
}

/// Values of f64 that are 0 or infinite in f32, which the arithmetic uses.
#[test]
fn values_outside_f32_range_are_rejected() {
    let refused =
        |key: &str, value: &str| OneSidedRun::experiment().set(key, value).err().unwrap().to_string();
    for (key, value, words) in [
        ("optimizer.lr", "1e39", "lr is 1e39; expected a number from 1.2e-38 to 3.4e38"),
        ("optimizer.lr", "1e-60", "lr is 1e-60; expected"),
        ("optimizer.l1", "1e39", "l1 is 1e39; expected 0 or more, within the range of f32"),
        ("gradient_noise", r#"{"eta":1e39}"#, "eta is 1e39"),
        (
            "init",
            r#"{"Uniform":{"bound":1e39}}"#,
            "init.bound is 1e39; expected a number above 0, within the range",
        ),
        ("init", r#"{"Normal":{"std":1e-60}}"#, "init.std is 1e-60"),
        ("loss.weights", "[1e-60,1e-60]", "weights has only zeros"),
    ] {
        let found = refused(key, value);
        assert!(found.contains(words), "{key} {value}: {found}");
    }
    for problem in [
        GlobalNorm { max: 1e-60 }.check(),
        ClipValue { max: 1e39 }.check(),
        MaxNorm { max: 1e-60 }.check(),
        SmoothL1 { beta: 1e-60, ..SmoothL1 }.check(),
        AdaGrad { initial_accumulator: 1e39, ..AdaGrad }.check().map(drop),
        batch_norm { eps: 1e-60, ..batch_norm::DEFAULT }.check(),
        leaky_relu { slope: 1e39 }.check(),
    ] {
        assert!(problem.unwrap_err().as_str().contains("f32"), "{problem:?}");
    }
    let found = refusal(|| {
        Ok(OneSidedRun::experiment().with_config(|settings| {
            settings.schedule =
                vec![Box::new(Exponential { factor: 1e20, every: Steps(1), ..Exponential::DEFAULT })];
        }))
    });
    assert!(found.contains("expected learning rates within the range of f32"), "{found}");
}

/// The override of a key that was changed in code is recorded, and only that.
#[test]
fn overrides_in_code_are_recorded() {
    let training = OneSidedRun::experiment().with_config(|settings| {
        settings.precision = Precision::Bf16;
        (settings.steps, settings.epochs) = (None, Some(3));
    });
    let expected = [("epochs", "3"), ("precision", "\"Bf16\"")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(training.overrides(), expected);
}
