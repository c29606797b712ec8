//! Subnormal numbers (below 1.2e-38): whether arithmetic on this thread keeps them or flushes them to 0.
//!
//! A processor may need a hundred times longer for an operation that reads or returns a subnormal number. They are common
//! once training has converged: gradients vanish, and their squares vanish sooner. So the planned engine computes
//! in [`flushed`]: subnormal inputs and results of f32 and f64 arithmetic are 0. The mode is per thread, and threads
//! may belong to other code, such as the program's rayon pool. So it is set for the duration of a call and restored
//! afterwards, also if the call panics. [`threads`](crate::threads) propagates it to the threads that share the
//! work, and restores it on a thread that waits for them, which may run other work meanwhile.
//! [`in_callers_mode`] runs external code, such as a custom layer, as it would run outside.
//!
//! | target | what is set |
//! | --- | --- |
//! | x86-64 | flush-to-zero and denormals-are-zero in MXCSR |
//! | aarch64 | FZ in FPCR |
//! | others | nothing: subnormal numbers are kept |
//!
//! Conversions to and from 16 bits ([`half`](crate::half)) return the same bits in both modes: a subnormal f16
//! is a normal f32, and a bf16 is widened and narrowed by bit operations. Moves and copies also change nothing:
//! a subnormal number that is not used in arithmetic is preserved.
//!
//! # What the compiler assumes
//! Rust assumes that arithmetic keeps subnormal numbers, and documents a change of these modes as undefined behavior
//! for what it compiles itself (`core::arch::x86_64::_mm_setcsr`); it has no equivalent of the C compiler option
//! `-fdenormal-fp-math`. Two things could go wrong, and both are confined here. An operation could be moved across
//! the change of the mode: so the change, the call and the restoration are in a function that is never inlined and has
//! no arithmetic, the work is called in another function, and the assembly is declared to read and write all memory. And
//! an operation could be constant-folded: the result then keeps the subnormal number, which differs by less than
//! 1.2e-38 and is the same in every run. Neither this module nor its callers rely on a subnormal number being flushed.

use std::cell::Cell;

/// The register that holds the mode.
type Register = mode::Register;

thread_local! {
    /// On a thread that flushes: the register as it was before.
    static CALLERS: Cell<Option<Register>> = const { Cell::new(None) };
}

/// Runs `work` on this thread with subnormal numbers flushed to 0.
///
/// ```
/// use std::hint::black_box;
/// use trainspec_kernels::subnormal::{flushed, in_callers_mode};
///
/// let half = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
/// assert!(half() > 0.0);
/// if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
///     assert_eq!(flushed(half), 0.0);
/// }
/// assert!(flushed(|| in_callers_mode(half)) > 0.0);
/// assert!(half() > 0.0);
/// ```
#[inline(never)]
pub fn flushed<R>(work: impl FnOnce() -> R) -> R {
    if is_flushed() {
        return apart(work);
    }
    let before = mode::read();
    CALLERS.set(Some(before));
    let _restore = Leave;
    mode::write(before | mode::FLUSH);
    apart(work)
}

/// Runs `work` in the mode that this thread had outside of [`flushed`].
#[inline(never)]
pub fn in_callers_mode<R>(work: impl FnOnce() -> R) -> R {
    let Some(callers) = CALLERS.take() else {
        return apart(work);
    };
    let _restore = Enter;
    mode::write(callers);
    apart(work)
}

/// Whether this thread flushes subnormal numbers for [`flushed`].
#[must_use]
pub fn is_flushed() -> bool {
    CALLERS.get().is_some()
}

/// Calls `work` so that none of its arithmetic can be moved out, and none of the caller's in.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    let result = work();
    // A side effect; otherwise a call of pure work could be moved across the change of the mode.
    std::hint::black_box(());
    result
}

/// Ends [`flushed`].
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(callers) = CALLERS.take() {
            mode::write(callers);
        }
    }
}

/// Ends [`in_callers_mode`].
struct Enter;

impl Drop for Enter {
    fn drop(&mut self) {
        // Any change by the external code is the caller's mode from now on.
        let callers = mode::read();
        CALLERS.set(Some(callers));
        mode::write(callers | mode::FLUSH);
    }
}

#[cfg(target_arch = "x86_64")]
mod mode {
    use std::arch::asm;

    pub(super) type Register = u32;

    /// Flush-to-zero, of results, and denormals-are-zero, of inputs.
    pub(super) const FLUSH: Register = 1 << 15 | 1 << 6;

    pub(super) fn read() -> Register {
        let mut register: Register = 0;
        // SAFETY: every x86-64 processor has the instruction; it writes four bytes, which belong to this variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut register, options(nostack, preserves_flags)) };
        register
    }

    /// `register` is what [`read`] returned on this thread, with [`FLUSH`] or without.
    pub(super) fn write(register: Register) {
        // SAFETY: every x86-64 processor has the instruction and both bits of `FLUSH`; the others are as they were, so
        // that no reserved bit is set and no exception unmasked. It reads four bytes, which belong to this variable. That
        // compiled arithmetic does not notice is what the documentation of the module is about.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    use std::arch::asm;

    pub(super) type Register = u64;

    /// FZ, of inputs and results of f32 and f64; FZ16, which is for arithmetic in f16, stays.
    pub(super) const FLUSH: Register = 1 << 24;

    pub(super) fn read() -> Register {
        let register: Register;
        // SAFETY: every aarch64 processor lets programs read the register.
        unsafe { asm!("mrs {}, fpcr", out(reg) register, options(nostack, preserves_flags)) };
        register
    }

    /// `register` is what [`read`] returned on this thread, with [`FLUSH`] or without.
    pub(super) fn write(register: Register) {
        // SAFETY: every aarch64 processor lets programs write the register and has FZ; the other bits are as they were. That
        // compiled arithmetic does not notice is what the documentation of the module is about.
        unsafe { asm!("msr fpcr, {}", in(reg) register, options(nostack)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    pub(super) type Register = u32;

    pub(super) const FLUSH: Register = 0;

    pub(super) fn read() -> Register {
        0
    }

    pub(super) fn write(_: Register) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod kernels;
#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests;
