//! Measures the requests to the table.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// What the requests of a store have used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Requests to DynamoDB, without retries inside the SDK.
    pub requests: u64,
    /// Items that these requests have read, whether or not they returned them.
    pub items_read: u64,
    /// Consumed capacity units: write units of 1 KB, and read units of 8 KB for eventually
    /// consistent reads and of 4 KB for consistent reads.
    pub capacity_units: f64,
}

impl Usage {
    /// The usage since an earlier value of the same meter.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            items_read: self.items_read - earlier.items_read,
            capacity_units: self.capacity_units - earlier.capacity_units,
        }
    }
}

/// Counts the usage of a store's requests.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    requests: AtomicU64,
    items_read: AtomicU64,
    /// In thousandths: every number that DynamoDB reports is a multiple of 0.5.
    milli_units: AtomicU64,
}

impl Meter {
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            items_read: self.items_read.load(Ordering::Relaxed),
            capacity_units: self.milli_units.load(Ordering::Relaxed) as f64 / 1_000.0,
        }
    }

    /// Adds a request that has read this number of items.
    pub(crate) fn add(&self, capacity: Option<&ConsumedCapacity>, items_read: usize) {
        let units = capacity
            .and_then(|capacity| capacity.capacity_units)
            .unwrap_or_default();
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.items_read
            .fetch_add(items_read as u64, Ordering::Relaxed);
        self.milli_units
            .fetch_add((units * 1_000.0) as u64, Ordering::Relaxed);
    }
}
