//! What a signal does to the program.
//!
//! The first asks what is going on to end without a loss; the second, of whatever kind, ends the process at once. Ctrl-C is one
//! everywhere; SIGTERM, and SIGHUP of a terminal that goes away, where they exist.

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

/// Lets signals ask for an end.
///
/// # Errors
/// If the system refuses a handler.
pub(super) fn listen(interrupt: &Interrupt) -> std::io::Result<()> {
    let ignored = ignored();
    let is_second = Arc::new(AtomicBool::new(false));
    for (signal, cause) in SIGNALS {
        // Whoever started the program (nohup, a shell in the background) may have said that it is not to be disturbed.
        if ignored >> (signal - 1) & 1 == 1 {
            continue;
        }
        // In the order in which they are called: the first signal is no second one.
        flag::register_conditional_shutdown(signal, cause.exit_code(), Arc::clone(&is_second))?;
        flag::register_usize(signal, interrupt.cell(), cause.number())?;
        flag::register(signal, Arc::clone(&is_second))?;
    }
    Ok(())
}

/// The signals that the process ignores, the first in the lowest bit; none where the system does not say so in a file.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
