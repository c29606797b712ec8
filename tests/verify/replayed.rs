//! The model as it was.

use trainspec::prelude::*;

use super::{Averaged, Net, checkpoint, ended, files, killed, write};

/// The weights, bit for bit.
fn bits(model: &TrainedModel<Net>) -> Vec<(String, Vec<u32>)> {
    let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let tensors = model.parameters();
    tensors
        .map(|(path, tensor)| (path.to_owned(), numbers(tensor).into_iter().map(f32::to_bits).collect()))
        .collect()
}

/// At each step, with or without a checkpoint of its own.
#[test]
fn a_model_is_what_a_checkpoint_at_the_step_would_hold() {
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
fn a_step_that_the_run_has_not_taken_is_refused() {
    let (out, folder) = ended();
    for (step, folder, last) in [(0, &folder, 24), (25, &folder, 24)] {
        let problem = Averaged::experiment().replay(folder, step).unwrap_err().to_string();
        let words = format!("has no step {step}; expected one of 1 to {last}, ");
        assert!(problem.starts_with("replay: ") && problem.contains(&words), "{problem}");
    }
    let ended = out.path().join("ended");
    write(&ended, &killed(&files(&folder), 14));
    assert!(Averaged::experiment().replay(&ended, 14).is_ok());
    let problem = Averaged::experiment().replay(&ended, 15).unwrap_err().to_string();
    assert!(problem.contains("expected one of 1 to 14, "), "{problem}");
}

/// A checkpoint that is damaged is of no use, and one before it is used instead; what then follows is held against the record.
#[test]
fn what_is_replayed_is_what_is_on_record() {
    let (_out, folder) = ended();
    let whole = Averaged::experiment().replay(&folder, 14).unwrap();
    std::fs::write(folder.join(checkpoint(12)).join("state.json"), "{").unwrap();
    let again = Averaged::experiment().replay(&folder, 14);
    // The checkpoint that is passed over is on the way, and is not what it was.
    let problem = again.unwrap_err().to_string();
    assert!(
        problem.contains("step 12: `the checkpoint` in checkpoints/step-00000012 was not whole"),
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
        problem.contains("the run and its record differ: step 13: `loss` in metrics.jsonl was 1"),
        "{problem}"
    );
}
