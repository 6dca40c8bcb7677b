//! Decompresses the body of a request.

use std::io::Read;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use lambda_http::Request;
use serde_json::json;

use super::{MAX_BODY_BYTES, MAX_UNPACKED_BYTES};
use crate::bodies::Reservation;
use crate::openapi::parameter::{Location, ParameterDescription};
use crate::parameters::{Parameter, Parameters, invalid};
use crate::problem::Problem;

/// The values of `Content-Encoding`, in any case, and whether they mean gzip.
const ENCODINGS: [(&str, bool); 4] = [
    ("gzip", true),
    ("identity", false),
    ("none", false),
    ("", false),
];

/// The parameters of `POST /v1/traces`: whether the body is compressed with gzip.
pub(crate) static PARAMETERS: LazyLock<Parameters<bool>> = LazyLock::new(|| {
    let schema = json!({"type": "string", "enum": ENCODINGS.map(|(word, _)| word)});
    let description = ParameterDescription::new("Content-Encoding", Location::Header, schema);
    let read = |request: &Request| {
        let value = request.headers().get(CONTENT_ENCODING);
        let value = value.map_or(&b"identity"[..], |value| value.as_bytes());
        let mut known = ENCODINGS.iter();
        let known = known.find(|(word, _)| value.eq_ignore_ascii_case(word.as_bytes()));
        let (_, is_gzip) = known.ok_or(Problem::UnsupportedMediaType {
            message: "Compress the body with gzip, or not at all.",
        })?;
        Ok(*is_gzip)
    };
    let encoding = Parameter::new(description, read);
    encoding.about("The compression of the body.").into()
});

/// Returns the body of a request, decompressed if necessary.
///
/// # Errors
/// [`Problem::BodyTooLarge`], [`Problem::UnsupportedMediaType`] for a compression other than gzip,
/// [`Problem::InvalidParameter`] if the body is not valid gzip, and [`Problem::Busy`] if there is
/// not enough memory for the decompressed body.
pub(super) fn decompress(request: &Request) -> Result<Bytes, Problem> {
    let body: &[u8] = request.body();
    if body.len() > MAX_BODY_BYTES {
        let most = MAX_BODY_BYTES;
        return Err(Problem::BodyTooLarge { most });
    }
    match PARAMETERS.read(request)? {
        true => gunzip(body, request.extensions().get()),
        false => Ok(Bytes::copy_from_slice(body)),
    }
}

/// How much is decompressed before more memory is reserved, in bytes.
const PART_BYTES: u64 = 1024 * 1024;

fn gunzip(body: &[u8], reservation: Option<&Reservation>) -> Result<Bytes, Problem> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(body);
    loop {
        let before = unpacked.len();
        reader
            .by_ref()
            .take(PART_BYTES)
            .read_to_end(&mut unpacked)
            .map_err(|error| invalid("body", format!("Not valid gzip: {error}.")))?;
        let read = unpacked.len() - before;
        if let Some(reservation) = reservation {
            reservation.grow(read)?;
        }
        if unpacked.len() > MAX_UNPACKED_BYTES {
            let most = MAX_UNPACKED_BYTES;
            return Err(Problem::BodyTooLarge { most });
        }
        if read == 0 {
            return Ok(unpacked.into());
        }
    }
}
