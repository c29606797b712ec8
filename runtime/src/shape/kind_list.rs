//! Lists of kinds: what a model takes and returns, and what data provide.

use super::{Element, Elements, Few, InputKind, Kind, Numbers, OutputKind, Shape};

/// One kind, or a tuple of two to six: the inputs or the outputs of a model, or the targets of data.
///
/// ```
/// use trainspec::{Class, Features, Image, Kinds};
///
/// assert_eq!(<Features<3> as Kinds>::SHAPES.len(), 1);
/// assert_eq!(<(Image<1, 8, 8>, Features<3>) as Kinds>::NAMES, ["Image", "Features"]);
/// assert_eq!(<(Class<10>, Features<3>) as Kinds>::columns(2), (vec![0_u32; 2], vec![0.0_f32; 6]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of value",
    label = "expected a kind, such as `Image<C, H, W>`, `Series<C, L>`, `Features<N>`, `Tokens<V, T>`, `Logits<C>`, `Values<N>`, or a \
             tuple of two to six kinds"
)]
pub trait Kinds: 'static {
    /// The values of consecutive samples: a `Vec` of elements; for a tuple, a tuple of these.
    type Columns: Send + Sync;
    /// The values of one sample, to be written: `&mut [f32]` or `&mut [u32]`; for a tuple, a tuple of these.
    type Row<'a>;
    /// The values of consecutive samples, to be read: `&[f32]` or `&[u32]`; for a tuple, a tuple of these.
    type Slices<'a>: Copy;
    /// The names of the kinds.
    const NAMES: &'static [&'static str];
    /// One sample's shapes.
    const SHAPES: &'static [Shape];

    /// Zeros for this many samples.
    fn columns(samples: usize) -> Self::Columns;
    /// The values of one sample, from 0; empty if there is none with that index.
    fn row(columns: &mut Self::Columns, sample: usize) -> Self::Row<'_>;
    /// Copies one sample. Returns whether there is one with that index.
    fn copy(columns: &Self::Columns, sample: usize, row: Self::Row<'_>) -> bool;
    /// The elements of each kind.
    fn elements(columns: Self::Columns) -> Vec<Elements>;
    /// The columns with these elements, one entry for each kind; `None` if their types or their number are not those of the kinds.
    fn from_elements(elements: Vec<Elements>) -> Option<Self::Columns>;
    /// The elements of each kind.
    fn numbers(slices: Self::Slices<'_>) -> Few<Numbers<'_>>;
    /// The columns as slices.
    fn slices(columns: &Self::Columns) -> Self::Slices<'_>;
    /// Empty columns, each with memory for as many values as `length` returns for its index.
    fn with_capacity(length: &dyn Fn(usize) -> usize) -> Self::Columns;
    /// Adds real values to the column with this index; nothing if its elements are not real, or there is no such column.
    fn extend(columns: &mut Self::Columns, place: usize, values: &[f32]);
}

#[diagnostic::do_not_recommend]
impl<K: Kind> Kinds for K {
    type Columns = Vec<K::Element>;
    type Row<'a> = &'a mut [K::Element];
    type Slices<'a> = &'a [K::Element];
    const NAMES: &'static [&'static str] = &[K::NAME];
    const SHAPES: &'static [Shape] = &[K::SHAPE];

    fn columns(samples: usize) -> Self::Columns {
        vec![K::Element::default(); samples.saturating_mul(K::SHAPE.elements())]
    }

    fn row(columns: &mut Self::Columns, sample: usize) -> Self::Row<'_> {
        let size = K::SHAPE.elements();
        let place = sample.saturating_mul(size)..sample.saturating_add(1).saturating_mul(size);
        columns.get_mut(place).unwrap_or_default()
    }

    fn copy(columns: &Self::Columns, sample: usize, row: Self::Row<'_>) -> bool {
        let (start, size) = (sample.checked_mul(row.len()), row.len());
        let found = start.and_then(|start| columns.get(start..start.checked_add(size)?));
        if let Some(found) = found {
            row.copy_from_slice(found);
        }
        found.is_some()
    }

    fn elements(columns: Self::Columns) -> Vec<Elements> {
        vec![Element::column(columns)]
    }

    fn from_elements(elements: Vec<Elements>) -> Option<Self::Columns> {
        let [elements]: [Elements; 1] = elements.try_into().ok()?;
        Element::unwrapped(elements)
    }

    fn numbers(slices: Self::Slices<'_>) -> Few<Numbers<'_>> {
        [Element::numbers(slices)].into_iter().collect()
    }

    fn slices(columns: &Self::Columns) -> Self::Slices<'_> {
        columns
    }

    fn with_capacity(length: &dyn Fn(usize) -> usize) -> Self::Columns {
        Vec::with_capacity(length(0))
    }

    fn extend(columns: &mut Self::Columns, place: usize, values: &[f32]) {
        if let (0, Some(values)) = (place, Element::of_sample(Numbers::Float(values))) {
            columns.extend_from_slice(values);
        }
    }
}

macro_rules! tuples {
    ($(($($kind:ident $place:tt),*))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($kind: Kind),*> Kinds for ($($kind,)*) {
            type Columns = ($(<$kind as Kinds>::Columns,)*);
            type Row<'a> = ($(<$kind as Kinds>::Row<'a>,)*);
            type Slices<'a> = ($(<$kind as Kinds>::Slices<'a>,)*);
            const NAMES: &'static [&'static str] = &[$($kind::NAME),*];
            const SHAPES: &'static [Shape] = &[$($kind::SHAPE),*];

            fn columns(samples: usize) -> Self::Columns {
                ($(<$kind as Kinds>::columns(samples),)*)
            }

            fn row(columns: &mut Self::Columns, sample: usize) -> Self::Row<'_> {
                ($(<$kind as Kinds>::row(&mut columns.$place, sample),)*)
            }

            fn copy(columns: &Self::Columns, sample: usize, row: Self::Row<'_>) -> bool {
                // Every part is copied, although one may be missing.
                [$(<$kind as Kinds>::copy(&columns.$place, sample, row.$place)),*].iter().all(|copied| *copied)
            }

            fn elements(columns: Self::Columns) -> Vec<Elements> {
                vec![$(Element::column(columns.$place)),*]
            }

            fn from_elements(elements: Vec<Elements>) -> Option<Self::Columns> {
                let mut elements = elements.into_iter();
                let columns = ($(<$kind as Kinds>::from_elements(vec![elements.next()?])?,)*);
                elements.next().is_none().then_some(columns)
            }

            fn numbers(slices: Self::Slices<'_>) -> Few<Numbers<'_>> {
                [$(Element::numbers(slices.$place)),*].into_iter().collect()
            }

            fn slices(columns: &Self::Columns) -> Self::Slices<'_> {
                ($(columns.$place.as_slice(),)*)
            }

            fn with_capacity(length: &dyn Fn(usize) -> usize) -> Self::Columns {
                ($(Vec::with_capacity(length($place)),)*)
            }

            fn extend(columns: &mut Self::Columns, place: usize, values: &[f32]) {
                match place {
                    $($place => <$kind as Kinds>::extend(&mut columns.$place, 0, values),)*
                    _ => {}
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($kind: InputKind),*> InputKinds for ($($kind,)*) {}
        #[diagnostic::do_not_recommend]
        impl<$($kind: OutputKind),*> OutputKinds for ($($kind,)*) {}
    )* };
}

/// The kinds that data can provide and a trained model can take: an [`InputKind`], or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind that data can provide",
    label = "expected `Image<C, H, W>`, `Series<C, L>`, `Features<N>` or `Tokens<V, T>`, or a tuple of two to six of them"
)]
pub trait InputKinds: Kinds {}

#[diagnostic::do_not_recommend]
impl<K: InputKind> InputKinds for K {}

/// The kinds that a trained model can return: an [`OutputKind`], or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of output that can be trained",
    label = "expected `Logits<C>`, `Values<N>` or `TokenLogits<V>`, or a tuple of two to six of them"
)]
pub trait OutputKinds: Kinds {}

#[diagnostic::do_not_recommend]
impl<K: OutputKind> OutputKinds for K {}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
