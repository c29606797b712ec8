use super::NegativeLogLikelihood;

fn run(loss: &NegativeLogLikelihood<'_>, log_p: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut d = vec![f32::NAN; log_p.len()];
    let sum = loss.forward_backward(log_p, targets, &mut d);
    assert_eq!(sum.to_bits(), loss.forward(log_p, targets).to_bits());
    (sum, d)
}

/// Inside the classes and outside; the contents of an ignored row are not read.
#[test]
fn ignored_targets_have_no_effect() {
    for ignored in [0, 255] {
        let loss = NegativeLogLikelihood { classes: 2, weights: &[], ignored: Some(ignored) };
        let log_p = [f32::NAN, f32::NAN, -1.0, -2.0];
        assert_eq!(run(&loss, &log_p, &[ignored, 1]), (2.0, vec![0.0, 0.0, 0.0, -1.0]));
        assert_eq!(run(&loss, &log_p, &[ignored; 2]), (0.0, vec![0.0; 4]));
    }
}

#[test]
fn zero_probability_class_has_infinite_loss() {
    let loss = NegativeLogLikelihood { classes: 2, weights: &[], ignored: None };
    let log_p = [f32::NEG_INFINITY, 0.0];
    assert_eq!(run(&loss, &log_p, &[1]), (0.0, vec![0.0, -1.0]));
    assert_eq!(run(&loss, &log_p, &[0]), (f64::INFINITY, vec![-1.0, 0.0]));
    assert_eq!(run(&loss, &[], &[]), (0.0, Vec::new()));
}

#[test]
#[should_panic(expected = "target 2 is not below the number of classes")]
fn target_above_class_count_is_rejected() {
    run(&NegativeLogLikelihood { classes: 2, weights: &[], ignored: None }, &[0.0; 2], &[2]);
}
