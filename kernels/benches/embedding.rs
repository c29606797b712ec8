//! Embeddings of a small language model: 2048 positions of 256 features, a vocabulary of 65, 16 samples.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use trainspec_kernels::embedding::{Embedding, PositionEmbedding};
use trainspec_kernels::matmul::WriteMode;

fn main() {
    rayon::ThreadPoolBuilder::new().use_current_thread().build_global().expect("no other pool");
    divan::main();
}

const PLACES: usize = 2048;
const TOKENS: Embedding = Embedding { vocabulary: 65, features: 256 };
const POSITIONS: PositionEmbedding = PositionEmbedding { batch: 16, length: 128, features: 256 };

fn tokens() -> Vec<u32> {
    (0..PLACES as u32).map(|place| place.wrapping_mul(0x9e37_79b9) % TOKENS.vocabulary as u32).collect()
}

/// `streams` times all elements of the positions.
fn bytes(streams: usize) -> BytesCount {
    BytesCount::of_many::<f32>(streams * PLACES * TOKENS.features)
}

/// Writes all, and if added reads it too.
#[divan::bench(args = [WriteMode::Overwrite, WriteMode::Accumulate])]
fn token_forward(bencher: Bencher<'_, '_>, onto: WriteMode) {
    let (tokens, table) = (tokens(), vec![0.1; TOKENS.vocabulary * TOKENS.features]);
    let mut y = vec![0.0; PLACES * TOKENS.features];
    let bencher = bencher.counter(bytes(if onto == WriteMode::Accumulate { 2 } else { 1 }));
    bencher.bench_local(|| TOKENS.forward(black_box(&tokens), &table, &mut y, onto));
}

/// Reads all.
#[divan::bench]
fn token_backward(bencher: Bencher<'_, '_>) {
    let (tokens, dy) = (tokens(), vec![0.1; PLACES * TOKENS.features]);
    let mut d_table = vec![0.0; TOKENS.vocabulary * TOKENS.features];
    let bencher = bencher.counter(bytes(1));
    bencher.bench_local(|| TOKENS.backward(black_box(&tokens), &dy, (&mut d_table, WriteMode::Overwrite)));
}

/// Reads and writes all.
#[divan::bench]
fn position_forward(bencher: Bencher<'_, '_>) {
    let table = vec![0.1; POSITIONS.length * POSITIONS.features];
    let mut y = vec![0.0; PLACES * POSITIONS.features];
    bencher
        .counter(bytes(2))
        .bench_local(|| POSITIONS.forward(black_box(&table), &mut y, WriteMode::Accumulate));
}

/// Reads all.
#[divan::bench]
fn position_backward(bencher: Bencher<'_, '_>) {
    let dy = vec![0.1; PLACES * POSITIONS.features];
    let mut d_table = vec![0.0; POSITIONS.length * POSITIONS.features];
    let bencher = bencher.counter(bytes(1));
    bencher.bench_local(|| POSITIONS.backward(black_box(&dy), (&mut d_table, WriteMode::Overwrite)));
}
