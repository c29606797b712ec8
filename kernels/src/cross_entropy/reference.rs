//! Cross entropy as plain loops in f64.

use super::CrossEntropy;

/// The losses of the rows and their gradients.
pub(super) fn run(loss: &CrossEntropy, logits: &[f64], targets: &[u32]) -> (Vec<f64>, Vec<f64>) {
    let smoothing = f64::from(loss.label_smoothing);
    let (mut losses, mut d) = (Vec::new(), Vec::new());
    for (row, &target) in logits.chunks(loss.classes.max(1)).zip(targets) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = largest + row.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
        let share = |class: usize| {
            let right = if class == target as usize { 1.0 - smoothing } else { 0.0 };
            right + smoothing / loss.classes as f64
        };
        let terms = row.iter().enumerate().filter(|&(class, _)| share(class) != 0.0);
        losses.push(terms.map(|(class, z)| share(class) * (log_sum - z)).sum());
        d.extend(row.iter().enumerate().map(|(class, z)| (z - log_sum).exp() - share(class)));
    }
    (losses, d)
}
