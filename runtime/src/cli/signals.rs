//! Signal handlers.
//!
//! The first signal requests a stop without data loss. A second signal of any kind exits the process immediately.
//! Ctrl-C is handled on every platform; SIGTERM and SIGHUP (a closed terminal) where they exist.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::interrupt::{Cause, Interrupt};

#[cfg(unix)]
const SIGNALS: [(i32, Cause); 3] =
    [(SIGINT, Cause::Keyboard), (SIGTERM, Cause::Termination), (signal_hook::consts::SIGHUP, Cause::Hangup)];
#[cfg(not(unix))]
const SIGNALS: [(i32, Cause); 2] = [(SIGINT, Cause::Keyboard), (SIGTERM, Cause::Termination)];

/// Installs handlers that request `interrupt`.
///
/// # Errors
/// If the system rejects a handler.
pub(super) fn listen(interrupt: &Interrupt) -> std::io::Result<()> {
    let ignored = ignored();
    let is_second = Arc::new(AtomicBool::new(false));
    for (signal, cause) in SIGNALS {
        // The parent process (nohup, a shell in the background) may have set the signal to be ignored.
        if ignored >> (signal - 1) & 1 == 1 {
            continue;
        }
        // Handlers run in this order, so the first signal does not count as the second.
        flag::register_conditional_shutdown(signal, cause.exit_code(), Arc::clone(&is_second))?;
        flag::register_usize(signal, interrupt.cell(), cause.number())?;
        flag::register(signal, Arc::clone(&is_second))?;
    }
    Ok(())
}

/// The signals that the process ignores, the first in the lowest bit; none on systems without `/proc`.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
