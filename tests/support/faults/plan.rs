//! The faults, and which requests meet them.

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault: the request is performed, and its answer arrives.
    None,
    /// The table accepts no item of a batch.
    Unprocessed,
    /// The table throttles the request.
    Throttled,
    /// The connection breaks before the request is sent.
    Unsent,
    /// The connection breaks after the request was performed.
    Unanswered,
    /// The request is performed when the test continues it.
    Delayed,
    /// The request is performed, and its answer arrives when the test continues it.
    Interrupted,
    /// The process ends before the request is sent.
    CrashBefore,
    /// The process ends after the request was performed.
    CrashAfter,
    /// The table throttles the request with another error.
    LimitExceeded,
    /// The table reports an internal error.
    InternalError,
    /// A proxy reports an error in HTML.
    BadGateway,
    /// The request is not performed, and no answer ever comes.
    Silent,
    /// The answer comes late, but before the timeout.
    Slow,
    /// The request is performed, and its answer comes after the timeout.
    TooSlow,
    /// The connection breaks, and the request is performed later, after other requests.
    Ghost,
    /// The request is performed, and half of its answer arrives.
    Cut,
    /// The credentials have expired.
    Expired,
    /// The request conflicts with another transaction.
    Conflict,
    /// The table accepts half of a batch.
    HalfTaken,
}

impl Fault {
    /// All faults that a request of an operation can meet, except the end of the process.
    pub fn all_of(operation: &str) -> impl Iterator<Item = Self> {
        let is_batch = operation == "BatchWriteItem";
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
        let is_write = writes.contains(&operation);
        let any = [
            Self::Throttled,
            Self::LimitExceeded,
            Self::InternalError,
            Self::BadGateway,
            Self::Unsent,
            Self::Unanswered,
            Self::Silent,
            Self::Slow,
            Self::TooSlow,
            Self::Cut,
            Self::Expired,
        ];
        any.into_iter()
            .chain(
                [Self::Unprocessed, Self::HalfTaken]
                    .into_iter()
                    .filter(move |_| is_batch),
            )
            .chain([Self::Conflict].into_iter().filter(move |_| is_write))
            .chain(
                [Self::Ghost]
                    .into_iter()
                    .filter(move |_| is_write || is_batch),
            )
    }

    /// Whether only a batch can meet it.
    pub(super) fn is_of_a_batch(self) -> bool {
        matches!(self, Self::Unprocessed | Self::HalfTaken)
    }

    /// Whether a retry of the SDK succeeds.
    pub fn passes_with_a_retry(self) -> bool {
        !matches!(self, Self::Cut | Self::Expired | Self::Conflict)
    }
}

/// A fault for one request, or for all later ones, of any operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// The number of requests without a fault before.
    pub after: usize,
    /// Whether all later requests meet it too.
    pub lasts: bool,
    pub fault: Fault,
}

/// A planned strike, and the requests since.
#[derive(Debug, Default)]
pub(super) struct Planned {
    strike: Option<Strike>,
    /// The number of requests since it was planned.
    requests: usize,
}

impl Planned {
    pub(super) fn new(strike: Option<Strike>) -> Self {
        let requests = 0;
        Self { strike, requests }
    }

    /// The fault of the next request.
    pub(super) fn next(&mut self) -> Option<Fault> {
        let position = self.requests;
        self.requests += 1;
        let strike = self.strike?;
        let is_met = match strike.lasts {
            true => position >= strike.after,
            false => position == strike.after,
        };
        is_met.then_some(strike.fault)
    }
}
