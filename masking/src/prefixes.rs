//! What loggers write before each line: names of containers, times, levels, loggers, marks of a diff.

use crate::names::{self, Certainty};

/// The longest prefix.
const LONGEST: usize = 160;

/// The most parts of a prefix, such as a container's name, a time and a level.
const MOST_PARTS: usize = 7;

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
        let length = or_else(length, mark_length);
        let length = or_else(length, android_length);
        or_else(length, search_length)
    } else {
        or_else(length, logger_length)
    };
    let length = or_else(length, level_length);
    or_else(length, stream_length)
}

/// The levels of loggers.
#[rustfmt::skip]
const LEVELS: &[&str] = &[
    "TRACE", "DEBUG", "INFO", "WARNING", "WARN", "ERROR", "FATAL", "NOTICE", "CRITICAL", "SEVERE", "FINE", "DBG", "INF", "WRN", "ERR", "VERBOSE", "##[debug]",
];

/// `INFO `, `DEBUG: `, `INFO:root:`, and Ruby's ` INFO -- : `.
fn level_length(line: &str) -> usize {
    let rest = line.trim_start_matches([' ', '\t']);
    let Some(after) = LEVELS.iter().find_map(|level| rest.strip_prefix(level)) else {
        return 0;
    };
    if after.len() < rest.len() && rest.starts_with("##") {
        return line.len() - after.len();
    }
    if let Some(logger) = after.strip_prefix(':') {
        let is_name =
            |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
        let message = logger.trim_start_matches(is_name);
        let name = &logger[..logger.len() - message.len()];
        if let Some(message) = message.strip_prefix(':')
            && !name.is_empty()
            && names::judge(name).is_none()
        {
            return line.len() - message.trim_start().len();
        }
    }
    if !after.starts_with([' ', ':', '\t', '|', ']']) {
        return 0;
    }
    let message = after.trim_start_matches(|sign: char| " \t:|]-".contains(sign));
    line.len() - message.len()
}

/// The longest name of a logger.
const LONGEST_LOGGER: usize = 80;

/// What follows a level or a time: `com.acme.Auth - `, `app::auth: `, `App[711:90]: `, `main.go:7] `,
/// `1 --- `, `4711 `, `c7a1-11ee\t`.
fn logger_length(line: &str) -> usize {
    let is_part =
        |character: char| character.is_ascii_alphanumeric() || "_.$:/-[]#*@".contains(character);
    let rest = line.trim_start_matches([' ', '\t']);
    let after = rest.trim_start_matches(is_part);
    let word = &rest[..rest.len() - after.len()];
    let name = word.trim_end_matches(':');
    if word.is_empty() || word.len() > LONGEST_LOGGER || !after.starts_with([' ', '\t']) {
        return 0;
    }
    let is_number = name
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'#' | b'*' | b'-' | b':'));
    let sign = after.trim_start();
    let is_separated = ["- ", ": ", "-- : ", "--- "]
        .iter()
        .find_map(|separator| sign.strip_prefix(separator));
    let is_logger = is_separated.is_some()
        || word.ends_with(':') && name.contains(['.', ':', '/', '[', '@'])
        || word.ends_with(']')
        || is_number
        || after.starts_with('\t');
    if !is_logger || names::judge(name) >= Some(Certainty::Likely) {
        return 0;
    }
    line.len() - is_separated.unwrap_or(sign).len()
}

/// `I0101 09:12:44.120000       1 main.go:7] ` of klog, `E/Auth( 12): ` and
/// `01-01 09:12:44.120  1  2 D Auth    : ` of Android, `I, [2024-05-17T09:12:44 #1]  ` of Ruby.
fn android_length(line: &str) -> usize {
    let bytes = line.as_bytes();
    let is_letter = bytes
        .first()
        .is_some_and(|letter| b"VDIWEF".contains(letter));
    let end_after = |sign: &str| {
        let place = line.find(sign).filter(|&place| place < LONGEST_LOGGER);
        place.map_or(0, |place| place + sign.len())
    };
    match bytes {
        [_, b'/', ..] if is_letter => end_after("): ").max(end_after("]: ")).max(end_after(": ")),
        [_, b',', b' ', b'[', ..] if is_letter => end_after("] "),
        [_, month, _, _, day, b' ', ..]
            if is_letter && month.is_ascii_digit() && day.is_ascii_digit() =>
        {
            end_after("] ")
        }
        [a, b, b'-', c, d, b' ', ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) => {
            end_after(": ")
        }
        _ => 0,
    }
}

/// `config.yml:12:` of a search in files, and the same with dashes for the lines around a hit.
fn search_length(line: &str) -> usize {
    let is_path = |character: char| character.is_ascii_alphanumeric() || "_./-".contains(character);
    let after = line.trim_start_matches(is_path);
    let path = &line[..line.len() - after.len()];
    let file = path.rsplit('/').next().unwrap_or_default();
    let Some(number) = after.strip_prefix(':').filter(|_| file.contains('.')) else {
        return 0;
    };
    let rest = number.trim_start_matches(|digit: char| digit.is_ascii_digit());
    match rest.strip_prefix(':') {
        Some(content) if rest.len() < number.len() => line.len() - content.len(),
        _ => 0,
    }
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
    // A frame of code: `   18 | `.
    let start = line.trim_start_matches(' ');
    let is_frame =
        start.len() < line.len() && start.starts_with(|first: char| first.is_ascii_digit());
    let name = if is_frame { start } else { line }.trim_start_matches(is_name);
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
        let date = line.find([' ', '\t']).unwrap_or(0);
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

/// `<13>May 17 09:12:44 host app: `, with or without the priority.
fn syslog_length(line: &str) -> usize {
    if let Some(rest) = line.strip_prefix('<')
        && let Some((priority, rest)) = rest.split_once('>')
        && priority.len() <= 3
        && priority.bytes().all(|byte| byte.is_ascii_digit())
    {
        let length = syslog_length(rest);
        return if length > 0 {
            line.len() - rest.len() + length
        } else {
            0
        };
    }

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
            ("I0101 00:00:00.000000       1 main.go:7] ", "a: b"),
            ("E/Auth( 12): ", "a: b"),
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
