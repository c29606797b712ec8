//! Replayed models.

use trainspec::TrainedModel;

use super::{Averaged, Net, checkpoint, ended, files, killed, write};

/// Returns the weights as bits.
fn bits(model: &TrainedModel<Net>) -> Vec<(String, Vec<u32>)> {
    let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let tensors = model.parameters();
    tensors
        .map(|(path, tensor)| (path.to_owned(), numbers(tensor).into_iter().map(f32::to_bits).collect()))
        .collect()
}

/// At each step, with or without a checkpoint.
#[test]
fn replayed_model_equals_checkpoint_at_step() {
    let (out, sparse) = ended();
    let every = || Averaged::experiment().set("checkpoint.every", r#"{ "Steps": 1 }"#).unwrap();
    let dense = every().out(out.path().join("dense")).run().unwrap().folder.unwrap();
    for step in 1..=24 {
        let replayed = Averaged::experiment().replay(&sparse, step).unwrap();
        let file = |name: &str| dense.join(checkpoint(step)).join(name);
        let expected = Averaged::experiment().load(file("model.safetensors")).unwrap();
        assert_eq!(bits(&replayed.model), bits(&expected), "step {step}");
        let expected = Averaged::experiment().load(file("ema.safetensors")).unwrap();
        assert_eq!(bits(&replayed.average.unwrap()), bits(&expected), "the average of step {step}");
        let path = out.path().join(step.to_string());
        replayed.model.save(&path).unwrap();
        assert!(
            std::fs::read(path).unwrap() == std::fs::read(file("model.safetensors")).unwrap(),
            "step {step}"
        );
    }
}

#[test]
fn replay_beyond_last_step_is_rejected() {
    let (out, folder) = ended();
    for (step, folder, last) in [(0, &folder, 24), (25, &folder, 24)] {
        let problem = Averaged::experiment().replay(folder, step).unwrap_err().to_string();
        let words = format!("has no step {step}; expected a step from 1 to {last}, ");
        assert!(problem.starts_with("replay: ") && problem.contains(&words), "{problem}");
    }
    let ended = out.path().join("ended");
    write(&ended, &killed(&files(&folder), 14));
    assert!(Averaged::experiment().replay(&ended, 14).is_ok());
    let problem = Averaged::experiment().replay(&ended, 15).unwrap_err().to_string();
    assert!(problem.contains("expected a step from 1 to 14, "), "{problem}");
}

/// A damaged checkpoint is skipped for an earlier one; the following steps are checked against the run folder.
#[test]
fn replay_is_checked_against_run_folder() {
    let (_out, folder) = ended();
    let whole = Averaged::experiment().replay(&folder, 14).unwrap();
    std::fs::write(folder.join(checkpoint(12)).join("state.json"), "{").unwrap();
    let again = Averaged::experiment().replay(&folder, 14);
    // The skipped checkpoint is compared too, and differs.
    let problem = again.unwrap_err().to_string();
    assert!(
        problem.contains("step 12: `the checkpoint` in checkpoints/step-00000012 was damaged"),
        "{problem}"
    );
    std::fs::remove_dir_all(folder.join(checkpoint(12))).unwrap();
    assert_eq!(bits(&Averaged::experiment().replay(&folder, 14).unwrap().model), bits(&whole.model));
    let log = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let place = log.find(r#""step":13,"#).unwrap();
    let changed = format!("{}{}", &log[..place], log[place..].replacen("\"loss\":", "\"loss\":1", 1));
    std::fs::write(folder.join("metrics.jsonl"), changed).unwrap();
    let problem = Averaged::experiment().replay(&folder, 14).unwrap_err().to_string();
    assert!(
        problem.contains("the re-run differs from the record: step 13: `loss` in metrics.jsonl was 1"),
        "{problem}"
    );
}
