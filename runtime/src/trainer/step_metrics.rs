//! The metrics of one step.

/// Metrics by name. Up to eight are stored inline, so that a step does not allocate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepMetrics {
    first: [Option<(&'static str, f64)>; 8],
    more: Vec<(&'static str, f64)>,
}

impl StepMetrics {
    /// Adds a metric.
    pub fn push(&mut self, label: &'static str, value: f64) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some((label, value)),
            None => self.more.push((label, value)),
        }
    }

    /// Returns each name and value, in the order of the spec.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.first.iter().flatten().chain(&self.more).copied()
    }

    /// Returns the value of a metric.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<f64> {
        self.iter().find(|(name, _)| *name == label).map(|(_, value)| value)
    }
}
