//! The time of day. It names runs and is recorded in manifests; nothing else depends on it.
//!
//! A clock may be wrong, and may be set back during a run. Durations are measured with [`Instant`](std::time::Instant).

use std::time::{Duration, SystemTime};

/// The last second that RFC 3339 can write: the end of the year 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The time, clamped to the years 1970 to 9999.
pub(super) fn now() -> SystemTime {
    let since = shown().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    SystemTime::UNIX_EPOCH + since.min(LAST)
}

/// The time in UTC as RFC 3339, at least `earlier`, which is such a time: a later record never shows an
/// earlier time.
pub(super) fn noted_after(earlier: &str) -> String {
    let time = humantime::format_rfc3339_seconds(now()).to_string();
    if time.as_str() < earlier { earlier.to_owned() } else { time }
}

#[cfg(not(test))]
fn shown() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
thread_local! {
    static SHOWN: std::cell::Cell<Option<SystemTime>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
fn shown() -> SystemTime {
    SHOWN.get().unwrap_or_else(SystemTime::now)
}

/// Sets this thread's clock to this many seconds after (or before) the start of 1970.
#[cfg(test)]
pub(super) fn set(seconds: i64) {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    SHOWN.set(Some(if seconds < 0 { epoch - by } else { epoch + by }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_clamped_to_printable_range() {
        for (seconds, text) in [
            (-86_400, "1970-01-01T00:00:00Z"),
            (400_000_000_000, "9999-12-31T23:59:59Z"),
            (0, "1970-01-01T00:00:00Z"),
        ] {
            set(seconds);
            assert_eq!(noted_after(""), text);
        }
    }

    #[test]
    fn timestamps_are_monotonic() {
        set(1_795_459_501);
        let first = noted_after("");
        set(1_795_400_000);
        assert_eq!(noted_after(&first), first);
        set(1_795_459_502);
        assert_eq!(noted_after(&first), "2026-11-23T18:45:02Z");
    }
}
