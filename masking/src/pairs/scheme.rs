//! The credential after its scheme, as in `Authorization: Bearer …`.

use super::Values;
use super::context::{line_end, skip_spaces, slice};
use super::judgement::{is_placeholder, is_variable};
use crate::rules::{BASIC, BEARER, SECRET};
use crate::text::Text;

/// The longest name of a scheme.
const LONGEST_SCHEME: usize = 32;

/// How far a credential without quotes is read to judge it.
const PREVIEW: usize = 256;

/// A credential in the value of an `Authorization` header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credential {
    start: usize,
    end: usize,
    rule: &'static str,
}

impl Credential {
    /// Adds the credential, unless it is a placeholder.
    pub(super) fn check(&self, text: Text<'_>, values: &mut Values) {
        let value = slice(text, self.start, self.end);
        // `Bearer {access_token}`: the bracket that closes a template ends the credential.
        let is_template = value.starts_with(['{', '<', '['])
            && is_placeholder(slice(text, self.start, self.end + 1))
            || value.strip_prefix('{').is_some_and(is_variable);
        // `Bearer realm="shop"`: the parameters of a challenge.
        let is_parameter = value.ends_with('=') && text.byte(self.end) == b'"';
        if !value.is_empty() && !is_parameter && !is_template && !is_placeholder(value) {
            values.push_as(self.start, self.end, self.rule);
            self.push_folded(text, values);
        }
    }

    /// Adds the rest of the credential on the next line, which begins with a space: RFC 7230, section
    /// 3.2.4.
    fn push_folded(&self, text: Text<'_>, values: &mut Values) {
        let line = text.run_within(self.end, 2, |byte| matches!(byte, b'\r' | b'\n'));
        let start = skip_spaces(text, line);
        let end = text.run_near(start, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.')
        });
        let ends_line = matches!(text.byte(end), 0 | b'\r' | b'\n');
        if line > self.end && start > line && ends_line && end >= start + SHORTEST_PART {
            values.push_as(start, end, self.rule);
        }
    }
}

/// The shortest part of a credential in a line of its own.
const SHORTEST_PART: usize = 8;

/// Schemes that are followed by a credential without parameters.
#[rustfmt::skip]
const SCHEMES: &[&str] = &[
    "apikey", "api-key", "dpop", "jwt", "negotiate", "ntlm", "ssws", "token", "sso-key", "key", "pat", "signature", "aws",
];

/// Finds the credential after a scheme that begins at a position. `close` is where the quoted value
/// ends.
pub(super) fn find(text: Text<'_>, at: usize, close: Option<usize>) -> Option<Credential> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let run = text.rest(at).iter().take(LONGEST_SCHEME);
    let scheme_end = at + run.take_while(|&&byte| is_scheme(byte)).count();
    // A long credential is folded into the next line.
    let fold = text.run_within(scheme_end, 2, |byte| matches!(byte, b'\r' | b'\n'));
    let start = skip_spaces(text, fold);
    let start = if fold > scheme_end && start == fold {
        scheme_end
    } else {
        start
    };
    if scheme_end == at || start == scheme_end || close.is_some_and(|close| start >= close) {
        return None;
    }
    let scheme = text.text[at..scheme_end].to_ascii_lowercase();
    let has_parameters =
        matches!(scheme.as_str(), "digest" | "oauth" | "hawk") || scheme.starts_with("aws4-");
    let rule = match scheme.as_str() {
        "bearer" => BEARER,
        "basic" => BASIC,
        scheme
            if has_parameters
                || SCHEMES.contains(&scheme)
                || is_custom(text, scheme, start, close) =>
        {
            SECRET
        }
        _ => return None,
    };
    let end = close.unwrap_or_else(|| {
        if has_parameters {
            line_end(text, start)
        } else {
            credential_end(text, start)
        }
    });
    Some(Credential { start, end, rule })
}

/// Where a credential without quotes and parameters ends.
fn credential_end(text: Text<'_>, start: usize) -> usize {
    let mut end = text.run_near(start, |byte| {
        byte > b' ' && !b"\"'`<>}]);|\\".contains(&byte)
    });
    while end > start && matches!(text.byte(end - 1), b',' | b'.' | b':') {
        end -= 1;
    }
    end
}

/// Whether an unknown scheme is followed by a credential: the scheme is a word, and the credential
/// contains a digit, so it is not a word.
fn is_custom(text: Text<'_>, scheme: &str, start: usize, close: Option<usize>) -> bool {
    let is_word = !scheme.bytes().any(|byte| byte.is_ascii_digit());
    let rest = text
        .rest(start)
        .iter()
        .take(close.map_or(PREVIEW, |close| close - start));
    let credential: Vec<u8> = rest.copied().take_while(|&byte| byte > b' ').collect();
    is_word && credential.len() >= 6 && credential.iter().any(u8::is_ascii_digit)
}
