//! A weight, with its packed form if there is one.

/// A weight of a layer, and the same packed, if it does not change and has been packed before.
///
/// ```
/// use trainspec_kernels::epilogue::Epilogue;
/// use trainspec_kernels::linear::Linear;
///
/// let linear = Linear { rows: 1, inputs: 1, outputs: 5 };
/// let weight = [1.0, 2.0, 3.0, 4.0, 5.0];
/// let packed = linear.pack(&weight);
/// let (mut y, mut same) = ([0.0; 5], [0.0; 5]);
/// linear.forward(&[2.0], &weight, None, &Epilogue::NONE, None, &mut y);
/// linear.forward(&[2.0], (&weight[..], packed.as_ref()), None, &Epilogue::NONE, None, &mut same);
/// assert_eq!(y, [2.0, 4.0, 6.0, 8.0, 10.0]);
/// assert_eq!(same, y);
/// ```
#[derive(Debug)]
pub struct Weight<'a, Packed> {
    /// The elements.
    pub values: &'a [f32],
    /// The same elements, packed.
    pub packed: Option<&'a Packed>,
}

impl<Packed> Clone for Weight<'_, Packed> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Packed> Copy for Weight<'_, Packed> {}

impl<'a, Packed> From<(&'a [f32], Option<&'a Packed>)> for Weight<'a, Packed> {
    fn from((values, packed): (&'a [f32], Option<&'a Packed>)) -> Self {
        Self { values, packed }
    }
}

impl<'a, Packed> From<&'a [f32]> for Weight<'a, Packed> {
    fn from(values: &'a [f32]) -> Self {
        Self { values, packed: None }
    }
}

impl<'a, Packed> From<&'a Vec<f32>> for Weight<'a, Packed> {
    fn from(values: &'a Vec<f32>) -> Self {
        Self { values, packed: None }
    }
}

impl<'a, const N: usize, Packed> From<&'a [f32; N]> for Weight<'a, Packed> {
    fn from(values: &'a [f32; N]) -> Self {
        Self { values, packed: None }
    }
}
