//! What loggers write before each line: names of containers, times, levels, marks of a diff.

/// The longest prefix.
const LONGEST: usize = 160;

/// The most parts of a prefix, such as a container's name, a time and a level.
const MOST_PARTS: usize = 4;

/// The length of the prefix of a line, or 0.
pub(crate) fn length(line: &str) -> usize {
    let line = &line[..line.floor_char_boundary(LONGEST.min(line.len()))];
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        match part_length(&line[at..], at == 0) {
            0 => break,
            length => at += length,
        }
    }
    at
}

/// Whether any line of a text has a prefix.
pub(crate) fn has_any(text: &str) -> bool {
    text.split_inclusive('\n').any(|line| length(line) > 0)
}

/// Where the lines with prefixes end, of which the first one begins at a position.
pub(crate) fn block_end(text: &str, at: usize) -> usize {
    let lines = text[at..].split_inclusive('\n');
    at + lines
        .take_while(|line| length(line) > 0)
        .map(str::len)
        .sum::<usize>()
}

/// The length of the first part of a prefix, with the space after it.
fn part_length(line: &str, is_first: bool) -> usize {
    let or_else = |length: usize, other: fn(&str) -> usize| {
        if length > 0 { length } else { other(line) }
    };
    let length = or_else(timestamp_length(line), bar_length);
    let length = or_else(length, bracket_length);
    let length = if is_first {
        or_else(length, mark_length)
    } else {
        length
    };
    or_else(length, stream_length)
}

/// `web-1  | `, and the bar alone.
fn bar_length(line: &str) -> usize {
    // The first byte of the other bars.
    if memchr::memchr2(b'|', 0xE2, line.as_bytes()).is_none() {
        return 0;
    }
    let is_name = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '/')
    };
    let name = line.trim_start_matches(is_name);
    let bar = name.trim_start_matches(' ');
    let length = ["| ", "│ ", "┃ "]
        .iter()
        .find(|sign| bar.starts_with(**sign))
        .map_or(0, |sign| sign.len());
    // A table has several bars.
    let is_table = length > 0 && bar[length..].contains(['|', '│', '┃']);
    if length == 0 || is_table {
        0
    } else {
        line.len() - bar.len() + length
    }
}

/// `[pod/api/web] `.
fn bracket_length(line: &str) -> usize {
    if !line.starts_with('[') {
        return 0;
    }
    let Some(close) = line.find(']').filter(|&close| close < 80) else {
        return 0;
    };
    let inside = &line[1..close];
    let is_prefix = !inside.contains(['"', '\'', '=', ',', '{']) && !inside.is_empty();
    if is_prefix && line[close + 1..].starts_with(' ') {
        close + 2
    } else {
        0
    }
}

/// `> `, `< ` and `E   `, which tools write before the lines of others.
fn mark_length(line: &str) -> usize {
    for mark in ["> ", "< ", "E   ", "* ", "!! ", "-> "] {
        if line.starts_with(mark) {
            return mark.len();
        }
    }
    0
}

/// `stdout F `: the format of containers' logs.
fn stream_length(line: &str) -> usize {
    for stream in ["stdout F ", "stderr F ", "stdout P ", "stderr P "] {
        if line.starts_with(stream) {
            return stream.len();
        }
    }
    0
}

/// `2024-05-17T09:12:44.120Z ` and `May 17 09:12:44 host app[4711]: `.
fn timestamp_length(line: &str) -> usize {
    let bytes = line.as_bytes();
    let is_date = bytes.len() > 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!(bytes[4], b'-' | b'/')
        && bytes[5].is_ascii_digit();
    if is_date {
        let date = line.find(' ').unwrap_or(0);
        let rest = &line[date..];
        let time = rest.trim_start();
        let is_time = time.len() > 7
            && time.as_bytes()[..2].iter().all(u8::is_ascii_digit)
            && time.as_bytes()[2] == b':';
        let end = if is_time {
            line.len() - time.len() + time.find(' ').unwrap_or(0)
        } else {
            date
        };
        return if end > 9 && end < 48 { end + 1 } else { 0 };
    }
    syslog_length(line)
}

fn syslog_length(line: &str) -> usize {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    if !MONTHS.iter().any(|month| line.starts_with(month)) {
        return 0;
    }
    let bytes = line.as_bytes();
    let is_time = bytes.len() > 16 && bytes[3] == b' ' && bytes[9] == b':' && bytes[12] == b':';
    if !is_time {
        return 0;
    }
    // The host, and the program with its process id.
    match line[16..].find("]: ").or_else(|| line[16..].find(": ")) {
        Some(place) if place < 80 && !line[16..16 + place].contains(['=', '"']) => {
            let sign = if line[16 + place..].starts_with("]: ") {
                3
            } else {
                2
            };
            16 + place + sign
        }
        _ => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_loggers_are_recognised() {
        for (prefix, rest) in [
            ("web-1  | ", "password: x"),
            ("2024-05-17T09:12:44.120Z ", "password: x"),
            ("2024-05-17 09:12:44,120 ", "password: x"),
            ("2024-02-01T12:00:00.1Z stdout F ", "a: b"),
            ("May 17 09:12:44 host app[4711]: ", "a: b"),
            ("[pod/api-7f9c/api] ", "  a: b"),
            ("", "password: x"),
            ("", "| a | b |"),
            ("", "2024"),
        ] {
            assert_eq!(
                length(&format!("{prefix}{rest}")),
                prefix.len(),
                "{prefix}{rest}"
            );
        }
    }
}
