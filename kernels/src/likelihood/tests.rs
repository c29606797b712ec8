use super::NegativeLogLikelihood;

fn run(loss: &NegativeLogLikelihood<'_>, log_p: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // What was in the gradient must not show.
    let mut d = vec![f32::NAN; log_p.len()];
    let sum = loss.forward_backward(log_p, targets, &mut d);
    assert_eq!(sum.to_bits(), loss.forward(log_p, targets).to_bits());
    (sum, d)
}

/// Inside the classes and outside; what stands in an ignored row is not looked at.
#[test]
fn what_is_ignored_counts_for_nothing() {
    for ignored in [0, 255] {
        let loss = NegativeLogLikelihood { classes: 2, weights: &[], ignored: Some(ignored) };
        let log_p = [f32::NAN, f32::NAN, -1.0, -2.0];
        assert_eq!(run(&loss, &log_p, &[ignored, 1]), (2.0, vec![0.0, 0.0, 0.0, -1.0]));
        assert_eq!(run(&loss, &log_p, &[ignored; 2]), (0.0, vec![0.0; 4]));
    }
}

#[test]
fn a_class_that_cannot_be_costs_without_bound() {
    let loss = NegativeLogLikelihood { classes: 2, weights: &[], ignored: None };
    let log_p = [f32::NEG_INFINITY, 0.0];
    assert_eq!(run(&loss, &log_p, &[1]), (0.0, vec![0.0, -1.0]));
    assert_eq!(run(&loss, &log_p, &[0]), (f64::INFINITY, vec![-1.0, 0.0]));
    assert_eq!(run(&loss, &[], &[]), (0.0, Vec::new()));
}

#[test]
#[should_panic(expected = "target 2 is not below the number of classes")]
fn a_target_is_a_class() {
    run(&NegativeLogLikelihood { classes: 2, weights: &[], ignored: None }, &[0.0; 2], &[2]);
}
