//! E-mail addresses.

use crate::text::Text;

/// The most bytes before the `@`: RFC 5321, section 4.5.3.1.
const LONGEST_LOCAL: usize = 64;

/// The most bytes of the domain: RFC 5321, section 4.5.3.1.
const LONGEST_DOMAIN: usize = 255;

/// Endings of file names: `logo@2x.png` is not an address.
const FILE_ENDINGS: &[&str] = &[
    "avif", "bin", "bz2", "conf", "css", "csv", "deb", "dll", "exe", "gif", "gz", "html", "jar",
    "jpeg", "jpg", "js", "json", "jsx", "lock", "log", "map", "mjs", "pdf", "png", "rpm", "svg",
    "tar", "tgz", "ts", "tsx", "txt", "webp", "whl", "xml", "yaml", "yml",
];

/// Finds the first address whose `@` is at or after `from`. Returns its start and end.
pub(crate) fn find(text: Text<'_>, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let (at, width) = find_sign(text, from)?;
        if let Some(found) = find_around(text, at, width) {
            return Some(found);
        }
        from = at + width;
    }
}

/// Finds the next `@`, or `%40` in a URL. Returns its position and length.
fn find_sign(text: Text<'_>, from: usize) -> Option<(usize, usize)> {
    let rest = text.rest(from);
    let is_sign = |at: &usize| rest[*at] == b'@' || rest[*at..].starts_with(b"%40");
    let at = (0..rest.len()).find(is_sign)?;
    Some((from + at, if rest[at] == b'@' { 1 } else { 3 }))
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
    (!is_remote && !is_user).then_some((start, end))
}

fn find_local_start(text: Text<'_>, at: usize) -> Option<usize> {
    let is_local = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || !byte.is_ascii()
            || matches!(
                byte,
                b'.' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'=' | b'?'
            )
            || matches!(byte, b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~')
    };
    let mut start = text.run_back(at, LONGEST_LOCAL, is_local);
    while !text.text.is_char_boundary(start) {
        start += 1;
    }
    // `mailto=anna@…` and `'anna@…'`: signs between a name and its value are allowed in an
    // address, but do not occur in real ones.
    let local = &text.text[start..at];
    let cut = local.rfind(['=', '\'', '`', '&', '?', '|', '{', '}', '#', '*', '!', '$']);
    start += cut.map_or(0, |cut| cut + 1);
    start += escape_length(&text.text[start..at]);
    let local = text.text[start..at].trim_start_matches(['.', '-']);
    let start = at - local.len();
    let follows_sign = matches!(text.byte_before(start), b'@');
    let has_letter = local.chars().any(char::is_alphanumeric);
    (has_letter && !follows_sign && !local.ends_with('.')).then_some(start)
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
