//! How a call of gRPC differs from a request over HTTP.
//!
//! A call of OTLP's service has the protobuf message of `POST /v1/traces`, and gets the message of
//! its response. The server that receives calls passes each of them to the route as such a request.
//! It knows how messages are transported, which this module does not.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::body::{Compression, unpack};
use crate::bodies::Reservation;
use crate::problem::Problem;

/// The header that names the compression of messages.
pub const ENCODING: &str = "grpc-encoding";

/// The supported compressions, as a server lists them in `grpc-accept-encoding`.
pub const ENCODINGS: &str = "identity, gzip, deflate, zstd";

/// Marks a request as the message of a call, in its extensions. Its body is decompressed already.
#[derive(Debug, Clone, Copy)]
pub struct Message;

/// The status of a call, with the numbers of `google.rpc.Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of gRPC")]
pub enum Code {
    Ok = 0,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Code {
    /// The name of the code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    /// The code for the status of a response over HTTP. Exporters retry after
    /// [`Self::Unavailable`] and [`Self::DeadlineExceeded`].
    pub fn from_status(status: StatusCode) -> Self {
        match status {
            status if status.is_success() => Self::Ok,
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::FORBIDDEN => Self::PermissionDenied,
            StatusCode::REQUEST_TIMEOUT => Self::DeadlineExceeded,
            StatusCode::PAYLOAD_TOO_LARGE => Self::ResourceExhausted,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::Unimplemented,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::InvalidArgument,
            _ => Self::Internal,
        }
    }
}

/// Decompresses a compressed message. `encoding` is the value of [`ENCODING`].
///
/// # Errors
/// [`Problem::UnsupportedMediaType`] for an unknown compression, [`Problem::InvalidParameter`] if
/// the message is not compressed in this way, [`Problem::BodyTooLarge`], and [`Problem::Busy`] if
/// there is not enough memory for the decompressed message.
pub fn decompress(
    message: &[u8],
    encoding: Option<&HeaderValue>,
    reservation: &Reservation,
) -> Result<Bytes, Problem> {
    let compression = Compression::parse(encoding.map(HeaderValue::as_bytes))?;
    unpack(message, compression, ENCODING, Some(reservation))
}
