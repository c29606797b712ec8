//! Matrix products.

/// A matrix inside a slice, with any strides.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Where the numbers are; element (i, j) is at `i * row_stride + j * column_stride`.
    pub data: &'a [f32],
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// A matrix whose rows lie one after the other.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// A matrix whose rows begin `stride` numbers apart.
    #[must_use]
    pub fn with_stride(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// The same numbers with rows as columns.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// What a result does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onto {
    /// Takes its place; what was there is never read.
    Replace,
    /// Is added to it.
    Add,
}

/// `c = a b`, or `c += a b`, on the caller's thread; rows of `c` begin `stride` numbers apart.
pub fn serial(a: View<'_>, b: View<'_>, c: &mut [f32], stride: usize, onto: Onto) {
    for i in 0..a.rows {
        for j in 0..b.columns {
            let mut sum = 0.0_f32;
            for k in 0..a.columns {
                sum = a.data[i * a.row_stride + k * a.column_stride]
                    .mul_add(b.data[k * b.row_stride + j * b.column_stride], sum);
            }
            let c = &mut c[i * stride + j];
            *c = if onto == Onto::Add { *c + sum } else { sum };
        }
    }
}

/// `c = a b`, or `c += a b`, on all threads; rows of `c` lie one after the other.
pub fn product(a: View<'_>, b: View<'_>, c: &mut [f32], onto: Onto) {
    serial(a, b, c, b.columns, onto);
}
