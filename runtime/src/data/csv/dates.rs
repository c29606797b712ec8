//! Columns of dates.

use std::f64::consts::TAU;

use super::{Csv, CsvColumn};

/// The number of elements of a date.
pub(super) const ELEMENTS: usize = 7;

impl Csv {
    /// Declares that an input column holds dates: `2024-03-05`, or with a time `2024-03-05T14:30`, `2024-03-05 14:30:15.5`,
    /// `2024-03-05T14:30:00+01:00`. Each is 7 elements of a real input, such as `Features<N>`:
    ///
    /// | element | value |
    /// | --- | --- |
    /// | 0 | days since 1970-01-01, with the time as a fraction; [`Csv::subtract`] subtracts a number of days |
    /// | 1, 2 | sine and cosine of the time of the year: `2 π d / n` for day `d`, from 0, of a year of `n` days |
    /// | 3, 4 | sine and cosine of the time of the week: `2 π w / 7` with `w` from 0 on Monday |
    /// | 5, 6 | sine and cosine of the time of the day; 0 and 1 without a time |
    ///
    /// So the last moment of a year, a week or a day is close to the first one of the next. All times of a date count as fractions: noon of a
    /// Monday has `w = 0.5`. A time with an offset is converted to UTC, one without is taken as it is. The calendar is the Gregorian one, with
    /// years from 0000 to 9999. Elements 1 to 6 are not normalized.
    ///
    /// A date must not be missing. In f32, element 0 is exact to about 3 minutes in this century; subtract a date near those of the file for more.
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset};
    /// use trainspec::{Features, Values};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("rides.csv");
    /// # std::fs::write(&path, "when,rain,rides\n2024-01-01,0.5,120\n2024-01-02T12:00,0,310\n").unwrap();
    /// // when,rain,rides
    /// // 2024-01-01,0.5,120
    /// // 2024-01-02T12:00,0,310
    /// let data = Csv::open(path).header().date("when").read::<Features<8>, Values<1>>()?;
    /// let (mut input, mut target) = ([0.0; 8], [0.0]);
    /// data.sample(0, &mut input, &mut target)?;
    /// // A Monday, the first day of the year, at midnight; then `rain`.
    /// assert_eq!(input, [19723.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.5]);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Csv::read`] names the file, the line and the column of a cell that is not a date: ``column `when` is `2024-02-30`; expected a date``.
    #[must_use]
    pub fn date(mut self, column: impl Into<CsvColumn>) -> Self {
        self.dates.push(column.into());
        self
    }
}

/// What a cell of a column of dates must be.
pub(super) const EXPECTED: &str = "a date, such as `2024-03-05` or `2024-03-05T14:30:00Z`";

/// A moment, in seconds since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    seconds: i64,
    /// The part of a second.
    fraction: f64,
}

const DAY: i64 = 86_400;

impl Moment {
    /// Parses a date of ISO 8601, possibly with a time.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (date, time) = bytes.split_at_checked(10)?;
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *date else { return None };
        let year = two(y0, y1)? * 100 + two(y2, y3)?;
        let (month, day) = (two(m0, m1)?, two(d0, d1)?);
        if !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
            return None;
        }
        let midnight = days(year, month, day) * DAY;
        let [b'T' | b't' | b' ', time @ ..] = time else {
            return time.is_empty().then_some(Self { seconds: midnight, fraction: 0.0 });
        };
        let [h0, h1, b':', m0, m1, rest @ ..] = time else { return None };
        let (hour, minute) = (two(*h0, *h1)?, two(*m0, *m1)?);
        let (second, fraction, offset) = match rest {
            [b':', s0, s1, rest @ ..] => {
                let (fraction, offset) = fraction(rest)?;
                (two(*s0, *s1)?, fraction, offset)
            }
            offset => (0, 0.0, offset),
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = midnight + hour * 3600 + minute * 60 + second - self::offset(offset)?;
        Some(Self { seconds, fraction })
    }

    /// The elements, of which `subtracted` is subtracted from the number of days.
    pub(super) fn elements(self, subtracted: f64) -> [f64; ELEMENTS] {
        let (day, second) = (self.seconds.div_euclid(DAY), self.seconds.rem_euclid(DAY));
        let of_day = (second as f64 + self.fraction) / DAY as f64;
        let (start, length) = year_of(day);
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        let of_year = ((day - start) as f64 + of_day) / length as f64;
        let of_week = (weekday as f64 + of_day) / 7.0;
        let [year, week, time] = [of_year, of_week, of_day].map(|part| (TAU * part).sin_cos());
        [day as f64 + of_day - subtracted, year.0, year.1, week.0, week.1, time.0, time.1]
    }
}

/// A number of two digits.
fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from((tens - b'0') * 10 + (ones - b'0')))
}

/// The part of a second after a point, and the rest.
fn fraction(text: &[u8]) -> Option<(f64, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else { return Some((0.0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(count);
    // A nanosecond is far below the resolution of an f32.
    let value = digits.iter().take(9).rev().fold(0.0, |sum, digit| (sum + f64::from(digit - b'0')) / 10.0);
    (count > 0).then_some((value, rest))
}

/// The seconds that a time is ahead of UTC: `Z`, `+01:00`, `-0330`, `+01`, or nothing.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), h0, h1] => (sign, two(h0, h1)?, 0),
        [sign @ (b'+' | b'-'), h0, h1, m0, m1] | [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            (sign, two(h0, h1)?, two(m0, m1)?)
        }
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to the first day of a year.
fn first_day(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 477
}

/// The days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    first_day(year) + (1..month).map(|month| days_of_month(year, month)).sum::<i64>() + day - 1
}

/// The first day of the year of a day, and the number of days of the year.
fn year_of(day: i64) -> (i64, i64) {
    // The mean year has 365.2425 days; the estimate is off by at most one.
    let guess = 1970 + (day * 400).div_euclid(146_097);
    let year = if first_day(guess) > day {
        guess - 1
    } else if first_day(guess + 1) <= day {
        guess + 1
    } else {
        guess
    };
    (first_day(year), if is_leap(year) { 366 } else { 365 })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From `date -u -d … +%s` of GNU coreutils.
    #[test]
    fn seconds_since_1970_match_gnu_date() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2024-03-05", 1_709_596_800),
            ("2024-02-29", 1_709_164_800),
            ("2000-02-29", 951_782_400),
            ("1900-03-01", -2_203_891_200),
            ("0001-01-01", -62_135_596_800),
            ("0000-02-29", -62_162_121_600),
            ("9999-12-31", 253_402_214_400),
            ("2024-03-05T14:30", 1_709_649_000),
            ("2024-03-05 14:30:15", 1_709_649_015),
            ("2024-03-05t14:30:15z", 1_709_649_015),
            ("2024-03-05T14:30:15+01:00", 1_709_645_415),
            ("2024-03-05T14:30:15-0330", 1_709_661_615),
            ("2024-01-01T00:30:00+01", 1_704_065_400),
        ] {
            assert_eq!(Moment::parse(text), Some(Moment { seconds, fraction: 0.0 }), "{text}");
        }
        let half = Moment { seconds: 1_709_649_015, fraction: 0.625 };
        assert_eq!(Moment::parse("2024-03-05T14:30:15.625Z"), Some(half));
    }

    #[test]
    fn invalid_dates_are_rejected() {
        for text in [
            "",
            "2024",
            "2024-3-5",
            "2024-03-5",
            "05.03.2024",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-03-05T",
            "2024-03-05T1",
            "2024-03-05T24:00",
            "2024-03-05T12:60",
            "2024-03-05T12:00:60",
            "2024-03-05T12:00:00.",
            "2024-03-05T12:00+24:00",
            "2024-03-05T12:00+1:00",
            "2024-03-05T12:00 Z",
            "2024-03-05x",
            "+024-03-05",
            "2024-03-0５",
            "２024-03-05",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn elements_are_days_and_angles() {
        let elements = |text: &str| Moment::parse(text).unwrap().elements(0.0);
        // A Thursday at 6:00, of a year of 365 days.
        let [days, year_sine, year_cosine, week_sine, week_cosine, day_sine, day_cosine] =
            elements("1970-01-01T06:00");
        assert_eq!(days, 0.25);
        let angle = TAU * 0.25 / 365.0;
        assert_eq!((year_sine, year_cosine), angle.sin_cos());
        let angle = TAU * 3.25 / 7.0;
        assert!((week_sine - angle.sin()).abs() < 1e-15 && (week_cosine - angle.cos()).abs() < 1e-15);
        assert!((day_sine - 1.0).abs() < 1e-15 && day_cosine.abs() < 1e-15);
        // The last moment of a leap year is next to the first of the next year.
        let (last, next) = (elements("2024-12-31T23:59:59.999"), elements("2025-01-01"));
        for (place, (last, next)) in last.iter().zip(next).enumerate() {
            // The weeks differ only by the moment as well.
            assert!((last - next).abs() < 1e-7, "{place}: {last} {next}");
        }
        assert_eq!(Moment::parse("2024-01-02").unwrap().elements(19_720.0)[0], 4.0);
    }

    proptest! {
        #[test]
        fn every_day_has_its_own_year_and_date(day in first_day(0)..first_day(10_000)) {
            let (start, length) = year_of(day);
            prop_assert!((start..start + length).contains(&day));
            let year = 1970 + (start * 400 + 200 * 365).div_euclid(146_097);
            prop_assert_eq!(first_day(year), start);
            let mut rest = day - start;
            let mut month = 1;
            while rest >= days_of_month(year, month) {
                rest -= days_of_month(year, month);
                month += 1;
            }
            let text = format!("{year:04}-{month:02}-{:02}", rest + 1);
            prop_assert_eq!(Moment::parse(&text).map(|moment| moment.seconds), Some(day * DAY));
        }

        #[test]
        fn any_text_is_parsed_or_rejected(text in "\\PC{0,30}|[0-9TZ:+. -]{10,30}") {
            if let Some(moment) = Moment::parse(&text) {
                prop_assert!(moment.elements(0.0).iter().all(|element| element.is_finite()));
            }
        }
    }
}
