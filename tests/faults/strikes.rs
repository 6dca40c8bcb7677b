//! The faults that each request meets.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::faults::{Fault, Strike};

/// The outcomes for a call or a consumer, for the summary at the end of a test.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) strikes: usize,
    /// Answered as without faults.
    pub(super) unaffected: usize,
    pub(super) refused: usize,
}

impl Tried {
    pub(super) fn print(&self, what: &str) {
        let Self {
            strikes,
            unaffected,
            refused,
        } = self;
        eprintln!(
            "{what}: {strikes} faults, {unaffected} answered as without faults, {refused} with 503"
        );
    }
}

/// With the value `all` of this variable every fault meets every request.
const FAULTS_VARIABLE: &str = "FLOWTRAIL_TEST_FAULTS";

/// Faults for the requests of a call, each once and permanently. Without
/// [`FAULTS_VARIABLE`] this selects one in `one_in`, starting at another one each time.
pub(super) fn strikes(requests: &[String], one_in: usize) -> Vec<Strike> {
    // Permanent faults that are equal for the caller are tried once.
    const LASTING: [Fault; 7] = [
        Fault::Throttled,
        Fault::InternalError,
        Fault::Unanswered,
        Fault::Silent,
        Fault::Cut,
        Fault::Expired,
        Fault::Conflict,
    ];
    static FIRST: AtomicUsize = AtomicUsize::new(0);
    let mut strikes = Vec::new();
    for (after, operation) in requests.iter().enumerate() {
        for fault in Fault::all_of(operation) {
            for lasts in [false, true] {
                if !lasts || LASTING.contains(&fault) {
                    strikes.push(Strike {
                        after,
                        lasts,
                        fault,
                    });
                }
            }
        }
    }
    if std::env::var(FAULTS_VARIABLE).is_ok_and(|faults| faults == "all") {
        return strikes;
    }
    let first = FIRST.fetch_add(1, Ordering::Relaxed) % one_in;
    strikes.into_iter().skip(first).step_by(one_in).collect()
}

/// Whether a strike may change an answer.
pub(super) fn may_fail(strike: Strike) -> bool {
    strike.lasts || !strike.fault.passes_with_a_retry()
}
