//! Decompresses the body of a request.

use std::io::{self, Read};
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use lambda_http::Request;
use serde_json::json;

use super::grpc::Message;
use super::{MAX_BODY_BYTES, MAX_UNPACKED_BYTES};
use crate::bodies::Reservation;
use crate::openapi::parameter::{Location, ParameterDescription};
use crate::parameters::{Parameter, Parameters, invalid};
use crate::problem::Problem;

/// A format of compressed bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Deflate,
    Zstd,
}

/// The values of `Content-Encoding`, and of `grpc-encoding` in gRPC, in any case. The SDKs for
/// Python and .NET send `deflate`, and the Collector also sends `zlib` for the same format, and
/// `zstd`.
const ENCODINGS: [(&str, Compression); 7] = [
    ("gzip", Compression::Gzip),
    ("deflate", Compression::Deflate),
    ("zlib", Compression::Deflate),
    ("zstd", Compression::Zstd),
    ("identity", Compression::None),
    ("none", Compression::None),
    ("", Compression::None),
];

impl Compression {
    /// Parses the value of a header. Without the header, the body is not compressed.
    ///
    /// # Errors
    /// [`Problem::UnsupportedMediaType`] for any other value.
    pub(super) fn parse(value: Option<&[u8]>) -> Result<Self, Problem> {
        let value = value.unwrap_or(b"identity");
        let mut known = ENCODINGS.iter();
        let known = known.find(|(word, _)| value.eq_ignore_ascii_case(word.as_bytes()));
        let (_, compression) = known.ok_or(Problem::UnsupportedMediaType {
            message: "Compress the body with gzip, deflate or zstd, or not at all.",
        })?;
        Ok(*compression)
    }
}

/// The parameters of `POST /v1/traces`: how the body is compressed.
pub(crate) static PARAMETERS: LazyLock<Parameters<Compression>> = LazyLock::new(|| {
    let schema = json!({"type": "string", "enum": ENCODINGS.map(|(word, _)| word)});
    let description = ParameterDescription::new("Content-Encoding", Location::Header, schema);
    let read = |request: &Request| {
        let value = request.headers().get(CONTENT_ENCODING);
        Compression::parse(value.map(HeaderValue::as_bytes))
    };
    let encoding = Parameter::new(description, read);
    encoding.about("The compression of the body.").into()
});

/// Returns the body of a request, decompressed if necessary. A message of gRPC is decompressed
/// already.
///
/// # Errors
/// [`Problem::BodyTooLarge`], [`Problem::UnsupportedMediaType`] for another compression,
/// [`Problem::InvalidParameter`] if the body is not compressed in the stated way, and
/// [`Problem::Busy`] if there is not enough memory for the decompressed body.
pub(super) fn decompress(request: &Request) -> Result<Bytes, Problem> {
    let body: &[u8] = request.body();
    if request.extensions().get::<Message>().is_some() {
        return Ok(Bytes::copy_from_slice(body));
    }
    if body.len() > MAX_BODY_BYTES {
        let most = MAX_BODY_BYTES;
        return Err(Problem::BodyTooLarge { most });
    }
    let compression = PARAMETERS.read(request)?;
    if compression == Compression::None {
        return Ok(Bytes::copy_from_slice(body));
    }
    let reservation = request.extensions().get();
    unpack(body, compression, "Content-Encoding", reservation)
}

/// Decompresses a body whose compression a header states.
///
/// # Errors
/// The errors of [`decompress`].
pub(super) fn unpack(
    body: &[u8],
    compression: Compression,
    header: &str,
    reservation: Option<&Reservation>,
) -> Result<Bytes, Problem> {
    let invalid_body = |error| {
        let name = format!("{compression:?}").to_lowercase();
        let reason = format!("The body is not valid {name}, as {header} states: {error}.");
        invalid("body", reason)
    };
    let mut reader = open(body, compression).map_err(invalid_body)?;
    read_parts(&mut reader, reservation, invalid_body)
}

/// Starts to decompress a body.
fn open(body: &[u8], compression: Compression) -> io::Result<Box<dyn Read + '_>> {
    Ok(match compression {
        Compression::None => Box::new(body),
        Compression::Gzip => Box::new(MultiGzDecoder::new(body)),
        // HTTP defines deflate with the header of zlib. Some programs leave out the header.
        Compression::Deflate if has_zlib_header(body) => Box::new(ZlibDecoder::new(body)),
        Compression::Deflate => Box::new(DeflateDecoder::new(body)),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(body)?;
            decoder.window_log_max(MAX_UNPACKED_BYTES.ilog2())?;
            Box::new(decoder)
        }
    })
}

/// Whether a body begins with the two bytes of a zlib header, which are a multiple of 31.
fn has_zlib_header(body: &[u8]) -> bool {
    const METHOD_DEFLATE: u8 = 8;
    match *body {
        [first, second, ..] => {
            first & 0x0F == METHOD_DEFLATE && u16::from_be_bytes([first, second]) % 31 == 0
        }
        _ => false,
    }
}

/// How much is decompressed before more memory is reserved, in bytes.
const PART_BYTES: u64 = 1024 * 1024;

/// Reads everything, up to the limit.
fn read_parts(
    reader: &mut dyn Read,
    reservation: Option<&Reservation>,
    invalid_body: impl Fn(io::Error) -> Problem,
) -> Result<Bytes, Problem> {
    let mut unpacked = Vec::new();
    loop {
        let before = unpacked.len();
        let mut part = Read::take(&mut *reader, PART_BYTES);
        part.read_to_end(&mut unpacked).map_err(&invalid_body)?;
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression as Level;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const BODY: &[u8] = br#"{"resourceSpans": []}"#;

    fn unpack(encoding: &str, body: Vec<u8>) -> Result<Bytes, Problem> {
        let request = http::Request::post("/v1/traces").header(CONTENT_ENCODING, encoding);
        decompress(&request.body(body.into()).expect("a request"))
    }

    fn bodies() -> [(&'static str, Vec<u8>); 5] {
        let mut gzip = GzEncoder::new(Vec::new(), Level::default());
        gzip.write_all(BODY).expect("written");
        let mut zlib = ZlibEncoder::new(Vec::new(), Level::default());
        zlib.write_all(BODY).expect("written");
        let mut deflate = DeflateEncoder::new(Vec::new(), Level::default());
        deflate.write_all(BODY).expect("written");
        let zlib = zlib.finish().expect("compressed");
        [
            ("GZIP", gzip.finish().expect("compressed")),
            ("deflate", zlib.clone()),
            ("zlib", zlib),
            ("deflate", deflate.finish().expect("compressed")),
            ("zstd", zstd::bulk::compress(BODY, 1).expect("compressed")),
        ]
    }

    #[test]
    fn every_compression_of_exporters_is_read() {
        for (encoding, body) in bodies() {
            let unpacked = unpack(encoding, body).expect("valid");
            assert_eq!(unpacked, BODY, "{encoding}");
        }
        for encoding in ["", "identity", "none"] {
            assert_eq!(unpack(encoding, BODY.to_vec()).expect("valid"), BODY);
        }
    }

    #[test]
    fn cut_and_uncompressed_bodies_are_refused() {
        for (encoding, body) in bodies() {
            for invalid in [body[..body.len() - 5].to_vec(), BODY.to_vec()] {
                let problem = unpack(encoding, invalid).expect_err("not valid");
                assert_eq!(problem.status(), 400, "{encoding}");
                let message = problem.message("id");
                assert!(message.contains("as Content-Encoding states"), "{message}");
            }
        }
        let problem = unpack("br", BODY.to_vec()).expect_err("not supported");
        let message = "Compress the body with gzip, deflate or zstd, or not at all.";
        assert_eq!(
            (problem.status().as_u16(), problem.message("id").as_str()),
            (415, message)
        );
    }

    #[test]
    fn no_compression_exceeds_the_limit() {
        let large = vec![b' '; MAX_UNPACKED_BYTES + 1];
        let body = zstd::bulk::compress(&large, 1).expect("compressed");
        let problem = unpack("zstd", body).expect_err("too large");
        assert_eq!(problem.status(), 413);
    }
}
