//! Text built in const evaluation, where there is no allocator and no `format!`.

use crate::error::Error;

/// The error of a check, as a message.
///
/// The same value becomes a compile error (the macros panic with it in a `const`) or a run-time error
/// ([`Error::Rule`](crate::Error::Rule)), so a mistake has the same message wherever it is found.
///
/// A message states what was found, what was expected and, where it is not obvious, what to write:
///
/// ```
/// use trainspec::CheckError;
///
/// const fn check(p: f64) -> Result<(), CheckError> {
///     if p >= 0.0 && p < 1.0 {
///         return Ok(());
///     }
///     Err(CheckError::new("p is ").float(p).text("; expected 0 <= p < 1"))
/// }
/// assert_eq!(check(1.5).unwrap_err().as_str(), "p is 1.5; expected 0 <= p < 1");
/// ```
#[derive(Clone, Copy)]
pub struct CheckError {
    bytes: [u8; Self::CAPACITY],
    len: usize,
    /// The step of the model's trace to report it at, from 1; 0 for the current step.
    step: usize,
}

/// The result of a check: a value, or a [`CheckError`].
pub type CheckResult<T = ()> = Result<T, CheckError>;

impl CheckError {
    /// Longer messages are truncated; the built-in ones are much shorter.
    const CAPACITY: usize = 320;

    /// An error that is reported elsewhere, so that it is not reported twice.
    pub(crate) const SILENT: Self = Self { bytes: [0; Self::CAPACITY], len: 0, step: 0 };

    pub(crate) const fn is_silent(&self) -> bool {
        self.len == 0
    }

    /// The same error, to be reported at an earlier step of the trace.
    pub(crate) const fn about_step(self, step: usize) -> Self {
        Self { step, ..self }
    }

    /// The step set by [`CheckError::about_step`]; 0 for the current step.
    pub(crate) const fn step(&self) -> usize {
        self.step
    }

    /// Starts a message.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self::SILENT.text(text)
    }

    /// Appends text.
    #[must_use]
    pub const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Appends an integer.
    #[must_use]
    pub const fn number(self, number: usize) -> Self {
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.ascii(&digits, start)
    }

    /// Appends a real number, with up to six significant digits.
    #[must_use]
    pub const fn float(self, number: f64) -> Self {
        if number.is_nan() {
            return self.text("NaN");
        }
        let (sign, size) = if number < 0.0 { ("-", -number) } else { ("", number) };
        let text = self.text(sign);
        if size.is_infinite() {
            return text.text("infinity");
        }
        if size == 0.0 {
            return text.text("0");
        }
        // size = mantissa * 10^exponent with 1 <= mantissa < 10
        let (mut mantissa, mut exponent) = (size, 0_i32);
        while mantissa >= 10.0 {
            mantissa /= 10.0;
            exponent += 1;
        }
        while mantissa < 1.0 {
            mantissa *= 10.0;
            exponent -= 1;
        }
        let mut digits = (mantissa * 1e5 + 0.5) as u64;
        if digits >= 1_000_000 {
            digits /= 10;
            exponent += 1;
        }
        // six digits d.ddddd, without the zeros at the end
        let mut count: i32 = 6;
        while count > 1 && digits.is_multiple_of(10) {
            digits /= 10;
            count -= 1;
        }
        if exponent < -4 || exponent > 8 {
            let text = text.decimal(digits, count, 1).text("e");
            return if exponent < 0 {
                text.text("-").number(exponent.unsigned_abs() as usize)
            } else {
                text.number(exponent as usize)
            };
        }
        if exponent < 0 {
            let mut text = text.text("0.");
            let mut zeros = -1 - exponent;
            while zeros > 0 {
                text = text.text("0");
                zeros -= 1;
            }
            return text.number(digits as usize);
        }
        text.decimal(digits, count, exponent + 1)
    }

    /// Appends a shape: `[3, 32, 32]`, with `any` for an axis that may have any length.
    #[must_use]
    pub const fn shape(self, shape: super::Shape) -> Self {
        let mut text = self.text("[");
        let mut i = 0;
        while i < shape.rank() {
            if i > 0 {
                text = text.text(", ");
            }
            text = if shape.axis(i) == super::Shape::ANY {
                text.text("any")
            } else {
                text.number(shape.axis(i))
            };
            i += 1;
        }
        text.text("]")
    }

    /// Prefixes the message with a name: `conv2d: …`.
    #[must_use]
    pub const fn of(self, name: &str) -> Self {
        if name.is_empty() {
            return self;
        }
        let (sentence, _) = self.bytes.split_at(self.len);
        Self::new(name).text(": ").ascii(sentence, 0)
    }

    /// The message.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match core::str::from_utf8(text) {
            Ok(text) => text,
            // Truncated within a character: the text before it still describes the error.
            Err(_) => "invalid configuration (the message is too long to show)",
        }
    }

    /// `digits` (of which there are `count`) with the decimal point after `whole` of them.
    const fn decimal(self, digits: u64, count: i32, whole: i32) -> Self {
        let mut text = self;
        let mut place = 0;
        while place < count || place < whole {
            if place == whole {
                text = text.text(".");
            }
            let digit = if place < count {
                let mut rest = digits;
                let mut after = count - 1 - place;
                while after > 0 {
                    rest /= 10;
                    after -= 1;
                }
                rest % 10
            } else {
                0
            };
            text = text.number(digit as usize);
            place += 1;
        }
        text
    }

    const fn ascii(mut self, bytes: &[u8], start: usize) -> Self {
        let mut i = start;
        while i < bytes.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
        self
    }
}

impl core::fmt::Display for CheckError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for CheckError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CheckError({:?})", self.as_str())
    }
}

impl PartialEq for CheckError {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<CheckError> for Error {
    fn from(problem: CheckError) -> Self {
        Self::Rule(problem.as_str().to_owned())
    }
}

/// Whether a list of names contains this one.
pub(crate) const fn contains(given: &[&str], key: &str) -> bool {
    let mut i = 0;
    while i < given.len() {
        if same_text(given[i], key) {
            return true;
        }
        i += 1;
    }
    false
}

/// `a == b` in const code.
pub(crate) const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn floats_are_formatted_in_short_notation() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (0.05, "0.05"),
            (1e-3, "0.001"),
            (3e-5, "3e-5"),
            (1234.5, "1234.5"),
            (100.0, "100"),
            (0.999_999_99, "1"),
            (2e10, "2e10"),
            (1.0 / 3.0, "0.333333"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-infinity"),
        ] {
            assert_eq!(CheckError::new("").float(number).as_str(), text);
        }
    }

    #[test]
    fn text_is_joined_and_truncated_without_panic() {
        let problem =
            CheckError::new("a ").number(10_203).text(" of ").shape(Shape::of(&[1, 2])).of("conv2d");
        assert_eq!(problem.as_str(), "conv2d: a 10203 of [1, 2]");
        let long = CheckError::new(&"x".repeat(1000)).of("name");
        assert_eq!(long.as_str().len(), CheckError::CAPACITY);
    }
}
