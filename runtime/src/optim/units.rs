//! Units: the parts of a parameter that belong to one output of a layer.

use crate::shape::Shape;

/// How many numbers of a parameter of this shape belong to one unit: all but the first axis of a matrix or kernel, all of
/// a tensor with one axis. At least 1.
pub(crate) fn unit_length(shape: Shape) -> usize {
    let rows = if shape.rank() < 2 { 1 } else { shape.axis(0) };
    (shape.elements() / rows.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_slice_along_the_first_axis() {
        for (axes, length) in
            [(&[10, 64][..], 64), (&[8, 3, 5, 5], 75), (&[7], 7), (&[], 1), (&[4, 1], 1), (&[0, 3], 1)]
        {
            assert_eq!(unit_length(Shape::of(axes)), length, "{axes:?}");
        }
    }
}
