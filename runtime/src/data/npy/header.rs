//! The header of an array in NumPy's format.
//!
//! The format: `\x93NUMPY`, the version, the length of the header, and a Python dictionary such as
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. Harris et al., "Array programming with NumPy", 2020;
//! `numpy.lib.format` describes it.

use std::io::{BufRead, Read};

use crate::data::file::Origin;
use crate::error::Result;
use crate::format::plain;

/// The type of the values of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) values: Type,
    pub(super) shape: Vec<usize>,
    /// The length of the header in bytes: where the values start.
    pub(super) length: u64,
}

/// The longest header. NumPy writes a few hundred bytes.
const LONGEST: usize = 1 << 16;

impl Type {
    /// The type that NumPy writes with these characters, little-endian.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "|b1" => Self::Bool,
            "|u1" | "<u1" => Self::U8,
            "|i1" | "<i1" => Self::I8,
            "<u2" => Self::U16,
            "<i2" => Self::I16,
            "<u4" => Self::U32,
            "<i4" => Self::I32,
            "<u8" => Self::U64,
            "<i8" => Self::I64,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            _ => return None,
        })
    }

    /// The bytes of a value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Its name in NumPy.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// The values in some bytes. Those of 64 bits are rounded to f64.
    pub(super) fn values(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        let size = self.size();
        bytes.chunks_exact(size).map(move |bytes| {
            let mut eight = [0; 8];
            eight.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            let [a, b, c, d, ..] = eight;
            match self {
                Self::Bool => f64::from(u8::from(a != 0)),
                Self::U8 => f64::from(a),
                Self::I8 => f64::from(i8::from_le_bytes([a])),
                Self::U16 => f64::from(u16::from_le_bytes([a, b])),
                Self::I16 => f64::from(i16::from_le_bytes([a, b])),
                Self::U32 => f64::from(u32::from_le_bytes([a, b, c, d])),
                Self::I32 => f64::from(i32::from_le_bytes([a, b, c, d])),
                Self::U64 => u64::from_le_bytes(eight) as f64,
                Self::I64 => i64::from_le_bytes(eight) as f64,
                Self::F32 => f64::from(f32::from_le_bytes([a, b, c, d])),
                Self::F64 => f64::from_le_bytes(eight),
            }
        })
    }
}

impl Header {
    /// Reads a header; `what` is the array in messages.
    pub(super) fn read(origin: &Origin, what: &str, bytes: &mut dyn BufRead) -> Result<Self> {
        let wrong = |problem: String| origin.problem(format!("{what}{problem}"));
        let mut take = |count: usize| {
            let mut taken = Vec::new();
            let read = (&mut *bytes).take(count as u64).read_to_end(&mut taken);
            read.map_err(|error| origin.unreadable(error))?;
            if taken.len() < count {
                return Err(wrong("the header is cut short".to_owned()));
            }
            Ok(taken)
        };
        let start = take(8)?;
        let [0x93, b'N', b'U', b'M', b'P', b'Y', version, _] = start[..] else {
            return Err(wrong("this is not an array of NumPy; expected a file of `numpy.save`".to_owned()));
        };
        let of_length = if version == 1 { 2 } else { 4 };
        let length = take(of_length)?.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
        if !(1..=3).contains(&version) || length > LONGEST {
            return Err(wrong(format!(
                "the header has the version {version} and {length} bytes; expected a version from 1 to 3 and at most {LONGEST} bytes"
            )));
        }
        let text = String::from_utf8_lossy(&take(length)?).into_owned();
        let malformed = || {
            wrong(format!(
                "the header is `{}`; expected the `descr`, `fortran_order` and `shape` of an array",
                plain(text.trim(), 100)
            ))
        };
        let values = value(&text, "descr").ok_or_else(malformed)?;
        let order = value(&text, "fortran_order").ok_or_else(malformed)?;
        let axes = value(&text, "shape").ok_or_else(malformed)?;
        let name = values.strip_prefix(['\'', '"']).and_then(|name| name.split(['\'', '"']).next());
        let Some(values) = name.and_then(Type::of) else {
            let found =
                name.map_or_else(|| "several fields".to_owned(), |name| format!("`{}`", plain(name, 40)));
            return Err(wrong(format!(
                "the values are of the type {found}; expected little-endian numbers of 8 to 64 bits: save \
                 `x.astype(\"float32\")`"
            )));
        };
        if order.starts_with("True") {
            return Err(wrong(
                "the array is in Fortran order, one column after the other; save `numpy.ascontiguousarray(x)`".to_owned(),
            ));
        }
        let list = axes.strip_prefix('(').and_then(|axes| axes.split_once(')')).ok_or_else(malformed)?.0;
        let axes = list.split(',').map(str::trim).filter(|axis| !axis.is_empty());
        let axes = axes.map(|axis| axis.trim_end_matches('L').parse().ok()).collect::<Option<Vec<usize>>>();
        let shape = axes.filter(|_| order.starts_with("False")).ok_or_else(malformed)?;
        Ok(Self { values, shape, length: (8 + of_length + length) as u64 })
    }

    /// The bytes of all values, as the header says; not trusted with an allocation.
    pub(super) fn bytes(&self) -> u64 {
        let size = self.values.size() as u64;
        self.shape.iter().fold(size, |product, &axis| product.saturating_mul(axis as u64))
    }

    /// The shape as NumPy writes it.
    pub(super) fn shown(&self) -> String {
        match self.shape.as_slice() {
            [one] => format!("({one},)"),
            axes => format!("({})", axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The text after a key of the dictionary.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let quoted = ['\'', '"'].map(|quote| format!("{quote}{key}{quote}"));
    let after = quoted.iter().find_map(|key| text.split_once(key.as_str()))?.1;
    Some(after.trim_start().strip_prefix(':')?.trim_start())
}
