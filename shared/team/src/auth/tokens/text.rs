//! A token's text and its two parts: the id and the secret.

use std::fmt;
use std::str::FromStr;

use format::keys::{self, key};
use format::model::{Item, Timestamp};
use format::{Error, Result};

/// The prefix of a token's id in the name of a principal.
pub(super) const PRINCIPAL: &str = "token:";

/// The id of a token, which is a part of its text. It begins with the time of creation, so ids are
/// ordered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenId(pub(super) String);

impl TokenId {
    /// The number of its hexadecimal digits: twelve of milliseconds, eight random.
    const LENGTH: usize = 20;

    pub(super) fn new(now: Timestamp) -> Result<Self> {
        let chance = u32::from_be_bytes(random()?);
        Ok(Self(format!("{:012x}{chance:08x}", now.milliseconds())))
    }

    /// When the token was created, according to the id.
    pub(super) fn made_at(&self) -> Option<Timestamp> {
        let milliseconds = i64::from_str_radix(&self.0[..12], 16).ok()?;
        Timestamp::from_milliseconds(milliseconds)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys of the token's item.
    pub(crate) fn key(&self) -> Item {
        key(keys::token_partition(&self.0), keys::TOKEN)
    }

    /// The token's name as a principal in the audit.
    pub(crate) fn principal(&self) -> String {
        format!("{PRINCIPAL}{self}")
    }
}

impl FromStr for TokenId {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == Self::LENGTH && text.bytes().all(is_digit);
        is_id.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A token's text, which is shown only once.
pub struct Secret(pub(super) String);

impl Secret {
    /// The text, which the token's user sends.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The two parts of a token's text.
pub(crate) struct TokenText<'a> {
    pub(crate) id: TokenId,
    pub(crate) secret: &'a str,
}

impl<'a> TokenText<'a> {
    pub(super) const PREFIX: &'static str = "sdk_";
    /// 32 random bytes in base64url.
    const SECRET_LENGTH: usize = 43;

    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(Self::PREFIX)?.split_once('_')?;
        let is_secret = secret.len() == Self::SECRET_LENGTH
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_secret.then_some(Self {
            id: id.parse().ok()?,
            secret,
        })
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_of_a_token_is_parsed() {
        let id = "0123456789abcdef0123";
        let secret = "A".repeat(43);
        assert!(TokenText::parse(&format!("sdk_{id}_{secret}")).is_some());
        for wrong in [
            String::new(),
            "sdk_".to_owned(),
            format!("sdk_{id}"),
            format!("SDK_{id}_{secret}"),
            format!("sdk_{id}_{secret}A"),
            format!("sdk_{}_{secret}", id.to_uppercase()),
            format!("sdk_{id}_{}", "#".repeat(43)),
            format!("sdk_{id}#x_{secret}"),
        ] {
            assert!(TokenText::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn ids_are_unique_and_ordered_by_time_of_creation() {
        let id = |ms| {
            let now = Timestamp::from_milliseconds(ms).expect("a moment");
            TokenId::new(now).expect("random numbers")
        };
        let (first, same, later) = (
            id(1_771_324_267_482),
            id(1_771_324_267_482),
            id(1_771_324_267_483),
        );
        assert!(first != same && first.as_str() < later.as_str() && same.as_str() < later.as_str());
        assert_eq!(first.as_str().parse(), Ok(first));
    }
}
