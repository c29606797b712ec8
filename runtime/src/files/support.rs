//! Operations that a file system may not support: syncing a folder, locks.
//!
//! Some network and user-space file systems lack them. Training continues without: it is reported once. An error of
//! the disk remains an error.

use std::io::{Error, ErrorKind, Result};

/// The result of an optional operation: the system's reason where the file system does not support it.
pub(crate) fn optional(result: Result<()>) -> Result<Option<Error>> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if is_unsupported(&error) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Returns whether an error means that the operation is not supported, and not a problem of the file.
pub(crate) fn is_unsupported(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported || error.raw_os_error().is_some_and(is_unsupported_number)
}

/// Linux reports EINVAL for a file without the operation (old CIFS, FUSE), and ENOLCK for NFS without a lock daemon.
#[cfg(unix)]
fn is_unsupported_number(number: i32) -> bool {
    [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP, libc::ENOLCK].contains(&number)
}

#[cfg(not(unix))]
fn is_unsupported_number(_: i32) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_operation_is_distinguished_from_failure() {
        for number in [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP, libc::ENOLCK] {
            let found = optional(Err(Error::from_raw_os_error(number))).unwrap();
            assert_eq!(found.and_then(|error| error.raw_os_error()), Some(number));
        }
        for number in [libc::EIO, libc::ENOSPC, libc::EROFS, libc::EACCES, libc::EDQUOT, libc::EBADF] {
            assert!(optional(Err(Error::from_raw_os_error(number))).is_err(), "{number}");
        }
        assert!(optional(Ok(())).unwrap().is_none());
    }
}
