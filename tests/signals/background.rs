//! Checkpoints are written in the background; an error there stops the run.

use std::fs;

use trainspec::trainer::Event;

use super::instants::Stateful;
use super::{manifest, only};

/// Returns the steps and the error of a run whose checkpoints cannot be written, since a file is in their place.
fn ended_by_its_writer(every: u64) -> (u64, String) {
    let out = tempfile::tempdir().unwrap();
    let mut steps = 0;
    let mut look = |event: &Event<'_>| {
        match event {
            Event::Begin(_) => {
                let folder = only(&out.path().join("stateful")).unwrap();
                fs::write(folder.join("checkpoints"), "in the way").unwrap();
            }
            Event::Step(report) => steps = report.step,
            _ => {}
        }
        Ok(())
    };
    let training =
        Stateful::experiment().set("checkpoint.every", &format!(r#"{{"Steps":{every}}}"#)).unwrap();
    let problem = training.out(out.path()).run_with(&mut look).unwrap_err().to_string();
    let folder = only(&out.path().join("stateful")).unwrap();
    assert_eq!(manifest(&folder)["exit"], format!("failed: {problem}"));
    // A run that has taken its last step has its model, even without its checkpoint.
    assert_eq!(folder.join("model.safetensors").exists(), steps == 12);
    (steps, problem)
}

/// The error is reported at the next checkpoint at the latest, or at the end of the run.
#[test]
fn failed_checkpoint_write_stops_run() {
    for (every, last) in [(2, 4), (12, 12)] {
        let (steps, problem) = ended_by_its_writer(every);
        assert!(problem.contains("checkpoints: "), "{problem}");
        assert!(steps <= last, "{steps} steps, of which every {every} is to be saved");
    }
}

/// A checkpoint of an interruption that cannot be written is an error too, since the state would be lost silently.
#[test]
fn failed_save_on_interruption_is_an_error() {
    let out = tempfile::tempdir().unwrap();
    let handle = trainspec::interrupt::Interrupt::new();
    let mut look = |event: &Event<'_>| {
        if let Event::Begin(_) = event {
            let folder = only(&out.path().join("stateful")).unwrap();
            fs::write(folder.join("checkpoints"), "in the way").unwrap();
            handle.request();
        }
        Ok(())
    };
    let training = Stateful::experiment().out(out.path()).interrupted_by(&handle);
    let problem = training.run_with(&mut look).unwrap_err().to_string();
    assert!(problem.contains("checkpoints: "), "{problem}");
}
