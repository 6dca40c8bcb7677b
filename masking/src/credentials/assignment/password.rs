//! The check whether a value after a name such as `pass` looks like a password.

/// Shorter values after a name such as `pass` are not passwords.
pub(super) const SHORTEST_PASSWORD: usize = 6;

/// Whether a name names other things as often as passwords.
pub(super) fn is_pass(name: &str) -> bool {
    name.eq_ignore_ascii_case("pass") || name.eq_ignore_ascii_case("pw")
}

/// Whether a value after `pass` is a password. `pass: 12` is a count of passed tests.
pub(super) fn is_password(value: &str, is_bare: bool) -> bool {
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_bare {
        value.len() >= SHORTEST_PASSWORD && has_digit && has_letter
    } else {
        value.len() >= SHORTEST_PASSWORD || has_digit && has_letter
    }
}

/// Whether an unquoted first element of a list is a password, and not a character class
/// such as `[a-z0-9]`.
pub(super) fn is_listed_password(value: &str) -> bool {
    let is_class = ["a-z", "A-Z", "0-9"]
        .iter()
        .any(|range| value.contains(range));
    is_password(value, true) && !is_class
}
