//! The classes of characters in credentials, and what looks random.

use crate::text::Kinds;

/// The class of the characters of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// `A` to `Z` and `2` to `7`, as in AWS ids.
    Base32,
    Digits,
    LowerHex,
    Hex,
    /// The characters of a UUID.
    HexDash,
    LowerNum,
    LowerNumDash,
    LowerNumDot,
    UpperNum,
    UpperNumDash,
    UpperWord,
    Alphanumeric,
    /// Letters, digits, underscores.
    Word,
    Base64Url,
    /// Letters, digits and dots.
    AlphanumericDot,
    /// Base64url with dots between its parts.
    Dotted,
    /// Base64 with padding.
    Base64,
    /// Base64 with commas between the parts of a list.
    Base64List,
    /// Base64 and base64url.
    Token,
    /// Base64 and base64url with dots between its parts.
    DottedToken,
    /// The characters of a client secret of Entra ID.
    EntraId,
    /// A user, a realm, the name of a token and a UUID, as in `root@pam!ci=…`.
    Proxmox,
    /// The name of a deployment, a bar, and base64.
    Convex,
    /// The parts of a URL's path.
    Path,
    /// The rest of a URL.
    Url,
    /// The characters of a password's hash: base64 with `.`, and `$`, `=`, `,` between its parts.
    Crypt,
    /// The characters of a hash with the name of its user.
    Hashcat,
}

/// The classes of each byte: bit `n` is the class with the discriminant `n`.
static BODIES: [u32; 256] = bodies();

const fn bodies() -> [u32; 256] {
    let mut bodies = [0; 256];
    let mut byte = 0;
    while byte < bodies.len() {
        let mut class = 0;
        while class < ALL.len() {
            if ALL[class].has(byte as u8) {
                bodies[byte] |= 1 << ALL[class] as u32;
            }
            class += 1;
        }
        byte += 1;
    }
    bodies
}

#[rustfmt::skip]
const ALL: [Body; 27] = [
    Body::Base32, Body::Digits, Body::LowerHex, Body::Hex, Body::HexDash, Body::LowerNum,
    Body::LowerNumDash, Body::LowerNumDot, Body::UpperNum, Body::UpperNumDash, Body::UpperWord,
    Body::Alphanumeric, Body::Word, Body::Base64Url, Body::AlphanumericDot, Body::Dotted, Body::Base64, Body::Base64List,
    Body::Token, Body::DottedToken, Body::EntraId, Body::Proxmox, Body::Convex, Body::Path,
    Body::Url, Body::Crypt, Body::Hashcat,
];

impl Body {
    pub(super) fn contains(self, byte: u8) -> bool {
        BODIES[usize::from(byte)] >> self as u32 & 1 == 1
    }

    const fn has(self, byte: u8) -> bool {
        let is_lower = byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let is_upper = byte.is_ascii_digit() || byte.is_ascii_uppercase();
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Digits => byte.is_ascii_digit(),
            Self::LowerHex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::HexDash => byte.is_ascii_hexdigit() || byte == b'-',
            Self::LowerNum => is_lower,
            Self::LowerNumDash => is_lower || byte == b'-',
            Self::LowerNumDot => is_lower || byte == b'.',
            Self::UpperNum => is_upper,
            Self::UpperNumDash => is_upper || byte == b'-',
            Self::UpperWord => is_upper || byte == b'_',
            _ => byte.is_ascii_alphanumeric() || self.has_sign(byte),
        }
    }

    /// Whether a class of letters, digits and signs has this sign.
    const fn has_sign(self, byte: u8) -> bool {
        match self {
            Self::Word => byte == b'_',
            Self::AlphanumericDot => byte == b'.',
            Self::Base64Url => matches!(byte, b'_' | b'-'),
            Self::Dotted => matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => matches!(byte, b'+' | b'/' | b'='),
            Self::Base64List => matches!(byte, b'+' | b'/' | b'=' | b',' | b'_'),
            Self::Token => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-'),
            Self::DottedToken => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.'),
            Self::EntraId => matches!(byte, b'_' | b'-' | b'.' | b'~'),
            Self::Proxmox => matches!(byte, b'_' | b'-' | b'.' | b'@' | b'!' | b'='),
            Self::Convex => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'|'),
            Self::Path => matches!(byte, b'_' | b'-' | b'/'),
            Self::Url => is_url_sign(byte),
            Self::Crypt => matches!(byte, b'+' | b'.' | b'/' | b'$' | b'=' | b',' | b'-'),
            Self::Hashcat => is_url_sign(byte) || matches!(byte, b'*' | b'#'),
            _ => false,
        }
    }
}

const fn is_url_sign(byte: u8) -> bool {
    matches!(
        byte,
        b'_' | b'-' | b'/' | b'?' | b'=' | b'&' | b'%' | b'.' | b'@' | b'+' | b'~' | b':' | b'$'
    )
}

/// Whether a run looks random. A random run has letters and digits, or capitals and small letters;
/// words do not, and neither do words and numbers with signs between them, as in
/// `learn-contrib-2024`.
pub(super) fn is_random(run: &[u8], body: Body) -> bool {
    if body == Body::Base32 {
        return true;
    }
    let kinds = Kinds::of(run);
    if !(kinds.digit && kinds.has_letter() || kinds.upper && kinds.lower) {
        return false;
    }
    let (mut pieces, mut random, mut longest) = (0, 0, 0);
    let mut rest = run;
    loop {
        let piece = Piece::read(rest);
        pieces += 1;
        if piece.is_random() {
            random += 1;
            longest = longest.max(piece.length);
        }
        match rest.get(piece.length + 1..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    longest >= LONG_PIECE || 2 * random >= pieces
}

/// A random piece of this length is enough; shorter ones occur in names such as `Foo2`.
const LONG_PIECE: usize = 8;

/// The part of a run between two signs.
#[derive(Debug, Default)]
struct Piece {
    length: usize,
    upper: usize,
    digits: usize,
    /// How many of the characters after the first are small letters.
    lower_after_first: usize,
}

impl Piece {
    /// Reads the piece at the start of a run.
    fn read(run: &[u8]) -> Self {
        let mut piece = Self::default();
        for &byte in run.iter().take_while(|byte| byte.is_ascii_alphanumeric()) {
            piece.upper += usize::from(byte.is_ascii_uppercase());
            piece.digits += usize::from(byte.is_ascii_digit());
            let is_later = piece.length > 0;
            piece.lower_after_first += usize::from(is_later && byte.is_ascii_lowercase());
            piece.length += 1;
        }
        piece
    }

    /// Whether the piece is neither a word nor a short number.
    fn is_random(&self) -> bool {
        let is_word = self.upper == self.length || self.lower_after_first + 1 >= self.length;
        let is_number = self.length < LONG_PIECE && self.digits == self.length;
        !is_word && !is_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_random() {
        let check = |run: &str| is_random(run.as_bytes(), Body::Base64Url);
        for run in [
            "learn-contrib-2024-wheel",
            "SOME_LONG_NAME_2",
            "lifecycle_event",
            "Foo2-bar-baz-qux",
        ] {
            assert!(!check(run), "{run}");
        }
        for run in [
            "x7Kp2mQ9vR4t",
            "4f9c2a71-88de-4c1b-a2f3-0b1c2d3e4f5a",
            "aB3dE6gH9jK2",
        ] {
            assert!(check(run), "{run}");
        }
    }
}
