//! Affine transformations of images.

/// An affine transformation about the center of an image, in pixels.
///
/// It is stored as its inverse, from the position of a pixel in the result to that in the image from which it is taken. Rows go down, columns
/// to the right.
///
/// ```
/// use trainspec::data::augment::Affine;
///
/// let twice = Affine::scale(2.0);
/// assert_eq!(twice.source([4.0, -2.0]), [2.0, -1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// For the row and for the column of the source: the factors of the row and of the column, and a number to add.
    rows: [[f64; 3]; 2],
}

impl Affine {
    /// Moves an image down by `rows` and to the right by `columns`.
    #[must_use]
    pub const fn shift(rows: f64, columns: f64) -> Self {
        Self { rows: [[1.0, 0.0, -rows], [0.0, 1.0, -columns]] }
    }

    /// Enlarges an image by this factor, above 0.
    #[must_use]
    pub const fn scale(factor: f64) -> Self {
        Self { rows: [[1.0 / factor, 0.0, 0.0], [0.0, 1.0 / factor, 0.0]] }
    }

    /// Rotates an image counterclockwise by this angle.
    #[must_use]
    pub fn rotation(degrees: f64) -> Self {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Self { rows: [[cosine, sine, 0.0], [-sine, cosine, 0.0]] }
    }

    /// Shears an image: each row moves to the right by `across` times its distance below the center, each column down by `along` times
    /// its distance to the right of the center. One of both is 0.
    #[must_use]
    pub const fn shear(across: f64, along: f64) -> Self {
        Self { rows: [[1.0, -along, 0.0], [-across, 1.0, 0.0]] }
    }

    /// The position from which the pixel at `[row, column]` is taken, both relative to the center.
    #[must_use]
    pub fn source(&self, [row, column]: [f64; 2]) -> [f64; 2] {
        self.rows.map(|[a, b, c]| a * row + b * column + c)
    }
}
