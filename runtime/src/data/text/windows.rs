//! The windows of a text as samples.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use super::Vocabulary;
use super::ids::Ids;
use crate::data::{Dataset, Split};
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};

/// Windows of consecutive tokens, each with the same window one token later as its target. [`Text::read`](super::Text::read) creates
/// them.
#[derive(Clone)]
pub struct TextWindows<K> {
    ids: Ids,
    /// Those with at least one window.
    documents: Vec<Document>,
    paths: Vec<Box<Path>>,
    vocabulary: Vocabulary,
    windows: usize,
    stride: usize,
    split: Split,
    kind: PhantomData<fn() -> K>,
}

/// A text within which windows lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document {
    pub(super) first_window: usize,
    pub(super) first_token: usize,
    /// Which file it is from.
    pub(super) file: usize,
}

impl<K: InputKind + TargetKind + Kind<Element = u32>> TextWindows<K> {
    pub(super) fn new(
        ids: Ids,
        documents: Vec<Document>,
        paths: Vec<Box<Path>>,
        vocabulary: Vocabulary,
        windows: usize,
        stride: usize,
    ) -> Self {
        Self { ids, documents, paths, vocabulary, windows, stride, split: Split::DEFAULT, kind: PhantomData }
    }

    /// Divides the windows in order, with a tenth each for validation and test.
    pub(super) fn with_default_split(mut self) -> Result<Self> {
        self.split = Split::default_in_order(self.windows, &|window| self.first_after(window))?;
        Ok(self)
    }

    /// Sets how the windows are divided.
    ///
    /// Where windows overlap, [`Split::InOrder`] leaves out those at the end of a part that share targets with the first window of the
    /// next part, so that no target of one part occurs in another.
    ///
    /// # Errors
    /// If the split is not valid, or if windows overlap and it is at random, or leaves none of them out.
    ///
    /// ```
    /// use trainspec::data::{Dataset, PreparedDataset, Split, Text};
    /// use trainspec::Tokens;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("song.txt");
    /// # std::fs::write(&path, "la la la ".repeat(10)).unwrap();
    /// let windows = Text::open(path).stride(1).read::<Tokens<3, 4>>()?;
    /// let windows = windows.with_split(Split::InOrder { validation: 0.2, test: 0.0 })?;
    /// let data = PreparedDataset::new(Box::new(windows), 42)?;
    /// assert_eq!((data.train().last(), data.validation()[0]), (Some(&65), 69));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    pub fn with_split(mut self, split: Split) -> Result<Self> {
        let split = split.without_overlap(self.windows, &|window| self.first_after(window))?;
        self.split = split;
        Ok(self)
    }

    /// What each number stands for.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The first window after this one that has no target in common with it.
    fn first_after(&self, window: usize) -> usize {
        let next = self.documents.partition_point(|document| document.first_window <= window);
        let end = self.documents.get(next).map_or(self.windows, |document| document.first_window);
        let length = K::SHAPE.elements();
        end.min(window.saturating_add(length.div_ceil(self.stride)))
    }

    /// A window's document and first token.
    fn place(&self, window: usize) -> Option<(&Document, usize)> {
        let next = self.documents.partition_point(|document| document.first_window <= window);
        let document = self.documents.get(next.checked_sub(1)?).filter(|_| window < self.windows)?;
        Some((document, document.first_token + (window - document.first_window) * self.stride))
    }
}

impl<K: InputKind + TargetKind + Kind<Element = u32>> Dataset for TextWindows<K> {
    type Input = K;
    type Target = K;

    fn len(&self) -> usize {
        self.windows
    }

    fn sample(&self, index: usize, input: &mut [u32], target: &mut [u32]) -> Result<()> {
        match self.place(index) {
            Some((_, start)) if self.ids.copy(start, input) && self.ids.copy(start + 1, target) => Ok(()),
            _ => Err(Error::Dataset(format!("there is no sample {index}"))),
        }
    }

    fn split(&self) -> Split {
        self.split.clone()
    }

    fn location(&self, index: usize) -> Option<String> {
        let (document, _) = self.place(index)?;
        let first = self.documents.partition_point(|other| other.file < document.file);
        let first = self.documents.get(first)?.first_window;
        Some(format!("{}: window {} (from 0)", self.paths.get(document.file)?.display(), index - first))
    }
}

impl<K: Kind> fmt::Debug for TextWindows<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextWindows({} of {} {}, {:?})", self.windows, K::NAME, K::SHAPE, self.vocabulary)
    }
}
