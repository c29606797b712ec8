//! The losses as plain loops in f64.

use super::{ClassLoss, Layout};

/// The losses of the places, and their gradients by the logits.
pub(super) fn run(loss: &ClassLoss<'_>, logits: &[f64], targets: &[u32]) -> (Vec<f64>, Vec<f64>) {
    let ClassLoss { samples, classes, places, .. } = *loss;
    let (e, gamma) = (f64::from(loss.label_smoothing), f64::from(loss.gamma));
    let at = |sample: usize, place: usize, class: usize| match loss.layout {
        Layout::ClassesFirst => (sample * classes + class) * places + place,
        Layout::ClassesLast => (sample * places + place) * classes + class,
    };
    let weight = |class: usize| loss.weights.get(class).map_or(1.0, |&weight| f64::from(weight));
    let (mut losses, mut d) = (Vec::new(), vec![0.0; logits.len()]);
    for sample in 0..samples {
        for place in 0..places {
            let target = targets[sample * places + place];
            if loss.ignored == Some(target) {
                losses.push(0.0);
                continue;
            }
            let target = target as usize;
            let z: Vec<f64> = (0..classes).map(|class| logits[at(sample, place, class)]).collect();
            let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = largest + z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
            let p: Vec<f64> = z.iter().map(|z| (z - log_sum).exp()).collect();
            let others: f64 = (0..classes).filter(|&class| class != target).map(|class| p[class]).sum();
            let log_p = -(others / p[target]).ln_1p();
            let factor = if gamma == 0.0 { 1.0 } else { others.powf(gamma) };
            let focal = -weight(target) * factor * log_p;
            let spread = (0..classes).map(|class| weight(class) * (log_sum - z[class])).sum::<f64>();
            losses.push((1.0 - e) * focal + if e > 0.0 { e * spread / classes as f64 } else { 0.0 });
            let bend = if gamma == 0.0 { 0.0 } else { gamma * others.powf(gamma - 1.0) * p[target] * log_p };
            let slope = weight(target) * (factor - bend);
            let mean = (0..classes).map(weight).sum::<f64>() / classes as f64;
            for (class, p) in p.iter().enumerate() {
                // `p - 1`, also where that would be 0 in f64.
                let distance = if class == target { -others } else { *p };
                d[at(sample, place, class)] =
                    (1.0 - e) * slope * distance + e * (mean * p - weight(class) / classes as f64);
            }
        }
    }
    (losses, d)
}
