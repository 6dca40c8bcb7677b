//! The memory budget for the bodies of all requests together.
//!
//! On AWS a function serves one request at a time, and Lambda limits its body. On a server,
//! hundreds of simultaneous requests with large bodies would need gigabytes. So the server has a
//! budget: a request whose body does not fit waits for a few seconds, and is then asked to retry
//! later.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::Problem;

/// The largest body that does not count against the budget, in bytes. Small bodies must not wait
/// for large ones, and the number of connections limits their memory.
pub const SMALL_BODY_BYTES: usize = 64 * 1024;

/// How long a request waits for memory in the budget.
pub const WAITED_FOR_BUDGET: Duration = Duration::from_secs(5);

/// The number of bytes for one permit.
const PERMIT_BYTES: usize = 1_024;

/// The number of bytes that the bodies of all requests in progress may have together.
#[derive(Debug, Clone)]
pub struct BodyBudget {
    permits: Arc<Semaphore>,
}

impl BodyBudget {
    /// Creates a budget of this size.
    pub fn new(bytes: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(bytes / PERMIT_BYTES)),
        }
    }

    /// Waits until memory for a body of this size is available, and reserves it. Returns `None`
    /// after [`WAITED_FOR_BUDGET`].
    pub async fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let reserved = match permits(bytes) {
            0 => None,
            permits => {
                let acquired = self.permits.clone().acquire_many_owned(permits);
                Some(timeout(WAITED_FOR_BUDGET, acquired).await.ok()?.ok()?)
            }
        };
        Some(Reservation(Arc::new(Reserved {
            budget: self.clone(),
            permits: Mutex::new(reserved),
        })))
    }
}

/// The reserved memory of one request's body. It returns to the budget when the last clone is
/// dropped.
#[derive(Debug, Clone)]
pub struct Reservation(Arc<Reserved>);

#[derive(Debug)]
struct Reserved {
    budget: BodyBudget,
    permits: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Reservation {
    /// Reserves more memory, for the decompressed body. It does not wait, because two requests
    /// that wait for each other's memory would block each other.
    ///
    /// # Errors
    /// [`Problem::Busy`] if the budget has too little memory left.
    pub fn grow(&self, bytes: usize) -> Result<(), Problem> {
        let permits = permits(bytes);
        let budget = self.0.budget.permits.clone();
        let more = budget.try_acquire_many_owned(permits);
        let more = more.map_err(|_| Problem::Busy)?;
        let mut reserved = self
            .0
            .permits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match reserved.as_mut() {
            Some(reserved) => reserved.merge(more),
            None => *reserved = Some(more),
        }
        Ok(())
    }
}

fn permits(bytes: usize) -> u32 {
    match bytes {
        0..=SMALL_BODY_BYTES => 0,
        bytes => u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_and_are_refused_after_a_while() {
        let budget = BodyBudget::new(4 * MB);
        let first = budget.reserve(3 * MB).await.expect("enough memory");
        assert!(budget.reserve(SMALL_BODY_BYTES).await.is_some(), "small");
        assert!(budget.reserve(2 * MB).await.is_none(), "too little memory");
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { budget.reserve(2 * MB).await.is_some() }
        });
        tokio::time::sleep(WAITED_FOR_BUDGET / 2).await;
        drop(first);
        assert!(waiting.await.expect("ended"), "memory is available again");
    }

    #[tokio::test]
    async fn decompressed_bodies_count_until_the_response_ends() {
        let budget = BodyBudget::new(4 * MB);
        let reservation = budget.reserve(10).await.expect("enough memory");
        reservation.grow(3 * MB).expect("enough memory");
        assert!(matches!(reservation.grow(2 * MB), Err(Problem::Busy)));
        reservation.grow(MB).expect("enough memory");
        let clone = reservation.clone();
        drop(reservation);
        assert_eq!(budget.permits.available_permits(), 0);
        drop(clone);
        assert_eq!(budget.permits.available_permits(), 4 * MB / PERMIT_BYTES);
    }
}
