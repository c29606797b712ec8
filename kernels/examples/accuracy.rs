//! The largest errors of the functions of `math` over all f32, against f64.
//!
//! `cargo run --release -p trainspec-kernels --example accuracy [STRIDE]`; without a stride it takes minutes. Below
//! 2^-27 and from 256 on, where the functions are linear or constant, it looks at a part of them.

use trainspec_kernels::{math, simd};

#[path = "../src/math/comparison.rs"]
mod comparison;
#[path = "../src/math/reference.rs"]
mod reference;

fn main() {
    let stride: u64 = std::env::args().nth(1).and_then(|stride| stride.parse().ok()).unwrap_or(1);
    comparison::each(stride, &mut |name, worst| {
        println!(
            "{name:16} {:8.3} at {:e}, which gives {:e}, not {:e}",
            worst.error, worst.x, worst.found, worst.exact
        );
    });
}
