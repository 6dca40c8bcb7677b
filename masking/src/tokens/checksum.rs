//! The checksum at the end of GitHub's and npm's tokens.

/// The length of the checksum.
const LENGTH: usize = 6;

/// Whether the last six characters of a text are the CRC-32 of the others in base 62.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let Some((text, checksum)) = text.split_last_chunk::<LENGTH>() else {
        return false;
    };
    let mut value: u64 = 0;
    for &byte in checksum {
        let Some(digit) = digit(byte) else {
            return false;
        };
        value = value * 62 + u64::from(digit);
    }
    value == u64::from(crc32(text))
}

/// The value of a digit in base 62: digits, capitals, small letters.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        _ => None,
    }
}

/// The CRC-32 of ISO 3309, as in gzip.
fn crc32(text: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    !text.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_published_example_is_valid() {
        // From the documentation of the package `base62-token`, which describes the format.
        assert!(is_valid(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
        assert!(!is_valid(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0MlQ17"));
        assert!(!is_valid(b"0mLq1"));
    }
}
