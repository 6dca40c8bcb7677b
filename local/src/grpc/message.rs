//! The messages of a call: frames of a prefix and a protobuf message
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use functions::bodies::{BodyBudget, Reservation};
use functions::parameters::invalid;
use functions::problem::Problem;
use functions::traces::{MAX_BODY_BYTES, grpc};
use http_body_util::BodyExt;

use crate::connections::BODY_TIME;

/// The length of a prefix, in bytes: whether the message is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// What to do about a call without exactly one complete message.
const EXPECTED: &str = "Send exactly one message, the ExportTraceServiceRequest.";

/// Puts a message into a frame.
pub(super) fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(PREFIX_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    frame.into()
}

/// Reads the one message of a call and decompresses it, once the budget has room for it.
///
/// # Errors
/// The errors of a body that is too large, too slow or incomplete, and those of
/// [`grpc::decompress`].
pub(super) async fn read_message(
    body: &mut Body,
    encoding: Option<&HeaderValue>,
    budget: &BodyBudget,
) -> Result<(Bytes, Reservation), Problem> {
    let read = tokio::time::timeout(BODY_TIME, read_frame(body, budget)).await;
    let within = BODY_TIME;
    let (frame, reservation) = read.map_err(|_| Problem::BodyTooSlow { within })??;
    let message = match frame.is_compressed {
        true => grpc::decompress(&frame.message, encoding, &reservation)?,
        false => frame.message,
    };
    Ok((message, reservation))
}

/// A frame.
struct Frame {
    is_compressed: bool,
    message: Bytes,
}

/// Reads the only frame of a body. Its length is known after the prefix, so that only as much
/// memory is reserved.
async fn read_frame(body: &mut Body, budget: &BodyBudget) -> Result<(Frame, Reservation), Problem> {
    let mut received = Vec::new();
    let mut announced = None;
    while let Some(part) = body.frame().await {
        let broken = |_| invalid("body", "The message ended early. Send it again.");
        if let Ok(data) = part.map_err(broken)?.into_data() {
            received.extend_from_slice(&data);
        }
        if announced.is_none()
            && let Some(prefix) = Prefix::parse(&received)?
        {
            let reservation = budget.reserve(prefix.length).await;
            announced = Some((prefix, reservation.ok_or(Problem::Busy)?));
        }
        if let Some((prefix, _)) = &announced
            && received.len() > PREFIX_BYTES + prefix.length
        {
            return Err(invalid(
                "body",
                format!("The call has more than one message. {EXPECTED}"),
            ));
        }
    }
    match announced {
        Some((prefix, reservation)) if received.len() == PREFIX_BYTES + prefix.length => {
            let message = Bytes::from(received).slice(PREFIX_BYTES..);
            let is_compressed = prefix.is_compressed;
            Ok((
                Frame {
                    is_compressed,
                    message,
                },
                reservation,
            ))
        }
        _ => Err(invalid(
            "body",
            format!("The call has no complete message. {EXPECTED}"),
        )),
    }
}

/// The prefix of a message.
struct Prefix {
    is_compressed: bool,
    /// In bytes.
    length: usize,
}

impl Prefix {
    /// Parses the beginning of a frame. Returns `None` if it is shorter than a prefix.
    fn parse(frame: &[u8]) -> Result<Option<Self>, Problem> {
        let [flag, first, second, third, fourth, ..] = *frame else {
            return Ok(None);
        };
        let is_compressed = match flag {
            0 => false,
            1 => true,
            _ => {
                let reason = format!("The first byte of its frame is neither 0 nor 1. {EXPECTED}");
                return Err(invalid("body", reason));
            }
        };
        let length = u32::from_be_bytes([first, second, third, fourth]) as usize;
        match length <= MAX_BODY_BYTES {
            true => Ok(Some(Self {
                is_compressed,
                length,
            })),
            false => Err(Problem::BodyTooLarge {
                most: MAX_BODY_BYTES,
            }),
        }
    }
}

/// Parses the value of `grpc-timeout`: a number of at most eight digits and a unit. Returns `None`
/// if it is not valid.
pub(super) fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u32 = digits.parse().ok()?;
    let unit = match unit {
        "H" => Duration::from_secs(3_600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(unit * number)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const MB: usize = 1024 * 1024;

    /// Reads a body that arrives in these parts.
    async fn read(parts: &[&[u8]], encoding: Option<&'static str>) -> Result<Bytes, Problem> {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok::<_, String>(part.to_vec()))
            .collect();
        let mut body = Body::from_stream(stream::iter(parts));
        let encoding = encoding.map(HeaderValue::from_static);
        let budget = BodyBudget::new(8 * MB);
        let read = read_message(&mut body, encoding.as_ref(), &budget).await;
        read.map(|(message, _)| message)
    }

    async fn message_of_problem(parts: &[&[u8]], encoding: Option<&'static str>) -> String {
        read(parts, encoding)
            .await
            .expect_err("refused")
            .message("")
    }

    #[tokio::test]
    async fn a_frame_is_read_in_any_parts() {
        let whole = frame(b"message");
        assert_eq!(whole, &b"\0\0\0\0\x07message"[..]);
        assert_eq!(read(&[&whole], None).await.expect("read"), "message");
        let bytes: Vec<_> = whole.chunks(1).collect();
        assert_eq!(read(&bytes, None).await.expect("read"), "message");
        let empty = frame(b"");
        assert_eq!(read(&[&empty], Some("gzip")).await.expect("read"), "");
    }

    #[tokio::test]
    async fn only_marked_messages_are_decompressed() {
        let packed = zstd::bulk::compress(b"message", 1).expect("compressed");
        let mut marked = frame(&packed).to_vec();
        marked[0] = 1;
        assert_eq!(
            read(&[&marked], Some("zstd")).await.expect("read"),
            "message"
        );
        let unmarked = frame(b"message");
        assert_eq!(
            read(&[&unmarked], Some("zstd")).await.expect("read"),
            "message"
        );
        let wrong = message_of_problem(&[&marked], Some("gzip")).await;
        assert!(
            wrong.contains("not valid gzip, as grpc-encoding states"),
            "{wrong}"
        );
        let unknown = read(&[&marked], Some("snappy")).await.expect_err("refused");
        assert_eq!(unknown.status(), 415);
    }

    #[tokio::test]
    async fn other_than_one_complete_message_is_refused() {
        for frame in [&b""[..], b"\0\0\0", b"\0\0\0\0\x07messag"] {
            let message = message_of_problem(&[frame], None).await;
            assert!(message.contains("no complete message"), "{message}");
        }
        let two = [frame(b"one"), frame(b"two")].concat();
        let message = message_of_problem(&[&two], None).await;
        assert!(message.contains("more than one message"), "{message}");
        let message = message_of_problem(&[b"\x02\0\0\0\0"], None).await;
        assert!(message.contains("neither 0 nor 1"), "{message}");
    }

    #[tokio::test]
    async fn the_announced_length_is_limited() {
        let most = u32::try_from(MAX_BODY_BYTES).expect("a length");
        let prefix = |length: u32| [&b"\0"[..], &length.to_be_bytes()].concat();
        let message = message_of_problem(&[&prefix(most + 1)], None).await;
        assert_eq!(message, "Send at most 4 MB.");
        let message = message_of_problem(&[&prefix(most)], None).await;
        assert!(message.contains("no complete message"), "{message}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_does_not_arrive_is_given_up() {
        let mut body = Body::from_stream(stream::pending::<Result<Bytes, String>>());
        let read = read_message(&mut body, None, &BodyBudget::new(MB)).await;
        assert_eq!(read.expect_err("refused").status(), 408);
    }

    #[test]
    fn timeouts_have_a_number_and_a_unit() {
        for (text, expected) in [
            ("10S", Some(Duration::from_secs(10))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("1500m", Some(Duration::from_millis(1_500))),
            ("7u", Some(Duration::from_micros(7))),
            ("0n", Some(Duration::ZERO)),
            ("100000000S", None),
            ("S", None),
            ("+1S", None),
            ("1.5S", None),
            ("10", None),
            ("10s", None),
            ("", None),
        ] {
            assert_eq!(
                parse_timeout(&HeaderValue::from_static(text)),
                expected,
                "{text}"
            );
        }
    }
}
