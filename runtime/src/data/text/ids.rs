//! Tokens in as few bytes as their vocabulary needs.

use crate::data::file::Origin;
use crate::error::Result;

/// A list of tokens: one byte for each if all are below 256, two if below 65,536, and four otherwise.
#[derive(Clone, Debug)]
pub(super) enum Ids {
    Bytes(Vec<u8>),
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Ids {
    /// An empty list for tokens below `vocabulary`.
    pub(super) fn below(vocabulary: usize) -> Self {
        match vocabulary {
            0..=0x100 => Self::Bytes(Vec::new()),
            0x101..=0x1_0000 => Self::Short(Vec::new()),
            _ => Self::Long(Vec::new()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(list) => list.len(),
            Self::Short(list) => list.len(),
            Self::Long(list) => list.len(),
        }
    }

    /// Removes all tokens from this place on.
    pub(super) fn truncate(&mut self, length: usize) {
        match self {
            Self::Bytes(list) => list.truncate(length),
            Self::Short(list) => list.truncate(length),
            Self::Long(list) => list.truncate(length),
        }
    }

    /// Appends a token, which is below the vocabulary's size.
    pub(super) fn push(&mut self, origin: &Origin, id: u32) -> Result<()> {
        match self {
            Self::Bytes(list) => {
                origin.reserve(list, 1)?;
                list.push(id as u8);
            }
            Self::Short(list) => {
                origin.reserve(list, 1)?;
                list.push(id as u16);
            }
            Self::Long(list) => {
                origin.reserve(list, 1)?;
                list.push(id);
            }
        }
        Ok(())
    }

    /// Copies the tokens from `start` on into a buffer. Returns whether there are so many.
    pub(super) fn copy(&self, start: usize, to: &mut [u32]) -> bool {
        fn part<T>(list: &[T], start: usize, length: usize) -> Option<&[T]> {
            list.get(start..start.checked_add(length)?)
        }
        fn copied<T: Copy + Into<u32>>(list: Option<&[T]>, to: &mut [u32]) -> bool {
            let Some(list) = list else { return false };
            to.iter_mut().zip(list).for_each(|(to, &id)| *to = id.into());
            true
        }
        let length = to.len();
        match self {
            Self::Bytes(list) => copied(part(list, start, length), to),
            Self::Short(list) => copied(part(list, start, length), to),
            Self::Long(list) => copied(part(list, start, length), to),
        }
    }
}
