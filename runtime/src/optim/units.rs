//! Units: the parts of a parameter that belong to one output of a layer.

use trainspec_kernels::scratch;

use crate::layer::{GraphParameter, Outputs};

/// Returns the number of elements of one unit of a parameter: those of all axes but that of the outputs, or all elements of a
/// tensor with one axis. At least 1.
pub(crate) fn unit_length(parameter: &GraphParameter) -> usize {
    let shape = parameter.shape;
    let units = match (shape.axes(), parameter.outputs) {
        ([] | [_], _) => 1,
        ([_, outputs, ..], Outputs::Second { groups }) => outputs * groups,
        ([outputs, ..], Outputs::First) => *outputs,
    };
    (shape.elements() / units.max(1)).max(1)
}

/// Passes `run` the elements of a parameter unit after unit, and takes back those that it changes.
pub(crate) fn in_units(parameter: &GraphParameter, values: &mut [f32], run: impl FnOnce(&mut [f32])) {
    let Some(order) = Order::of(parameter) else { return run(values) };
    scratch::with(values.len(), |units| {
        order.each(|place, unit| {
            units[unit..][..order.field].copy_from_slice(&values[place..][..order.field]);
        });
        run(units);
        order.each(|place, unit| {
            values[place..][..order.field].copy_from_slice(&units[unit..][..order.field]);
        });
    });
}

/// Passes `run` the elements of a parameter unit after unit, to read.
pub(crate) fn of_units<R>(parameter: &GraphParameter, values: &[f32], run: impl FnOnce(&[f32]) -> R) -> R {
    let Some(order) = Order::of(parameter) else { return run(values) };
    scratch::with(values.len(), |units| {
        order.each(|place, unit| {
            units[unit..][..order.field].copy_from_slice(&values[place..][..order.field]);
        });
        run(units)
    })
}

/// The order of a parameter `[groups * ins, outs, …]` whose units are not consecutive.
struct Order {
    groups: usize,
    ins: usize,
    outs: usize,
    /// The number of elements of the other axes.
    field: usize,
}

impl Order {
    fn of(parameter: &GraphParameter) -> Option<Self> {
        let (&[inputs, outs, ref field @ ..], Outputs::Second { groups }) =
            (parameter.shape.axes(), parameter.outputs)
        else {
            return None;
        };
        let groups = groups.max(1);
        Some(Self { groups, ins: inputs / groups, outs, field: field.iter().product() })
    }

    /// Runs `run` for each field of a parameter, with its index in the parameter and in the order of units.
    fn each(&self, mut run: impl FnMut(usize, usize)) {
        let Self { groups, ins, outs, field } = *self;
        for group in 0..groups {
            for input in 0..ins {
                for output in 0..outs {
                    let place = (group * ins + input) * outs + output;
                    let unit = (group * outs + output) * ins + input;
                    run(place * field, unit * field);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Init, Role};
    use crate::shape::Shape;

    fn parameter(axes: &[usize], outputs: Outputs) -> GraphParameter {
        GraphParameter {
            path: String::new(),
            shape: Shape::of(axes),
            role: Role::Matrix,
            init: Init::Zeros,
            frozen: false,
            has_explicit_init: false,
            torch: String::new(),
            minimum: f32::NEG_INFINITY,
            tied: Vec::new(),
            is_rounded: true,
            outputs,
            zero_row: None,
            is_output: false,
        }
    }

    #[test]
    fn unit_is_slice_along_axis_of_outputs() {
        for (axes, length) in
            [(&[10, 64][..], 64), (&[8, 3, 5, 5], 75), (&[7], 7), (&[], 1), (&[4, 1], 1), (&[0, 3], 1)]
        {
            assert_eq!(unit_length(&parameter(axes, Outputs::First)), length, "{axes:?}");
        }
        assert_eq!(unit_length(&parameter(&[4, 3, 5, 5], Outputs::Second { groups: 2 })), 50);
    }

    #[test]
    fn units_of_transposed_convolution_are_gathered() {
        // Two groups of two inputs and three outputs, with kernels of 2.
        let weight = parameter(&[4, 3, 2], Outputs::Second { groups: 2 });
        let mut values: Vec<f32> = (0..24_u8).map(f32::from).collect();
        of_units(&weight, &values, |units| assert_eq!(units[..8], [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0]));
        in_units(&weight, &mut values, |units| units[20..].fill(-1.0));
        let changed: Vec<usize> = (0..24).filter(|&at| values[at] < 0.0).collect();
        assert_eq!(changed, [16, 17, 22, 23], "the weights of the last output of the second group");
    }
}
