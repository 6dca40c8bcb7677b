//! The credential after its scheme, as in `Authorization: Bearer …`.

use super::Value;
use super::characters::{LONGEST_NAME, skip_spaces};
use super::extent::{Extent, PREVIEW};
use super::placeholder::is_placeholder;
use crate::rules::{BASIC, BEARER, SECRET};
use crate::text::Text;

/// A possible credential after the scheme in the value of an `Authorization` header.
pub(super) struct Credential {
    pub(super) start: usize,
    pub(super) extent: Extent,
    pub(super) rule: &'static str,
}

impl Credential {
    /// Returns the value if it is not empty and not a placeholder.
    pub(super) fn check(&self, text: Text<'_>) -> Option<Value> {
        let preview_end = self.extent.find_end_within(text, self.start, PREVIEW);
        let value = text.text.get(self.start..preview_end)?;
        let is_value = !value.is_empty() && !is_placeholder(value);
        is_value.then(|| {
            let end = self.extent.find_end(text, self.start);
            (self.start, end, self.rule)
        })
    }
}

/// Finds the credential after a scheme that begins at a position.
pub(super) fn find_credential(text: Text<'_>, at: usize, extent: Extent) -> Option<Credential> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let scheme_end = at + run.take_while(|&&byte| is_scheme(byte)).count();
    let start = skip_spaces(text, scheme_end);
    if scheme_end == at || start == scheme_end {
        return None;
    }
    let inner = match extent {
        Extent::Quoted { .. } => extent,
        Extent::Line | Extent::Parameters | Extent::Bare => Extent::Bare,
    };
    let parameters = match extent {
        Extent::Quoted { .. } => extent,
        Extent::Line | Extent::Parameters | Extent::Bare => Extent::Parameters,
    };
    let scheme = &text.text[at..scheme_end];
    let (extent, rule) = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => (inner, BEARER),
        "basic" => (inner, BASIC),
        "aws4-hmac-sha256" | "digest" | "oauth" | "hawk" => (parameters, SECRET),
        "apikey" | "dpop" | "jwt" | "negotiate" | "ntlm" | "ssws" | "token" => (inner, SECRET),
        _ if is_custom_scheme(text, scheme, start, inner) => (inner, SECRET),
        _ => return None,
    };
    Some(Credential {
        start,
        extent,
        rule,
    })
}

/// Whether an unknown scheme is followed by a credential: the scheme is a word, and the
/// credential contains a digit, so it is not a word.
fn is_custom_scheme(text: Text<'_>, scheme: &str, start: usize, extent: Extent) -> bool {
    let is_word = !scheme.contains(|character: char| character.is_ascii_digit());
    let end = extent.find_end_within(text, start, PREVIEW);
    let credential = &text.rest(start)[..end - start];
    is_word && credential.iter().any(u8::is_ascii_digit)
}
