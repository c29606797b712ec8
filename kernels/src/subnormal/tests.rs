//! The mode is set only where it is requested.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{flushed, in_callers_mode, is_flushed, mode};
use crate::half::{self, Half, bf16, f16};
use crate::simd::{self, Level};
use crate::threads;

/// Both what FTZ and what DAZ does: the result of a product, and the input of a sum that would be normal.
fn flushes() -> bool {
    let result = black_box(f32::MIN_POSITIVE) * black_box(0.5);
    let input = black_box(f32::MIN_POSITIVE / 2.0) + black_box(f32::MIN_POSITIVE / 2.0);
    let wide = black_box(f64::MIN_POSITIVE) * black_box(0.5);
    assert_eq!(result == 0.0, input == 0.0);
    assert_eq!(result == 0.0, wide == 0.0);
    result == 0.0
}

/// The register, without the exception flags.
fn register() -> mode::Register {
    if cfg!(target_arch = "x86_64") { mode::read() & !0x3f } else { mode::read() }
}

#[test]
fn mode_is_restored_after_call() {
    let before = register();
    assert!(!flushes() && !is_flushed());
    flushed(|| {
        assert!(flushes() && is_flushed());
        flushed(|| assert!(flushes() && is_flushed()));
        assert!(flushes());
        in_callers_mode(|| {
            assert!(!flushes() && !is_flushed());
            in_callers_mode(|| assert!(!flushes()));
            flushed(|| assert!(flushes()));
            assert!(!flushes() && register() == before);
        });
        assert!(flushes());
    });
    assert!(!flushes() && register() == before);
    assert_eq!(flushed(|| 5), 5);
}

#[test]
fn panic_restores_mode() {
    let before = register();
    let panics = || flushed(|| in_callers_mode(|| flushed(|| panic!("on purpose"))));
    assert!(catch_unwind(panics).is_err());
    assert!(!flushes() && register() == before);
    flushed(|| {
        assert!(catch_unwind(|| in_callers_mode(|| panic!("on purpose"))).is_err());
        assert!(flushes());
    });
    assert!(!flushes() && register() == before);
}

/// A thread that flushes by itself keeps its mode.
#[test]
fn flushing_caller_keeps_its_mode() {
    let before = mode::read();
    mode::write(before | mode::FLUSH);
    assert!(flushes());
    flushed(|| in_callers_mode(|| assert!(flushes() && !is_flushed())));
    assert!(flushes());
    mode::write(before);
    assert!(!flushes());
}

fn pools(mut run: impl FnMut(&rayon::ThreadPool)) {
    for threads in 1..=4 {
        run(&rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool"));
    }
}

/// That no thread of a pool flushes now.
#[track_caller]
fn check_restored(pool: &rayon::ThreadPool) {
    assert!(pool.broadcast(|_| !flushes() && !is_flushed()).into_iter().all(|kept| kept));
}

#[test]
fn every_thread_uses_mode_of_caller() {
    pools(|pool| {
        for wanted in [true, false] {
            let check = || {
                let check = || assert_eq!((flushes(), is_flushed()), (wanted, wanted));
                threads::for_each(64, |_| check());
                threads::join(check, check);
                threads::inside(check);
                let (mut a, mut b, mut c) = (vec![0; 64], vec![0; 64], vec![0; 64]);
                threads::chunks(&mut a, 1, |_, _| check());
                threads::chunks2((&mut a, 1), (&mut b, 1), |_, _, _| check());
                threads::chunks3((&mut a, 1), (&mut b, 1), (&mut c, 1), |_, _, _, _| check());
                // Work within work.
                threads::for_each(8, |_| {
                    threads::for_each(8, |_| check());
                    check();
                });
                check();
            };
            pool.install(|| if wanted { flushed(check) } else { check() });
            check_restored(pool);
            // From a thread that is none of the pool's.
            if wanted {
                flushed(|| pool.install(|| assert!(!flushes())));
            }
        }
    });
    assert!(!flushes());
}

#[test]
fn panic_on_one_thread_restores_mode_of_all() {
    pools(|pool| {
        let work = || {
            flushed(|| threads::for_each(64, |number| assert!(number != 40, "on purpose")));
        };
        assert!(catch_unwind(AssertUnwindSafe(|| pool.install(work))).is_err());
        check_restored(pool);
    });
    assert!(!flushes());
}

/// A thread starts with the mode of the thread that creates it, so none may be made where numbers are flushed. Seen to fail, in
/// a process of its own, when the number of threads was queried in that mode.
#[test]
fn global_pool_keeps_its_mode() {
    let count = flushed(threads::count);
    assert_eq!(rayon::broadcast(|_| assert!(!flushes())).len(), count);
}

/// While a thread waits for its part of the work, it may run other work.
#[test]
fn stolen_work_keeps_its_mode() {
    pools(|pool| {
        pool.scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|_| assert!(!flushes()));
                scope.spawn(|_| {
                    flushed(|| {
                        threads::for_each(4, |_| {
                            threads::join(|| assert!(flushes()), || assert!(flushes()));
                        });
                    });
                });
            }
        });
        check_restored(pool);
    });
}

/// All 65,536 16-bit values, and f32 around every one of them: subnormal ones too.
#[test]
fn half_conversions_do_not_depend_on_mode() {
    half_conversions_of::<bf16>();
    half_conversions_of::<f16>();
}

fn half_conversions_of<H: Half>() {
    let kept: Vec<u16> = (0..=u16::MAX).collect();
    let kept: &[H] = bytemuck::cast_slice(&kept);
    let convert = || {
        let mut wide = vec![0.0; kept.len()];
        half::unpack(kept, &mut wide);
        let bits = |wide: &[f32]| wide.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let mut found = vec![bits(&wide)];
        for step in [-1, 0, 1, 0x1000] {
            let near = wide.iter().map(|value| value.to_bits().wrapping_add_signed(step));
            let mut near: Vec<f32> = near.map(f32::from_bits).collect();
            let mut narrow = vec![H::zeroed(); near.len()];
            half::pack(&near, &mut narrow);
            found.push(bytemuck::cast_slice::<H, u16>(&narrow).iter().copied().map(u32::from).collect());
            half::round(H::FORMAT, &mut near);
            found.push(bits(&near));
        }
        found
    };
    let expected = convert();
    for &level in Level::available() {
        assert!(simd::at_level(level, || flushed(convert)) == expected, "{:?} {level:?}", H::FORMAT);
    }
    assert!(flushed(convert) == expected);
}
