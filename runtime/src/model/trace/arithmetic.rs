//! Steps that a model writes as operators and indices.

use super::Trace;
use crate::config::Config;
use crate::layer::{Add, Affine, Div, Mul, Reciprocal, Select, Slice, Sub};
use crate::shape::Shape;

impl Trace {
    /// `a + b`.
    #[track_caller]
    pub const fn add(&mut self, a: Shape, b: Shape) -> Shape {
        self.step(Add::NAME, Add {}.output(a, b))
    }

    /// `a - b`.
    #[track_caller]
    pub const fn sub(&mut self, a: Shape, b: Shape) -> Shape {
        self.step(Sub::NAME, Sub {}.output(a, b))
    }

    /// `a * b`.
    #[track_caller]
    pub const fn mul(&mut self, a: Shape, b: Shape) -> Shape {
        self.step(Mul::NAME, Mul {}.output(a, b))
    }

    /// `a / b`.
    #[track_caller]
    pub const fn div(&mut self, a: Shape, b: Shape) -> Shape {
        self.step(Div::NAME, Div {}.output(a, b))
    }

    /// `-x`.
    #[track_caller]
    pub const fn neg(&mut self, x: Shape) -> Shape {
        self.affine(Affine { mul: -1.0, add: 0.0 }, x)
    }

    /// `x + number`, or `number + x`.
    #[track_caller]
    pub const fn add_number(&mut self, x: Shape, number: f64) -> Shape {
        self.affine(Affine { mul: 1.0, add: number }, x)
    }

    /// `x - number`.
    #[track_caller]
    pub const fn sub_number(&mut self, x: Shape, number: f64) -> Shape {
        self.affine(Affine { mul: 1.0, add: -number }, x)
    }

    /// `number - x`.
    #[track_caller]
    pub const fn number_sub(&mut self, x: Shape, number: f64) -> Shape {
        self.affine(Affine { mul: -1.0, add: number }, x)
    }

    /// `x * number`, or `number * x`.
    #[track_caller]
    pub const fn mul_number(&mut self, x: Shape, number: f64) -> Shape {
        self.affine(Affine { mul: number, add: 0.0 }, x)
    }

    /// `x / number`.
    #[track_caller]
    pub const fn div_number(&mut self, x: Shape, number: f64) -> Shape {
        match Affine::divided_by(number) {
            Ok(layer) => self.affine(layer, x),
            Err(problem) => self.step(Affine::NAME, Err(problem)),
        }
    }

    /// `number / x`.
    #[track_caller]
    pub const fn number_div(&mut self, x: Shape, number: f64) -> Shape {
        self.step(Reciprocal::NAME, Reciprocal { numerator: number }.output(x))
    }

    /// `x[start..end]`.
    #[track_caller]
    pub const fn slice(&mut self, x: Shape, start: usize, end: usize) -> Shape {
        let layer = Slice { axis: 0, start, end };
        self.step(Slice::NAME, layer.output(x))
    }

    /// `x[index]`.
    #[track_caller]
    pub const fn select(&mut self, x: Shape, index: usize) -> Shape {
        self.step(Select::NAME, Select { axis: 0, index }.output(x))
    }

    #[track_caller]
    const fn affine(&mut self, layer: Affine, x: Shape) -> Shape {
        self.step(Affine::NAME, layer.output(x))
    }
}
