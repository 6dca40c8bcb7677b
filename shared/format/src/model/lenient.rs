//! Reads attributes that may have an unexpected type, because any engine may have written them.

use serde::Deserializer;
use serde::de::DeserializeOwned;

use super::Timestamp;

/// Reads a value of the expected type, and `None` otherwise.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(T::deserialize(deserializer).ok())
}

pub(super) fn lenient_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(lenient(deserializer)?.unwrap_or_default())
}

/// The longest plausible duration, in milliseconds: ten years. A longer one is a mistake of an
/// engine, such as a time since 1970-01-01, and would distort every average.
pub const MAX_DURATION_MS: u64 = 3_653 * 24 * 3_600 * 1_000;

pub(super) fn duration_ms(
    written: Option<u64>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Option<u64> {
    let is_credible = |duration: &u64| *duration <= MAX_DURATION_MS;
    let measured = || u64::try_from(end?.milliseconds() - start?.milliseconds()).ok();
    written
        .filter(is_credible)
        .or_else(|| measured().filter(is_credible))
}
