//! Advice on keys that have no effect with the optimizer, or too much.

use super::Facts;
use super::regularization::treatments;
use crate::keys::Decay;
use crate::layer::Role;
use crate::optim::StepSize;

pub(super) fn clip_without_effect(facts: &Facts<'_>) -> Option<String> {
    let settings = facts.settings;
    // Terms added after clipping depend on the size that it leaves.
    let is_alone = settings.gradient_noise.is_none()
        && treatments(facts).iter().all(|treatment| treatment.l1 == 0.0 && treatment.l2 == 0.0);
    (settings.optimizer.step_size() == StepSize::Sign && settings.clip.keeps_signs() && is_alone).then(|| {
        format!("`{}` with `{}`, which changes no signs", settings.optimizer.name(), settings.clip.name())
    })
}

pub(super) fn decay_everywhere(facts: &Facts<'_>) -> Option<String> {
    let penalties = facts.settings.optimizer.penalties();
    if penalties.decay != Decay::All {
        return None;
    }
    let treated = facts.graph.parameters.iter().zip(treatments(facts));
    let decayed = treated.filter(|(parameter, treatment)| {
        parameter.is_trained()
            && matches!(parameter.role, Role::Bias | Role::Norm)
            && (treatment.weight_decay > 0.0 || treatment.l2 > 0.0)
    });
    let mut decayed = decayed.map(|(parameter, _)| parameter);
    let first = decayed.next()?;
    let what = if first.role == Role::Bias { "a bias" } else { "the scale or shift of a norm" };
    Some(format!(
        "`decay: Decay::All` applies decay to `{}`, {what} ({} such parameters)",
        first.path,
        decayed.count() + 1
    ))
}
