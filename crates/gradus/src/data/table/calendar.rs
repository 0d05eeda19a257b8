//! Days of the calendar, counted from 1970-01-01.

/// The months' English names.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days since 1970-01-01 of a valid date.
pub(in crate::data) fn day_of(year: i32, month: i32, day: i32) -> i32 {
    // Years that begin in March have the leap day at their end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The date at this many days since 1970-01-01, as text.
pub(super) fn date_text(days: i32) -> String {
    let (year, month, day) = date_parts(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day at this many days since 1970-01-01.
pub(crate) fn date_parts(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (of_year * 5 + 2) / 153;
    let (day, year) = (of_year - (month * 153 + 2) / 5 + 1, year + era * 400);
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (year, month, day)
}
