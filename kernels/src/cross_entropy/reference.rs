//! Cross entropy as plain loops in f64.

use super::CrossEntropy;

/// The losses of the rows and their gradients.
pub(super) fn run(loss: &CrossEntropy<'_>, logits: &[f64], targets: &[u32]) -> (Vec<f64>, Vec<f64>) {
    let smoothing = f64::from(loss.label_smoothing);
    let (mut losses, mut d) = (Vec::new(), Vec::new());
    for (row, &target) in logits.chunks(loss.classes.max(1)).zip(targets) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = largest + row.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
        if loss.ignored == Some(target) {
            losses.push(0.0);
            d.extend(row.iter().map(|_| 0.0));
            continue;
        }
        let share = |class: usize| {
            let right = if class == target as usize { 1.0 - smoothing } else { 0.0 };
            let weight = loss.weights.get(class).map_or(1.0, |&weight| f64::from(weight));
            (right + smoothing / loss.classes as f64) * weight
        };
        let all: f64 = (0..row.len()).map(share).sum();
        let terms = row.iter().enumerate().filter(|&(class, _)| share(class) != 0.0);
        losses.push(terms.map(|(class, z)| share(class) * (log_sum - z)).sum());
        d.extend(row.iter().enumerate().map(|(class, z)| all * (z - log_sum).exp() - share(class)));
    }
    (losses, d)
}
