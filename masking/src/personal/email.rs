//! E-mail addresses.

use crate::text::Text;

/// The most bytes before the `@`: RFC 5321, section 4.5.3.1.
const LONGEST_LOCAL: usize = 64;

/// The most bytes of the domain: RFC 5321, section 4.5.3.1.
const LONGEST_DOMAIN: usize = 255;

/// Endings of file names: `logo@2x.png` is not an address.
const FILE_ENDINGS: &[&str] = &[
    "avif", "bin", "bz2", "conf", "css", "csv", "deb", "dll", "exe", "gif", "gz", "html", "jar",
    "jpeg", "jpg", "js", "json", "jsx", "lock", "log", "map", "mjs", "mount", "pdf", "pidbox",
    "png", "rpm", "scope", "service", "slice", "socket", "svg", "tar", "target", "tgz", "timer",
    "ts", "tsx", "txt", "webp", "whl", "xml", "yaml", "yml",
];

/// Finds the first address whose `@` is at or after `from`. Returns its start and end.
pub(crate) fn find(text: Text<'_>, from: usize) -> Option<(usize, usize)> {
    if from == 0
        && let Some(found) = find_mailbox(text, from)
    {
        return Some(found);
    }
    let mut from = from;
    loop {
        let (at, width) = find_sign(text, from)?;
        if let Some(found) = find_around(text, at, width) {
            return Some(found);
        }
        from = at + width;
    }
}

/// What people and archives of mailing lists write instead of `@`, without the first byte.
const SIGNS: [&[u8]; 6] = [b"40", b"at]", b"at)", b"at}", b"at> ", b"AT]"];

/// How many bytes are searched at a time.
const SEARCHED: usize = 1_024;

/// Finds the next `@`, or what stands for it: `%40` in a URL, `[at]`, `(at)`, or ` at ` in the first
/// line of a mail in a mailbox. Returns its position and length.
fn find_sign(text: Text<'_>, from: usize) -> Option<(usize, usize)> {
    let bytes = text.text.as_bytes();
    let mut from = from;
    loop {
        let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
        // Only a part of the text, so that nothing is searched twice at each bracket.
        let part = &rest[..rest.len().min(SEARCHED)];
        let common = memchr::memchr3(b'@', b'%', b'(', part);
        let before = &part[..common.unwrap_or(part.len())];
        let Some(length) = memchr::memchr2(b'[', b'{', before).or(common) else {
            from += part.len();
            continue;
        };
        let at = from + length;
        let width = match bytes[at] {
            b'@' => Some(1),
            _ => {
                let signs = &mut SIGNS.iter();
                let sign = signs.find(|sign| bytes[at + 1..].starts_with(sign));
                sign.map(|sign| sign.len() + 1)
                    .filter(|&width| (width == 3) == (bytes[at] == b'%'))
            }
        };
        if let Some(width) = width {
            return Some(widen(text, at, width));
        }
        from = at + 1;
    }
}

/// The position and length of a sign with the blanks around it: `anna [at] example.com`.
fn widen(text: Text<'_>, at: usize, width: usize) -> (usize, usize) {
    if width != 4 {
        return (at, width);
    }
    let before = usize::from(text.byte_before(at) == b' ');
    let after = usize::from(text.byte(at + width) == b' ');
    (at - before, width + before + after)
}

/// Finds the address in the first line of a mail in a mailbox or an archive, which begins with
/// `From ` and can hide the sign: `From pawel at example.org  Mon Mar  3 …`.
fn find_mailbox(text: Text<'_>, from: usize) -> Option<(usize, usize)> {
    let line = text.rest(from).strip_prefix(b"From ")?;
    let local = line
        .iter()
        .take(LONGEST_LOCAL)
        .take_while(|byte| is_local(**byte))
        .count();
    let start = from + 5;
    let sign = start + local;
    if local == 0 || !text.rest(sign).starts_with(b" at ") {
        return None;
    }
    Some((start, find_domain_end(text, sign + 4)?))
}

/// Finds the address around an `@`. Returns its start and end.
fn find_around(text: Text<'_>, at: usize, width: usize) -> Option<(usize, usize)> {
    let start = find_local_start(text, at)?;
    let end = find_domain_end(text, at + width)?;
    let local = &text.text[start..at];
    // `git@github.com:team/project` identifies no person: every SSH user is `git`.
    let is_remote = local == "git";
    // `user@host` in `postgres://user@host` is not an e-mail address.
    let is_user = text.before(start, 2) == "//";
    (!is_remote && !is_user && !is_message_id(text, start)).then_some((start, end))
}

/// Whether the id of a message begins at a position: `Message-ID: <2025.17@mx.example.com>`.
fn is_message_id(text: Text<'_>, start: usize) -> bool {
    let before = text
        .before(start, "message-id: <".len())
        .to_ascii_lowercase();
    ["message-id: <", "message-id=<", "in-reply-to: <"]
        .iter()
        .any(|header| before.ends_with(header))
}

/// Whether a byte can be part of a local part without quotes.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(
            byte,
            b'.' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'=' | b'?'
        )
        || matches!(byte, b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~')
}

/// Finds the start of a quoted local part: `"very unusual"@example.com`. A quote of the text
/// around, as in `{"a":"b"@…`, has a sign for its neighbour.
fn find_quote(text: Text<'_>, at: usize) -> Option<usize> {
    if text.byte_before(at) != b'"' {
        return None;
    }
    let is_quoted = |byte: u8| !matches!(byte, b'"' | b'\n' | b':' | b',' | b'=' | b'<' | b'>');
    let start = text.run_back(at - 1, LONGEST_LOCAL, is_quoted);
    let is_whole = text.byte_before(start) == b'"' && at - 1 > start;
    let has_letter = text
        .text
        .get(start..at - 1)?
        .chars()
        .any(char::is_alphanumeric);
    (is_whole && has_letter).then(|| start - 1)
}

fn find_local_start(text: Text<'_>, at: usize) -> Option<usize> {
    if let Some(start) = find_quote(text, at) {
        return Some(start);
    }
    let mut start = text.run_back(at, LONGEST_LOCAL, is_local);
    while !text.text.is_char_boundary(start) {
        start += 1;
    }
    // `mailto=anna@…` and `'anna@…'`: signs between a name and its value are allowed in an
    // address, but do not occur in real ones.
    let local = &text.text[start..at];
    // Between `<` and `>`, and after `mailto:`, only the address stands.
    let is_whole = text.byte_before(start) == b'<' || text.before(start, 7) == "mailto:";
    let cut = if is_whole { None } else { find_cut(local) };
    start += cut.map_or(0, |cut| cut + 1);
    start += escape_length(&text.text[start..at]);
    trim_local(text, start, at)
}

/// Finds the last sign that is allowed in an address, but does not occur in real ones.
fn find_cut(local: &str) -> Option<usize> {
    local.rfind(['=', '\'', '`', '&', '?', '|', '{', '}', '#', '*', '!', '$'])
}

/// Removes the dots and dashes before a local part. `None` if it cannot be one.
fn trim_local(text: Text<'_>, start: usize, at: usize) -> Option<usize> {
    let local = text.text[start..at].trim_start_matches(['.', '-']);
    let start = at - local.len();
    let follows_sign = matches!(text.byte_before(start), b'@');
    let is_name = local.chars().any(char::is_alphanumeric);
    (is_name && !follows_sign && !local.ends_with('.')).then_some(start)
}

/// The length of an escape such as `%20` at the start of a local part, as in `q=%20anna@…`.
fn escape_length(local: &str) -> usize {
    let bytes = local.as_bytes();
    let gap = bytes.windows(3).rposition(|window| {
        window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit()
    });
    match gap {
        // `%2B` is the plus of `anna%2Bnews`.
        Some(at) if &bytes[at + 1..at + 3] != b"2B" => at + 3,
        _ => 0,
    }
}

fn find_domain_end(text: Text<'_>, start: usize) -> Option<usize> {
    let is_domain =
        |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'-');
    let run = text.rest(start).iter().take(LONGEST_DOMAIN);
    let mut end = start + run.take_while(|&&byte| is_domain(byte)).count();
    while !text.text.is_char_boundary(end) {
        end -= 1;
    }
    // Non-ASCII punctuation, such as `。` or `»`, ends the domain.
    let domain = &text.text[start..end];
    let is_other =
        |character: char| !character.is_alphanumeric() && !matches!(character, '.' | '-');
    let domain = &domain[..domain.find(is_other).unwrap_or(domain.len())];
    let domain = domain.trim_end_matches(['.', '-']);
    is_email_domain(domain).then_some(start + domain.len())
}

fn is_email_domain(domain: &str) -> bool {
    let Some((rest, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_top = top.starts_with("xn--")
        || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic) && top.len() <= 24);
    let is_file = FILE_ENDINGS
        .binary_search(&top.to_ascii_lowercase().as_str())
        .is_ok();
    rest.split('.').all(is_label) && is_top && !is_file && !is_version(rest)
}

/// Whether a domain is a version, as in `package@1.2.3-beta.rc`.
fn is_version(rest: &str) -> bool {
    let rest = rest.strip_prefix('v').unwrap_or(rest);
    let mut labels = rest.split('.');
    let is_number = |label: Option<&str>| {
        label.is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(labels.next())
        && labels
            .next()
            .is_some_and(|label| label.starts_with(|first: char| first.is_ascii_digit()))
}
