//! Keys that take one number for both axes of an image, or a pair.

use std::fmt;

use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserializer, Serialize, Serializer};

/// Marks a number that holds two, if the next lower bit is 0: no count is that large, and a mistake such as `usize::MAX` or half
/// of a pair does not have it.
const MARK: usize = 1 << (usize::BITS - 1);
/// The bits of the check code, below the mark and a 0.
const CHECK_BITS: u32 = 14;
/// The bits of each of the two.
const BITS: u32 = (usize::BITS - 2 - CHECK_BITS) / 2;
/// The largest of each, `2^24 - 1` on a machine with 64 bits.
const LARGEST: usize = (1 << BITS) - 1;

/// A code of both numbers, which a sum or difference does not preserve: `pair(3, 5) - 1` is not `pair(3, 4)`.
const fn code(height: usize, width: usize) -> usize {
    let mixed = ((height as u64) << 32 | width as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - CHECK_BITS)) as usize
}

/// Two numbers for a key of a layer that otherwise takes one for both axes of an image: the first for the height, the
/// second for the width.
///
/// `kernel = 3` is `kernel = pair(3, 3)`. In a saved spec, a pair is the list `[3, 5]`. A key is a number, and a pair is
/// encoded in numbers that are too large for a key; any arithmetic on one is an error when the layer is checked. Numbers above
/// `2^24 - 1` are reduced to that.
///
/// ```
/// use trainspec::prelude::*;
/// use trainspec::layer::Conv2d;
/// use trainspec::{Config, Shape};
///
/// let layer = Conv2d { out: 8, kernel: pair(3, 5), padding: pair(1, 2), ..Conv2d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[1, 8, 6])), Ok(Shape::of(&[8, 8, 6])));
///
/// /// Windows that are wider than high, as for spectrograms.
/// #[model]
/// fn Net(x: Image<1, 16, 40>) -> Logits<4> {
///     x.conv2d(out = 8, kernel = pair(3, 5), stride = pair(1, 2)).relu().flatten().linear(out = 4)
/// }
/// ```
#[must_use]
pub const fn pair(height: usize, width: usize) -> usize {
    let height = if height < LARGEST { height } else { LARGEST };
    let width = if width < LARGEST { width } else { LARGEST };
    MARK | code(height, width) << (2 * BITS) | height << BITS | width
}

/// Whether a key holds two numbers.
pub(super) const fn is_pair(key: usize) -> bool {
    pair(key >> BITS & LARGEST, key & LARGEST) == key
}

/// Whether a key is no pair, but so large that it must have been computed from one.
pub(super) const fn is_computed(key: usize) -> bool {
    !is_pair(key) && key > MARK >> 5 && key < usize::MAX
}

/// The numbers of a key for the height and the width.
pub(super) const fn both(key: usize) -> [usize; 2] {
    if is_pair(key) { [key >> BITS & LARGEST, key & LARGEST] } else { [key; 2] }
}

/// A key as it is written, for `Debug`.
pub(super) struct Written(pub(super) usize);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match both(self.0) {
            [height, width] if is_pair(self.0) => write!(f, "pair({height}, {width})"),
            [both, _] => write!(f, "{both}"),
        }
    }
}

/// `Debug` of a layer: keys as they are, then those that may be pairs.
macro_rules! debug_pairs {
    ($layer:ident { $($plain:ident),* } $($pair:ident),+) => {
        impl std::fmt::Debug for $layer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($layer))
                    $(.field(stringify!($plain), &self.$plain))*
                    $(.field(stringify!($pair), &$crate::layer::pair::Written(self.$pair)))+
                    .finish()
            }
        }
    };
}

pub(super) use debug_pairs;

/// Serializes a key as a number or a list of two.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(super) fn serialize<S: Serializer>(key: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    if is_pair(*key) { both(*key).serialize(serializer) } else { key.serialize(serializer) }
}

/// Reads what [`serialize`] writes.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(Read)
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a list of two: the height and the width")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
        let key = usize::try_from(number).ok().filter(|&key| !is_pair(key) && !is_computed(key));
        key.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<usize, A::Error> {
        let two = (list.next_element()?, list.next_element()?, list.next_element::<usize>()?);
        match two {
            (Some(height), Some(width), None) => Ok(pair(height, width)),
            (_, _, more) => Err(A::Error::invalid_length(if more.is_some() { 3 } else { 1 }, &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Key {
        #[serde(with = "super")]
        kernel: usize,
    }

    #[test]
    fn pair_round_trips_through_json() {
        for (kernel, text) in [(3, r#"{"kernel":3}"#), (pair(3, 5), r#"{"kernel":[3,5]}"#)] {
            assert_eq!(serde_json::to_string(&Key { kernel }).unwrap(), text);
            assert_eq!(serde_json::from_str::<Key>(text).unwrap(), Key { kernel });
        }
        assert_eq!(both(3), [3, 3]);
        assert_eq!(both(pair(3, 5)), [3, 5]);
        assert_eq!(both(pair(usize::MAX, 0)), [LARGEST, 0]);
        assert_eq!(both(usize::MAX), [usize::MAX; 2]);
        assert_eq!(both(pair(3, 5) / 2), [pair(3, 5) / 2; 2]);
        for computed in
            [pair(3, 5) / 2, pair(3, 5) - 1, pair(3, 5) + 1, pair(0, 0) + pair(1, 1) / 3, pair(3, 5) | 2]
        {
            assert!(is_computed(computed) && !is_pair(computed), "{computed}");
        }
        assert!(!is_computed(3) && !is_computed(usize::MAX) && !is_computed(pair(3, 5)));
        assert_eq!(format!("{:?} {:?}", Written(3), Written(pair(3, 5))), "3 pair(3, 5)");
    }

    #[test]
    fn other_json_is_rejected() {
        for text in ["[3]", "[3,5,7]", "\"3\"", "-1", "9223372036854775809"] {
            let problem = serde_json::from_str::<Key>(&format!(r#"{{"kernel":{text}}}"#)).unwrap_err();
            assert!(problem.to_string().contains("expected a number, or a list of two"), "{problem}");
        }
    }
}
