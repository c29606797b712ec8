//! The metrics of one step.

/// Metrics by their names. Up to eight of them take no memory of their own, so that a step allocates none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepMetrics {
    first: [Option<(&'static str, f64)>; 8],
    more: Vec<(&'static str, f64)>,
}

impl StepMetrics {
    /// One more metric.
    pub fn push(&mut self, label: &'static str, value: f64) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some((label, value)),
            None => self.more.push((label, value)),
        }
    }

    /// Each name and value, in the order of the spec.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.first.iter().flatten().chain(&self.more).copied()
    }

    /// The value of one metric.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<f64> {
        self.iter().find(|(name, _)| *name == label).map(|(_, value)| value)
    }
}
