//! The identifiers that contain a name, and the names of files.

use super::LONGEST_NAME;

/// The identifier around a part of it.
pub(super) fn identifier_around(text: &str, start: usize, end: usize) -> (usize, usize) {
    let before = &text[text.ceil_char_boundary(start.saturating_sub(LONGEST_NAME))..start];
    let after = &text[end..text.floor_char_boundary(text.len().min(end + LONGEST_NAME))];
    let start = start - (before.len() - before.trim_end_matches(is_name).len());
    let length = after.len() - after.trim_start_matches(is_name).len();
    let after = after[..length].trim_end_matches(['.', '-']);
    let end = end + after.len();
    // `\nPASSWORD` in JSON: the letter belongs to the escape.
    let is_escape = start > 0
        && text.as_bytes()[start - 1] == b'\\'
        && matches!(text.as_bytes()[start], b'n' | b't' | b'r')
        && end > start + 1;
    let start = start + usize::from(is_escape);
    let dashes = text[start..end].len() - text[start..end].trim_start_matches(['-', '.']).len();
    (start + dashes, end)
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '$')
}

/// Whether a name is the name of a file: `token_test.go`.
pub(super) fn is_file(name: &str) -> bool {
    let name = name.rsplit(' ').next().unwrap_or(name);
    const ENDINGS: &[&str] = &[
        "c", "cc", "conf", "cpp", "crt", "cs", "css", "go", "h", "html", "ini", "java", "js",
        "json", "jsx", "kt", "log", "md", "mjs", "pem", "php", "pl", "proto", "py", "rb", "rs",
        "scala", "sh", "sql", "swift", "tf", "toml", "ts", "tsx", "txt", "vue", "xml", "yaml",
        "yml",
    ];
    const KEY_FILES: &[&str] = &[
        "server.key",
        "client.key",
        "tls.key",
        "ca.key",
        "ssl.key",
        "host.key",
        "cert.key",
        "domain.key",
    ];
    KEY_FILES.contains(&name)
        || name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}
