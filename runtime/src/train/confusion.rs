//! Which classes a model takes for which.

use crate::data::{Elements, Prepared};
use crate::engine::Engine;
use crate::error::Result;
use crate::metric::predicted_class;
use crate::spec::Settings;

/// How many samples of each class a model takes for each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// By the right class, then by the class with the largest logit; of equal logits the first.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// The most classes that are told apart; a table of more is no help to anybody.
    pub const MAX_CLASSES: usize = 20;
}

/// Counts what the engine's model takes the samples of these numbers for; `None` if their targets are no
/// classes, the model does not give a number for each, there are more than [`Confusion::MAX_CLASSES`], or there are no samples.
///
/// # Errors
/// If a sample cannot be read or candle refuses an operation.
pub fn confusion(
    engine: &mut dyn Engine,
    settings: &Settings,
    data: &Prepared,
    indices: &[usize],
) -> Result<Option<Confusion>> {
    let mut counts: Vec<Vec<u64>> = Vec::new();
    for indices in indices.chunks(settings.batch.max(1)) {
        let batch = data.batch(indices)?;
        let classes = match (batch.target.shape.rank(), batch.target.shape.vocabulary()) {
            (0, Some(classes)) if classes <= Confusion::MAX_CLASSES => classes,
            _ => return Ok(None),
        };
        counts.resize_with(classes, || vec![0; classes]);
        engine.evaluate(&batch)?;
        let prediction = engine.prediction()?;
        if prediction.dims() != [batch.size, classes] {
            // A loss of the user's own compares classes with something else.
            return Ok(None);
        }
        let predictions = prediction.to_vec2::<f32>()?;
        let Elements::Whole(targets) = &batch.target.elements else { return Ok(None) };
        for (logits, &target) in predictions.iter().zip(targets) {
            let row = counts.get_mut(target as usize);
            let count = predicted_class(logits).zip(row).and_then(|(class, row)| row.get_mut(class as usize));
            if let Some(count) = count {
                *count += 1;
            }
        }
    }
    Ok((!counts.is_empty()).then_some(Confusion { counts }))
}
