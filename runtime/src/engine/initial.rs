//! Initial parameters.

use candle_core::{Device, Tensor};
use trainspec_kernels::orthogonal::orthonormalize;
use trainspec_kernels::weight_norm::WeightNorm;

use crate::error::Result;
use crate::graph::{Graph, GraphParameter};
use crate::layer::Init;
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::Shape;

/// The initial parameters of a graph, each drawn from its own stream, keyed by the seed and its path.
///
/// # Errors
/// If a parameter cannot be created on the device.
pub fn initial(graph: &Graph, seed: u64, device: &Device) -> Result<Vec<Tensor>> {
    let tensor = |(parameter, values): (&GraphParameter, Vec<f32>)| {
        Ok(Tensor::from_vec(values, parameter.shape.axes(), device)?)
    };
    graph.parameters.iter().zip(initial_numbers(graph, seed)).map(tensor).collect()
}

/// The same as vectors of values, one per parameter.
pub(crate) fn initial_numbers(graph: &Graph, seed: u64) -> impl Iterator<Item = Vec<f32>> {
    graph.parameters.iter().enumerate().map(move |(place, parameter)| {
        let draw = |parameter: &GraphParameter| {
            drawn(parameter.init, parameter.shape, Stream::new(seed, Purpose::Init, &parameter.path))
        };
        let mut values = match (parameter.init, graph.parameters.get(place + 1)) {
            (Init::RowNorms, Some(next)) => row_norms(parameter.shape.elements(), &draw(next)),
            _ => draw(parameter),
        };
        if let Some(row) = parameter.zero_row {
            let columns = parameter.shape.last();
            values.iter_mut().skip(row.saturating_mul(columns)).take(columns).for_each(|value| *value = 0.0);
        }
        values
    })
}

fn drawn(init: Init, shape: Shape, stream: Stream) -> Vec<f32> {
    let count = shape.elements();
    let normal = |std: f64, values: Vec<f32>| -> Vec<f32> {
        values.into_iter().map(|normal| (std * f64::from(normal)) as f32).collect()
    };
    match init {
        Init::Zeros => vec![0.0; count],
        // Of rows that another layer owns.
        Init::Ones | Init::RowNorms => vec![1.0; count],
        Init::Constant { value } => vec![value as f32; count],
        Init::Uniform { bound } => {
            let scale = |unit: f32| (bound * (2.0 * f64::from(unit) - 1.0)) as f32;
            stream.uniform(StepIndex::default(), count).into_iter().map(scale).collect()
        }
        Init::Normal { std } => normal(std, stream.normal(StepIndex::default(), count)),
        Init::TruncatedNormal { std } => normal(std, truncated(count, stream)),
        Init::Orthogonal { gain } => orthogonal(gain, shape, stream),
    }
}

/// The norm of each of `rows` rows; 1 if they are not as many.
fn row_norms(rows: usize, values: &[f32]) -> Vec<f32> {
    let mut norms = vec![1.0; rows];
    if let Some(columns @ 1..) = values.len().checked_div(rows)
        && values.len() == rows * columns
    {
        WeightNorm { rows, columns }.norms(values, &mut norms);
    }
    norms
}

/// Normal values; those beyond two standard deviations (one in 22) are redrawn.
fn truncated(count: usize, stream: Stream) -> Vec<f32> {
    const MOST: f32 = 2.0;
    let mut values = stream.normal(StepIndex::default(), count);
    let mut outside: Vec<usize> = (0..count).filter(|&place| values[place].abs() > MOST).collect();
    let mut at = StepIndex::default();
    while !outside.is_empty() {
        at.step += 1;
        for (&place, value) in outside.iter().zip(stream.normal(at, outside.len())) {
            values[place] = value;
        }
        outside.retain(|&place| values[place].abs() > MOST);
    }
    values
}

/// A matrix of normal values made orthonormal along its shorter side, which makes all such matrices equally likely.
fn orthogonal(gain: f64, shape: Shape, stream: Stream) -> Vec<f32> {
    let count = shape.elements();
    let rows = shape.axes().first().copied().unwrap_or(1).max(1);
    let columns = count / rows;
    let matrix = stream.normal(StepIndex::default(), count);
    let number = |place: usize| f64::from(matrix[place]);
    let scaled = |number: f64| (gain * number) as f32;
    if rows < columns {
        let mut vectors: Vec<f64> = (0..count).map(number).collect();
        orthonormalize(&mut vectors, columns);
        return vectors.into_iter().map(scaled).collect();
    }
    let mut vectors: Vec<f64> = (0..columns)
        .flat_map(|column| (0..rows).map(move |row| row * columns + column))
        .map(number)
        .collect();
    orthonormalize(&mut vectors, rows);
    (0..rows)
        .flat_map(|row| (0..columns).map(move |column| column * rows + row))
        .map(|place| scaled(vectors[place]))
        .collect()
}
