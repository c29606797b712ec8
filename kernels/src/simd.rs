//! SIMD levels: one source, compiled once per level and selected at run time.
//!
//! A kernel is written as plain loops over arrays of fixed width; [`simd!`](macro@crate::simd) compiles it for each
//! level and calls the best that the machine supports. Every kernel rounds at the same points at every level
//! (`mul_add` where a product is fused, a fixed number of running sums), so results are bit-identical at
//! every level.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};

/// A SIMD level of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The baseline of the target. On aarch64 this includes NEON.
    Portable = 1,
    /// AVX2 and FMA: 8 f32 lanes.
    Avx2 = 2,
    /// AVX-512 F, BW, DQ and VL: 16 f32 lanes.
    Avx512 = 3,
}

impl Level {
    /// The levels of this machine, the lowest first.
    #[must_use]
    pub fn available() -> &'static [Self] {
        const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];
        &ALL[..detect() as usize]
    }
}

thread_local! {
    static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
}

/// The level at which kernels run on this thread.
#[inline]
#[must_use]
pub fn level() -> Level {
    if let Some(level) = FORCED.get() { level } else { detect() }
}

/// Whether [`at_level`] is active on this thread.
#[inline]
pub(crate) fn is_forced() -> bool {
    FORCED.get().is_some()
}

/// Runs `run` with kernels at `level`, on this thread only. Tests use it to compare levels.
///
/// # Panics
/// If the machine does not support the level.
pub fn at_level<R>(level: Level, run: impl FnOnce() -> R) -> R {
    assert!(Level::available().contains(&level), "this machine does not support {level:?}");
    let _restore = Restore(FORCED.replace(Some(level)));
    run()
}

/// Restores the previous level.
struct Restore(Option<Level>);

impl Drop for Restore {
    fn drop(&mut self) {
        FORCED.set(self.0);
    }
}

fn detect() -> Level {
    static FOUND: AtomicU8 = AtomicU8::new(0);
    match FOUND.load(Ordering::Relaxed) {
        0 => {
            let level = look();
            FOUND.store(level as u8, Ordering::Relaxed);
            level
        }
        3 => Level::Avx512,
        2 => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(target_arch = "x86_64")]
fn look() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn look() -> Level {
    Level::Portable
}

/// A function that is compiled for each SIMD level and runs at [`level`].
///
/// The body is inlined into each copy, and so are the functions it calls that are `#[inline(always)]`. Generics are
/// written in square brackets, then repeated by name: `fn map[F: Fn(f32) -> f32][F](x: &mut [f32], f: F) { … }`.
///
/// ```
/// trainspec_kernels::simd! {
///     /// Adds `a * x` to `y`.
///     fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
///         for (y, x) in y.iter_mut().zip(x) {
///             *y = a.mul_add(*x, *y);
///         }
///     }
/// }
///
/// let mut y = [1.0; 3];
/// axpy(2.0, &[1.0, 2.0, 3.0], &mut y);
/// assert_eq!(y, [3.0, 5.0, 7.0]);
/// ```
#[macro_export]
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $crate::simd! { $(#[$meta])* $vis fn $name[][]($($arg: $ty),*) $(-> $out)? $body }
    };
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident[$($generics:tt)*][$($generic:ident),*]
        ($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, clippy::inline_always)]
        $vis fn $name<$($generics)*>($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn body<$($generics)*>($($arg: $ty),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generics)*>($($arg: $ty),*) $(-> $out)? {
                body::<$($generic),*>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<$($generics)*>($($arg: $ty),*) $(-> $out)? {
                body::<$($generic),*>($($arg),*)
            }

            match $crate::simd::level() {
                // SAFETY: `level` returns this level only if the processor was detected to have its features.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 => unsafe { avx512::<$($generic),*>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2 => unsafe { avx2::<$($generic),*>($($arg),*) },
                _ => body::<$($generic),*>($($arg),*),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simd_level_can_be_forced_temporarily() {
        let found = level();
        at_level(Level::Portable, || {
            assert_eq!(level(), Level::Portable);
            assert!(is_forced());
        });
        assert_eq!(level(), found);
        assert!(!is_forced());
    }
}
