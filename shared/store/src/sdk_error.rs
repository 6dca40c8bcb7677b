//! Converts the SDK's errors.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use format::Error;

/// Returns whether a write was refused because its condition did not hold.
pub(crate) fn fails_its_condition<T, E, R>(answer: &Result<T, SdkError<E, R>>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = answer.as_ref().err().and_then(|error| error.code());
    code == Some("ConditionalCheckFailedException")
}

/// Returns whether DynamoDB refuses a whole request because of its contents.
pub(crate) fn is_validation<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ValidationException")
}

/// Converts a failed request to an error for the caller. The SDK has already retried it if that was
/// useful.
pub fn from_sdk<E>(error: SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    const THROTTLES: [&str; 6] = [
        "ProvisionedThroughputExceededException",
        // Another transaction is changing the item.
        "TransactionConflictException",
        // Our own transaction, whose response was lost.
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "LimitExceededException",
    ];
    const OUTAGES: [&str; 4] = [
        "InternalServerError",
        "ServiceUnavailable",
        // New credentials are fetched automatically.
        "ExpiredToken",
        "ExpiredTokenException",
    ];
    let has_code_in = |codes: &[&str]| error.code().is_some_and(|code| codes.contains(&code));
    if has_code_in(&THROTTLES) {
        return Error::Throttled(error.into());
    }
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Error::Unavailable(error.into())
        }
        _ if has_code_in(&OUTAGES) => Error::Unavailable(error.into()),
        // The response of a proxy, without a DynamoDB error code, or a successful response that was
        // cut off and cannot be read.
        _ if status.is_some_and(|status| !(300..500).contains(&status)) => {
            Error::Unavailable(error.into())
        }
        _ if is_validation(&error) => Error::Refused(error.into()),
        _ => Error::Internal(error.into()),
    }
}
