//! 16-bit formats, in cache and from memory: our loops, and those of the crate `half`.

use divan::{Bencher, black_box, counter::BytesCount};
use half::slice::HalfFloatSliceExt;
use trainspec_kernels::half::{self as ours, Format, Half, bf16, f16};

fn main() {
    divan::main();
}

/// In cache, and from memory.
const COUNTS: [usize; 2] = [4096, 1 << 23];

fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|n| n.wrapping_mul(2_654_435_769).cast_signed() as f32 / 536_870_912.0).collect()
}

#[divan::bench(types = [bf16, f16], args = COUNTS)]
fn pack<H: Half>(bencher: Bencher<'_, '_>, count: usize) {
    let (values, mut kept) = (numbers(count), vec![H::zeroed(); count]);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| ours::pack(black_box(&values), black_box(&mut kept)));
}

#[divan::bench(types = [bf16, f16], args = COUNTS)]
fn pack_by_half<H: Half>(bencher: Bencher<'_, '_>, count: usize)
where
    [H]: HalfFloatSliceExt,
{
    let (values, mut kept) = (numbers(count), vec![H::zeroed(); count]);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| black_box(&mut kept[..]).convert_from_f32_slice(black_box(&values)));
}

#[divan::bench(types = [bf16, f16], args = COUNTS)]
fn unpack<H: Half>(bencher: Bencher<'_, '_>, count: usize) {
    let (mut values, mut kept) = (numbers(count), vec![H::zeroed(); count]);
    ours::pack(&values, &mut kept);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| ours::unpack(black_box(&kept), black_box(&mut values)));
}

#[divan::bench(types = [bf16, f16], args = COUNTS)]
fn unpack_by_half<H: Half>(bencher: Bencher<'_, '_>, count: usize)
where
    [H]: HalfFloatSliceExt,
{
    let (mut values, mut kept) = (numbers(count), vec![H::zeroed(); count]);
    ours::pack(&values, &mut kept);
    bencher
        .counter(BytesCount::new(6 * count))
        .bench_local(|| black_box(&kept[..]).convert_to_f32_slice(black_box(&mut values)));
}

#[divan::bench(args = [(Format::Bf16, 4096), (Format::F16, 4096), (Format::Bf16, 1 << 23), (Format::F16, 1 << 23)])]
fn round(bencher: Bencher<'_, '_>, (format, count): (Format, usize)) {
    let mut values = numbers(count);
    bencher.counter(BytesCount::new(8 * count)).bench_local(|| ours::round(format, black_box(&mut values)));
}
