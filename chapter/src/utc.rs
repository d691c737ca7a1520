//! Dates and times of day from the system clock's seconds.
//!
//! Shows: the Gregorian calendar in integer arithmetic.
//! Leaves out: time zones (everything is UTC) and leap seconds, which
//! `SystemTime` does not count either.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// Days in 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH_DAYS: u64 = 719_468;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since 1970-01-01 00:00 UTC; 0 for an earlier time.
#[must_use]
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A date and a time of day, UTC.
///
/// Prints as people read it: `Wed Oct 19 2011 16:40:51 UTC`. A time before 1970
/// counts as 1970.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let moment = UNIX_EPOCH + Duration::from_millis(1_319_042_451_620);
/// let moment = chapter::Utc::from(moment);
/// assert_eq!(moment.to_string(), "Wed Oct 19 2011 16:40:51 UTC");
/// assert_eq!(moment.as_tag().to_string(), "2011-10-19T16:40:51.620Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Utc {
    year: u64,
    /// 1 to 12.
    month: usize,
    /// 1 to 31.
    day: u64,
    /// 0 is Thursday, the first day of 1970.
    weekday: usize,
    second_of_day: u64,
    millisecond: u32,
}

impl From<SystemTime> for Utc {
    fn from(time: SystemTime) -> Utc {
        let millisecond = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_millis());
        let seconds = unix_seconds(time);
        let days = seconds / DAY_SECONDS;

        // Years begin in March here: the day that is not always there is then
        // the last of the year, and the months before it have a fixed pattern.
        let shifted = days + EPOCH_DAYS;
        let era = shifted / ERA_DAYS;
        let day_of_era = shifted % ERA_DAYS;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let is_next_year = month_from_march >= 10;
        let month = if is_next_year {
            month_from_march - 9
        } else {
            month_from_march + 3
        };

        Utc {
            year: era * 400 + year_of_era + u64::from(is_next_year),
            month: usize::try_from(month).expect("a month is at most 12"),
            day,
            weekday: usize::try_from(days % 7).expect("a remainder of 7 is at most 6"),
            second_of_day: seconds % DAY_SECONDS,
            millisecond,
        }
    }
}

impl Utc {
    fn hour_minute_second(self) -> (u64, u64, u64) {
        (
            self.second_of_day / 3_600,
            self.second_of_day / 60 % 60,
            self.second_of_day % 60,
        )
    }

    /// As RFC 3339 and IRC's `time` tag have it: `2011-10-19T16:40:51.620Z`.
    #[must_use]
    pub fn as_tag(self) -> impl fmt::Display {
        let (hour, minute, second) = self.hour_minute_second();
        fmt::from_fn(move |formatter| {
            let Utc {
                year,
                month,
                day,
                millisecond,
                ..
            } = self;
            write!(formatter, "{year:04}-{month:02}-{day:02}")?;
            write!(
                formatter,
                "T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
            )
        })
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.hour_minute_second();
        let (weekday, month) = (WEEKDAYS[self.weekday], MONTHS[self.month - 1]);
        let Utc { year, day, .. } = self;
        write!(formatter, "{weekday} {month} {day:02} {year:04}")?;
        write!(formatter, " {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(milliseconds: u64) -> Utc {
        Utc::from(UNIX_EPOCH + Duration::from_millis(milliseconds))
    }

    #[test]
    fn known_moments_have_their_known_dates() {
        // What `date -u -d @N` prints.
        assert_eq!(at(0).to_string(), "Thu Jan 01 1970 00:00:00 UTC");
        assert_eq!(
            at(951_782_400_000).to_string(),
            "Tue Feb 29 2000 00:00:00 UTC"
        );
        assert_eq!(
            at(4_107_542_399_000).to_string(),
            "Sun Feb 28 2100 23:59:59 UTC"
        );
        assert_eq!(
            at(4_107_542_400_000).to_string(),
            "Mon Mar 01 2100 00:00:00 UTC"
        );
        assert_eq!(
            at(1_319_042_451_620).as_tag().to_string(),
            "2011-10-19T16:40:51.620Z"
        );
        assert_eq!(
            at(1_735_689_599_999).as_tag().to_string(),
            "2024-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn every_day_of_800_years_follows_the_one_before() {
        let mut before = at(0);
        for day in 1..=(2 * ERA_DAYS) {
            let now = at(day * DAY_SECONDS * 1_000);
            let next_day = (before.year, before.month, before.day + 1);
            let first_of_next = if before.month == 12 {
                (before.year + 1, 1, 1)
            } else {
                (before.year, before.month + 1, 1)
            };
            let found = (now.year, now.month, now.day);
            assert!(
                found == next_day || found == first_of_next,
                "{before:?} then {now:?}"
            );
            assert!(now.day <= 31 && (28..=31).contains(&before.day) || found == next_day);
            before = now;
        }
        assert_eq!(before.to_string(), "Thu Jan 01 2770 00:00:00 UTC");
    }

    #[test]
    fn a_clock_before_1970_reads_as_1970() {
        let early = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(unix_seconds(early), 0);
        assert_eq!(Utc::from(early), at(0));
    }
}
