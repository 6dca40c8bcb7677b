//! Durations and rates in a form for people.

/// Formats a duration: `15.00s` below a minute, `2m 05s` below an hour, `3h 07m` above.
pub(super) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..60 => format!("{seconds}.{:02}s", milliseconds % 1_000 / 10),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Formats a part of a whole as a percentage with one decimal, `82.8%`. Returns `None` if the
/// whole is 0: there is then neither a good nor a bad rate.
pub(super) fn rate(part: u64, whole: u64) -> Option<String> {
    let percent = part as f64 / whole as f64 * 100.0;
    (whole > 0).then(|| format!("{percent:.1}%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units() {
        for (milliseconds, text) in [
            (0, "0.00s"),
            (9, "0.00s"),
            (70, "0.07s"),
            (15_000, "15.00s"),
            (59_999, "59.99s"),
            (60_000, "1m 00s"),
            (125_000, "2m 05s"),
            (3_599_999, "59m 59s"),
            (3_600_000, "1h 00m"),
            (11_220_000, "3h 07m"),
            (360_000_000, "100h 00m"),
        ] {
            assert_eq!(duration(milliseconds), text);
        }
    }

    #[test]
    fn a_rate_has_one_decimal() {
        assert_eq!(rate(120, 145).as_deref(), Some("82.8%"));
        assert_eq!(rate(0, 5).as_deref(), Some("0.0%"));
        assert_eq!(rate(5, 5).as_deref(), Some("100.0%"));
        assert_eq!(rate(0, 0), None);
    }
}
