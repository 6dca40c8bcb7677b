//! Durations and rates as people read them.

/// `15.00s` under a minute, `2m 05s` under an hour, `3h 07m` above.
pub(super) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..60 => format!("{seconds}.{:02}s", milliseconds % 1_000 / 10),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A part of a whole with one decimal, `82.8%`; `0.0%` of nothing.
pub(super) fn rate(part: u64, whole: u64) -> String {
    let percent = match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64 * 100.0,
    };
    format!("{percent:.1}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_with_two_units() {
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
        assert_eq!(rate(120, 145), "82.8%");
        assert_eq!(rate(0, 0), "0.0%");
        assert_eq!(rate(5, 5), "100.0%");
    }
}
