//! Class metrics of maps: each pixel counts like a position of a sequence.

use std::borrow::Cow;

use super::{
    Accuracy, CalibrationError, Confusion, ConfusionMatrix, Direction, F1, Iou, Mcc, Metric, Outcomes,
    Precision, Recall, TopK,
};
use crate::shape::{CheckResult, Class, ClassMap, LogitMap, Logits, Shape, TokenLogits, Tokens};

/// Passes the pixels of a map to the metric of a sequence.
macro_rules! of_maps {
    ($($metric:ty),*) => { $(
        impl<const C: usize, const H: usize, const W: usize> Metric<LogitMap<C, H, W>, ClassMap<C, H, W>>
            for $metric
        {
            type State = <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::State;
            const LABEL: &'static str = <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::LABEL;
            const DIRECTION: Direction = <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::DIRECTION;
            const DEFINED_BY_TARGETS: bool =
                <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::DEFINED_BY_TARGETS;

            fn label(&self) -> Cow<'static, str> {
                <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::label(self)
            }

            fn fits(&self) -> CheckResult {
                self.check()?.fits(C, "classes")
            }

            fn update(&self, state: &mut Self::State, outcomes: &Outcomes<'_, u32>) {
                let predictions = pixels(outcomes.predictions, C, H * W);
                let pixels = rows::<C, H, W>(outcomes, &predictions);
                <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::update(self, state, &pixels);
            }

            fn value(&self, state: &Self::State) -> f64 {
                <Self as Metric<TokenLogits<C>, Tokens<C, 1>>>::value(self, state)
            }
        }
    )* };
}

of_maps!(Accuracy, Precision, Recall, F1, Iou, Mcc, CalibrationError, TopK);

/// The outcomes of maps as those of sequences of pixels, whose logits are [`pixels`].
fn rows<'a, const C: usize, const H: usize, const W: usize>(
    outcomes: &Outcomes<'a, u32>,
    pixels: &'a [f32],
) -> Outcomes<'a, u32> {
    Outcomes { shape: Shape::of(&[H * W, C]), predictions: pixels, ..*outcomes }
}

impl<const C: usize, const H: usize, const W: usize> Metric<LogitMap<C, H, W>, ClassMap<C, H, W>>
    for ConfusionMatrix
{
    type State = Confusion;
    const LABEL: &'static str = <Self as Metric<Logits<C>, Class<C>>>::LABEL;
    const DIRECTION: Direction = Direction::Higher;
    const IS_TABLE: bool = true;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        <Self as Metric<Logits<C>, Class<C>>>::fits(self)
    }

    fn update(&self, confusion: &mut Confusion, outcomes: &Outcomes<'_, u32>) {
        let predictions = pixels(outcomes.predictions, C, H * W);
        let pixels = rows::<C, H, W>(outcomes, &predictions);
        <Self as Metric<Logits<C>, Class<C>>>::update(self, confusion, &pixels);
    }

    fn table<'a>(&self, confusion: &'a Confusion) -> Option<&'a Confusion> {
        Some(confusion)
    }
}

/// The logits of each pixel together: `[samples, classes, pixels]` to `[samples, pixels, classes]`.
fn pixels(maps: &[f32], classes: usize, pixels: usize) -> Vec<f32> {
    let mut rows = vec![0.0; maps.len()];
    let sample = (classes * pixels).max(1);
    for (map, rows) in maps.chunks_exact(sample).zip(rows.chunks_exact_mut(sample)) {
        for (class, plane) in map.chunks_exact(pixels).enumerate() {
            for (pixel, &logit) in plane.iter().enumerate() {
                rows[pixel * classes + class] = logit;
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Share;

    #[test]
    fn each_pixel_counts() {
        // Two classes on a map of one row and three columns.
        let predictions = [1.0, 0.0, 2.0, 0.0, 1.0, 3.0];
        let outcomes = Outcomes {
            size: 1,
            shape: Shape::of(&[2, 1, 3]),
            predictions: &predictions,
            targets: &[0, 1, 0],
            ignored: None,
        };
        let mut share = Share::default();
        Metric::<LogitMap<2, 1, 3>, ClassMap<2, 1, 3>>::update(&Accuracy, &mut share, &outcomes);
        let value = Metric::<LogitMap<2, 1, 3>, ClassMap<2, 1, 3>>::value(&Accuracy, &share);
        assert!((value - 2.0 / 3.0).abs() < 1e-12, "{value}");
    }
}
