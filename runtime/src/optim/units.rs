//! Units: the slices of a parameter that belong to one output of a layer.

use crate::shape::Shape;

/// Returns the number of elements of one unit of a parameter of this shape: those of all axes but the first of a matrix or
/// kernel, or all elements of a tensor with one axis. At least 1.
pub(crate) fn unit_length(shape: Shape) -> usize {
    let rows = if shape.rank() < 2 { 1 } else { shape.axis(0) };
    (shape.elements() / rows.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_is_slice_along_first_axis() {
        for (axes, length) in
            [(&[10, 64][..], 64), (&[8, 3, 5, 5], 75), (&[7], 7), (&[], 1), (&[4, 1], 1), (&[0, 3], 1)]
        {
            assert_eq!(unit_length(Shape::of(axes)), length, "{axes:?}");
        }
    }
}
