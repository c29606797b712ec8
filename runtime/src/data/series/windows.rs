//! The windows of time series as samples.

use std::fmt;
use std::marker::PhantomData;

use super::table::{Table, Tables};
use crate::data::{Dataset, Normalization, Split};
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};

/// Windows of time series, each with later steps as its target. [`Windows::read`](super::Windows::read) creates them.
#[derive(Clone)]
pub struct SeriesWindows<I, T> {
    tables: Tables,
    /// The series with windows, those with the most windows first.
    order: Vec<usize>,
    /// For each first step of windows, in units of the stride, the number of windows that start before it.
    before: Vec<usize>,
    windows: usize,
    spans: Spans,
    split: Split,
    normalization: Normalization,
    kinds: PhantomData<fn() -> (I, T)>,
}

/// The steps of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    /// Those of the input.
    pub(super) length: usize,
    /// From its last step to the first of the target.
    pub(super) horizon: usize,
    /// Those of the target.
    pub(super) steps: usize,
    /// From one window to the next.
    pub(super) stride: usize,
}

impl Spans {
    /// The first step of the target, counted from that of the window.
    fn target(self) -> usize {
        self.length.saturating_add(self.horizon - 1)
    }

    /// The number of windows of a series of this many steps.
    fn windows(self, steps: usize) -> usize {
        steps.checked_sub(self.target().saturating_add(self.steps)).map_or(0, |rest| rest / self.stride + 1)
    }
}

impl<I: InputKind + Kind<Element = f32>, T: TargetKind + Kind<Element = f32>> SeriesWindows<I, T> {
    pub(super) fn new(tables: Tables, spans: Spans) -> Result<Self> {
        let steps = |table: &Table| table.columns.first().map_or(0, Vec::len);
        let counts: Vec<usize> = tables.series.iter().map(|table| spans.windows(steps(table))).collect();
        let count = |series: &usize| counts.get(*series).copied().unwrap_or(0);
        let mut order: Vec<usize> = (0..counts.len()).filter(|series| count(series) > 0).collect();
        order.sort_by_key(|series| std::cmp::Reverse(count(series)));
        let Some(most) = order.first().map(count) else {
            let longest = tables.series.iter().map(steps).max().unwrap_or(0);
            return Err(tables.problem(format!(
                "the longest series has {longest} steps; expected at least {}, for {} of the input and up to the last of the target",
                spans.target().saturating_add(spans.steps),
                spans.length
            )));
        };
        let mut before = Vec::new();
        before.try_reserve_exact(most).map_err(|_| {
            tables.problem(format!("the system cannot allocate memory for {most} windows; expected fewer steps, or a larger stride"))
        })?;
        let (mut windows, mut open) = (0, order.len());
        for start in 0..most {
            before.push(windows);
            // The series are sorted, so those that have ended are the last ones.
            while open > 0 && order.get(open - 1).map_or(0, count) <= start {
                open -= 1;
            }
            windows += open;
        }
        Ok(Self {
            tables,
            order,
            before,
            windows,
            spans,
            split: Split::DEFAULT,
            normalization: Normalization::None,
            kinds: PhantomData,
        })
    }

    /// Divides the windows in order, with a tenth each for validation and test.
    pub(super) fn with_default_split(mut self) -> Result<Self> {
        self.split = Split::default_in_order(self.windows, &|window| self.first_after(window))?;
        Ok(self)
    }

    /// Sets how the windows are divided.
    ///
    /// [`Split::InOrder`] leaves out the windows at the end of a part whose targets reach into those of the next part.
    ///
    /// # Errors
    /// If the split is not valid, or if targets overlap and it is at random, or leaves none of the windows out.
    pub fn with_split(mut self, split: Split) -> Result<Self> {
        self.split = split.without_overlap(self.windows, &|window| self.first_after(window))?;
        Ok(self)
    }

    /// Sets how the inputs are normalized.
    #[must_use]
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// The first window whose target starts after the targets of this one and of the windows before it.
    fn first_after(&self, window: usize) -> usize {
        let start = self.start(window).saturating_add(self.spans.steps.div_ceil(self.spans.stride));
        self.before.get(start).copied().unwrap_or(self.windows)
    }

    /// The first step of a window, in units of the stride.
    fn start(&self, window: usize) -> usize {
        self.before.partition_point(|before| *before <= window).saturating_sub(1)
    }

    /// A window's series and its first step.
    fn place(&self, window: usize) -> Option<(&Table, usize)> {
        let start = self.start(window);
        let series = window.checked_sub(*self.before.get(start)?).filter(|_| window < self.windows)?;
        Some((self.tables.series.get(*self.order.get(series)?)?, start * self.spans.stride))
    }
}

/// Copies the steps from `start` on of each column into its part of a buffer. Returns whether there are so many.
fn copy(columns: &[Vec<f32>], start: usize, to: &mut [f32]) -> bool {
    let length = to.len() / columns.len().max(1);
    to.chunks_exact_mut(length.max(1)).zip(columns).all(|(to, column)| {
        let found = column.get(start..start + length);
        found.inspect(|found| to.copy_from_slice(found)).is_some()
    })
}

impl<I: InputKind + Kind<Element = f32>, T: TargetKind + Kind<Element = f32>> Dataset
    for SeriesWindows<I, T>
{
    type Input = I;
    type Target = T;

    fn len(&self) -> usize {
        self.windows
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [f32]) -> Result<()> {
        let copied = self.place(index).is_some_and(|(table, start)| {
            let (inputs, targets) = table.columns.split_at(self.tables.inputs.min(table.columns.len()));
            copy(inputs, start, input) && copy(targets, start + self.spans.target(), target)
        });
        if copied { Ok(()) } else { Err(Error::Dataset(format!("there is no sample {index}"))) }
    }

    fn split(&self) -> Split {
        self.split.clone()
    }

    fn normalization(&self) -> Normalization {
        self.normalization
    }

    fn is_time_series(&self) -> bool {
        true
    }

    fn location(&self, index: usize) -> Option<String> {
        let (table, start) = self.place(index)?;
        let path = self.tables.path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default();
        let series =
            table.name.as_ref().map(|name| format!(" of the series `{}`", crate::format::plain(name, 40)));
        Some(format!("{path}steps from {start} (from 0){}", series.unwrap_or_default()))
    }
}

impl<I: Kind, T: Kind> fmt::Debug for SeriesWindows<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(I::NAME, I::SHAPE), (T::NAME, T::SHAPE)].map(|(name, shape)| format!("{name} {shape}"));
        write!(f, "SeriesWindows({} of {} series, {})", self.windows, self.order.len(), kinds.join(" to "))
    }
}
