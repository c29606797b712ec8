//! Writing safetensors files: the header from memory, the values directly from where they are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde_json::Value;

use crate::error::{Error, Result};

/// A tensor of a file: its name, axes, and values.
pub(crate) type NamedTensor<'a> = (String, Vec<usize>, Cow<'a, [f32]>);

/// A file of f32 tensors to write, without a copy of the values.
pub(crate) struct TensorFile<'a> {
    header: Vec<u8>,
    /// In the order of the file.
    numbers: Vec<Cow<'a, [f32]>>,
}

impl<'a> TensorFile<'a> {
    /// Lays out the tensors in the order of their names, byte for byte as `safetensors::serialize` does. The metadata have
    /// one key: several would be written in the random order of a hash map.
    ///
    /// # Errors
    /// If a tensor's values do not fill its shape, or a name occurs twice.
    pub(crate) fn new(mut tensors: Vec<NamedTensor<'a>>, metadata: &Value) -> Result<Self> {
        const UNFILLED: Error = Error::Internal("a tensor whose values do not fill its shape");
        tensors.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let (mut infos, mut numbers, mut start) = (Vec::new(), Vec::new(), 0);
        for (name, shape, values) in tensors {
            if shape.iter().product::<usize>() != values.len() {
                return Err(UNFILLED);
            }
            let end = start + size_of_val(&*values);
            infos.push((name, TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, end) }));
            numbers.push(values);
            start = end;
        }
        let metadata = HashMap::from([("trainspec".to_owned(), metadata.to_string())]);
        let metadata = Metadata::new(Some(metadata), infos).map_err(|_| UNFILLED)?;
        let header = serde_json::to_vec(&metadata).map_err(|_| UNFILLED)?;
        Ok(Self { header: padded(header), numbers })
    }

    /// Replaces the header with one that is derived from it.
    pub(super) fn with_header(mut self, change: impl FnOnce(&[u8]) -> Result<Vec<u8>>) -> Result<Self> {
        self.header = padded(change(&self.header)?);
        Ok(self)
    }

    /// Writes the whole file.
    pub(crate) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&(self.header.len() as u64).to_le_bytes())?;
        to.write_all(&self.header)?;
        self.numbers.iter().try_for_each(|numbers| {
            if cfg!(target_endian = "little") {
                return to.write_all(bytemuck::cast_slice(numbers));
            }
            numbers.iter().try_for_each(|number| to.write_all(&number.to_le_bytes()))
        })
    }

    /// The whole file in memory.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let numbers: usize = self.numbers.iter().map(|numbers| size_of_val(&**numbers)).sum();
        let mut bytes = Vec::with_capacity(8 + self.header.len() + numbers);
        self.write(&mut bytes).map_err(|_| Error::Internal("memory cannot be written"))?;
        Ok(bytes)
    }
}

/// Pads the header, so that values of any type are aligned.
fn padded(mut header: Vec<u8>) -> Vec<u8> {
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize};

    use super::*;

    #[test]
    fn written_file_equals_safetensors_output() {
        let (a, b) = ([1.5_f32, -2.0], [0.25_f32; 3]);
        let json = serde_json::json!({ "seed": 7 });
        let tensors = vec![
            ("b.weight".to_owned(), vec![3], Cow::Borrowed(&b[..])),
            ("a.weight".to_owned(), vec![2, 1], Cow::Borrowed(&a[..])),
            ("none".to_owned(), vec![0], Cow::Borrowed(&[][..])),
        ];
        let views = tensors.iter().map(|(name, shape, numbers)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(numbers)).unwrap())
        });
        let metadata = HashMap::from([("trainspec".to_owned(), json.to_string())]);
        let expected = serialize(views, Some(metadata)).unwrap();
        assert_eq!(TensorFile::new(tensors, &json).unwrap().to_bytes().unwrap(), expected);
        let unfilled = vec![("x".to_owned(), vec![2], Cow::Borrowed(&b[..]))];
        assert!(TensorFile::new(unfilled, &json).is_err());
    }
}
