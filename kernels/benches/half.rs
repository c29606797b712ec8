//! 16-bit formats, in cache and from memory.

use divan::{Bencher, black_box, counter::BytesCount};
use trainspec_kernels::half::{self, Format};

fn main() {
    divan::main();
}

const ALL: [(Format, usize); 4] =
    [(Format::Bf16, 4096), (Format::F16, 4096), (Format::Bf16, 1 << 23), (Format::F16, 1 << 23)];

fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|n| n.wrapping_mul(2_654_435_769).cast_signed() as f32 / 536_870_912.0).collect()
}

#[divan::bench(args = ALL)]
fn pack(bencher: Bencher<'_, '_>, (format, count): (Format, usize)) {
    let (values, mut kept) = (numbers(count), vec![0; count]);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| half::pack(format, black_box(&values), black_box(&mut kept)));
}

#[divan::bench(args = ALL)]
fn unpack(bencher: Bencher<'_, '_>, (format, count): (Format, usize)) {
    let (mut values, kept) = (numbers(count), vec![0x3C01; count]);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| half::unpack(format, black_box(&kept), black_box(&mut values)));
}

#[divan::bench(args = ALL)]
fn round(bencher: Bencher<'_, '_>, (format, count): (Format, usize)) {
    let mut values = numbers(count);
    bencher.counter(BytesCount::new(8 * count)).bench_local(|| half::round(format, black_box(&mut values)));
}
