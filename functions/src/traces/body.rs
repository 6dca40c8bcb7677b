//! The body of a request, unpacked.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use lambda_http::Request;

use super::{MAX_BODY_BYTES, MAX_UNPACKED_BYTES};
use crate::parameters::invalid;
use crate::problem::Problem;

/// The body of a request, as it was before it was compressed.
///
/// # Errors
/// [`Problem::BodyTooLarge`], [`Problem::UnsupportedMediaType`] for another compression
/// than gzip, and [`Problem::InvalidParameter`] for what is no gzip.
pub(super) fn unpacked(request: &Request) -> Result<Bytes, Problem> {
    let body: &[u8] = request.body();
    if body.len() > MAX_BODY_BYTES {
        let most = MAX_BODY_BYTES;
        return Err(Problem::BodyTooLarge { most });
    }
    let encoding = request.headers().get(CONTENT_ENCODING);
    let encoding = encoding.map_or(&b"identity"[..], |encoding| encoding.as_bytes());
    match encoding.to_ascii_lowercase().as_slice() {
        b"identity" | b"none" | b"" => Ok(Bytes::copy_from_slice(body)),
        b"gzip" => gunzipped(body),
        _ => Err(Problem::UnsupportedMediaType {
            message: "Compress the body with gzip, or not at all.",
        }),
    }
}

fn gunzipped(body: &[u8]) -> Result<Bytes, Problem> {
    let mut unpacked = Vec::new();
    // One more than may be, to see that there is more.
    let mut reader = MultiGzDecoder::new(body).take(MAX_UNPACKED_BYTES as u64 + 1);
    reader
        .read_to_end(&mut unpacked)
        .map_err(|error| invalid("body", format!("It is no gzip: {error}.")))?;
    if unpacked.len() > MAX_UNPACKED_BYTES {
        let most = MAX_UNPACKED_BYTES;
        return Err(Problem::BodyTooLarge { most });
    }
    Ok(unpacked.into())
}
