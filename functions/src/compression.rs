//! Compresses responses with gzip for clients that accept it.
//!
//! Every response of a route passes through [`compress`]. On Lambda only streamed responses are
//! compressed here. API Gateway compresses buffered ones, because Lambda would have to encode a
//! compressed body in base64.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream, StreamExt};
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY,
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use shared::{Error, Result};

use crate::reply::Reply;

/// The smallest body that is worth compressing, in bytes. A smaller body fits into one packet
/// together with the headers, compressed or not. `MinimumCompressionSize` in `template.yaml` has
/// the same value.
pub const MIN_BYTES: u64 = 1_024;

/// How much is compressed at a time, in bytes: about a millisecond of work. Then the thread can
/// serve other requests.
const PIECE_BYTES: usize = 64 * 1024;

/// Compresses a response with gzip if the client accepts it, if the response is JSON or CSV, and
/// if it is not known to be smaller than [`MIN_BYTES`].
///
/// A streamed response stays a stream: the client can decompress each chunk when it arrives.
pub fn compress(reply: Reply, request: &HeaderMap) -> Reply {
    if !is_compressible(&reply) {
        return reply;
    }
    let (mut parts, body) = reply.into_parts();
    let headers = &mut parts.headers;
    headers.append(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
    if !accepts_gzip(request) {
        return Reply::from_parts(parts, body);
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(CONTENT_LENGTH);
    let chunks = BodyStream::new(body).filter_map(async |frame| match frame {
        Ok(frame) => frame.into_data().ok().map(Ok),
        Err(error) => Some(Err(error)),
    });
    let frames = gzip(Box::pin(chunks)).map(|chunk| chunk.map(Frame::data));
    Reply::from_parts(parts, StreamBody::new(frames).boxed_unsync())
}

fn is_compressible(reply: &Reply) -> bool {
    let content_type = reply.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    let most = reply.body().size_hint().upper();
    let is_small = most.is_some_and(|bytes| bytes < MIN_BYTES);
    !is_small
        && !reply.headers().contains_key(CONTENT_ENCODING)
        && matches!(media_type, Some("application/json" | "text/csv"))
}

/// Whether a client accepts gzip and does not prefer an uncompressed response, by RFC 9110,
/// section 12.5.3: each coding has a weight from 0, which refuses it, to 1.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    let values = request.get_all(ACCEPT_ENCODING).iter();
    for coding in values.flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix(['q', 'Q']).map(str::trim_start);
        let weight = weight.and_then(|weight| weight.strip_prefix('=')?.trim().parse::<f32>().ok());
        let weight = weight.unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "*" => any = Some(weight),
            "identity" => identity = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or_default();
    gzip > 0.0 && gzip >= identity.unwrap_or_default()
}

/// Compresses a stream of bytes with gzip. Each chunk can be decompressed when it arrives.
///
/// Nothing follows after an error, so a file that was cut off lacks gzip's trailer, and
/// decompressing it fails.
pub fn gzip(
    chunks: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let compressing = Compressing {
        chunks,
        rest: Bytes::new(),
        // The fastest level. JSON and CSV still shrink to a tenth, because they repeat their
        // names.
        encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    stream::try_unfold(compressing, |mut compressing| async move {
        let chunk = compressing.next().await?;
        Ok(chunk.map(|chunk| (chunk, compressing)))
    })
}

struct Compressing<S> {
    chunks: S,
    /// The remaining bytes of the current chunk.
    rest: Bytes,
    /// `None` after the trailer is written.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Compressing<S> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(None);
        };
        while self.rest.is_empty() {
            match self.chunks.next().await {
                Some(chunk) => self.rest = chunk?,
                None => {
                    let trailer = self.encoder.take().map(GzEncoder::finish);
                    return trailer
                        .transpose()
                        .map(|bytes| bytes.map(Bytes::from))
                        .map_err(Error::internal);
                }
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        if !self.rest.is_empty() {
            tokio::task::yield_now().await;
        }
        encoder.write_all(&piece).map_err(Error::internal)?;
        encoder.flush().map_err(Error::internal)?;
        Ok(Some(std::mem::take(encoder.get_mut()).into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use futures_util::TryStreamExt;
    use http_body_util::BodyExt;

    use super::*;
    use crate::reply;

    fn request(values: &[&'static str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| (ACCEPT_ENCODING, HeaderValue::from_static(value)));
        values.collect()
    }

    #[test]
    fn only_clients_that_accept_gzip_get_it() {
        for accepted in [
            "gzip",
            "GZIP",
            "x-gzip",
            "deflate, gzip, br",
            "gzip;q=0.5",
            "gzip; q=1.0, identity; q=0.5",
            "br;q=1, *;q=0.1",
            "*",
        ] {
            assert!(accepts_gzip(&request(&[accepted])), "{accepted}");
        }
        assert!(accepts_gzip(&request(&["br", "gzip"])));
        for refused in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip; q=0.0",
            "gzip;q=0, *",
            "*;q=0",
            "gzip;q=x",
            "gzip;q=0.2, identity",
            "gzipped",
        ] {
            assert!(!accepts_gzip(&request(&[refused])), "{refused}");
        }
        assert!(!accepts_gzip(&request(&[])));
    }

    async fn read_body(reply: Reply) -> Bytes {
        let collected = reply.into_body().collect().await;
        collected.expect("a body").to_bytes()
    }

    fn decompressed(bytes: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        let read = GzDecoder::new(bytes).read_to_end(&mut whole);
        read.expect("gzip");
        whole
    }

    #[tokio::test]
    async fn large_json_is_compressed_and_small_json_is_not() {
        let gzip = request(&["gzip"]);
        let large = || reply::json(&"x".repeat(300_000)).expect("a reply");
        let compressed = compress(large(), &gzip);
        assert_eq!(compressed.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(compressed.headers()[VARY], "accept-encoding");
        let bytes = read_body(compressed).await;
        assert!(bytes.len() < 3_000, "{}", bytes.len());
        assert_eq!(decompressed(&bytes), read_body(large()).await);

        let uncompressed = compress(large(), &request(&["br"]));
        assert!(!uncompressed.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(uncompressed.headers()[VARY], "accept-encoding");

        let text = |length: usize| reply::json(&"x".repeat(length)).expect("a reply");
        // The text has two quotes in JSON.
        let least = MIN_BYTES as usize - 2;
        let small = compress(text(least - 1), &gzip);
        assert!(!small.headers().contains_key(CONTENT_ENCODING));
        let enough = compress(text(least), &gzip);
        assert!(enough.headers().contains_key(CONTENT_ENCODING));
    }

    #[tokio::test]
    async fn each_chunk_can_be_decompressed_when_it_arrives() {
        let chunks = ["[1,\n", "2,\n", "3]"].map(|chunk| Ok(Bytes::from(chunk)));
        let endless = stream::iter(chunks).chain(stream::pending());
        let reply = compress(reply::stream("application/json", endless), &request(&["*"]));
        let mut body = reply.into_body();
        let mut compressed = Vec::new();
        for _ in 0..2 {
            let frame = body.frame().await.expect("a frame").expect("no error");
            compressed.extend_from_slice(&frame.into_data().expect("data"));
        }
        let mut readable = [0; 6];
        let mut decoder = GzDecoder::new(compressed.as_slice());
        decoder.read_exact(&mut readable).expect("the first chunks");
        assert_eq!(&readable, b"[1,\n2,");
    }

    #[tokio::test]
    async fn there_is_no_gzip_trailer_after_an_error() {
        let cut_off = [
            Ok(Bytes::from("[1,")),
            Err(Error::internal(std::io::Error::other("cut off"))),
            Ok(Bytes::from("2]")),
        ];
        let mut chunks = Box::pin(gzip(stream::iter(cut_off)));
        let first = chunks.try_next().await.expect("a chunk").expect("a chunk");
        chunks.try_next().await.expect_err("the error");
        assert!(chunks.try_next().await.expect("the end").is_none());
        let mut whole = Vec::new();
        let read = GzDecoder::new(first.as_ref()).read_to_end(&mut whole);
        read.expect_err("no trailer");
    }
}
