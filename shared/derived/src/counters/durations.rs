//! The durations of runs: their number, sum and distribution, in a form that can be added and
//! subtracted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// A bucket of the distribution.
///
/// Up to 15 ms each millisecond has a bucket. Above that, each doubling is divided into 16 buckets
/// of equal width, so that the width of a bucket is at most 1/16 of its durations. The boundaries
/// are whole numbers, so that every machine finds the same bucket. This is the scheme of
/// HdrHistogram (<https://hdrhistogram.github.io/HdrHistogram/>) with 16 sub-buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

/// The number of sub-buckets in a doubling, as a power of two.
const PRECISION_BITS: u32 = 4;
const SUB_BUCKETS: u64 = 1 << PRECISION_BITS;

impl Bucket {
    /// The bucket of a duration in milliseconds.
    pub fn for_duration(duration_ms: u64) -> Self {
        if duration_ms < SUB_BUCKETS {
            return Self(duration_ms as u16);
        }
        let shift = duration_ms.ilog2() - PRECISION_BITS;
        let within = (duration_ms >> shift) - SUB_BUCKETS;
        Self((SUB_BUCKETS * u64::from(shift + 1) + within) as u16)
    }

    /// The bucket with this number. `None` if no duration can be in it.
    pub fn from_number(number: u16) -> Option<Self> {
        (number <= Self::for_duration(u64::MAX).0).then_some(Self(number))
    }

    /// The bucket's number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The shortest duration of the bucket, in milliseconds.
    fn begin(self) -> f64 {
        let number = u64::from(self.0);
        if number < SUB_BUCKETS {
            return number as f64;
        }
        let shift = (number / SUB_BUCKETS - 1) as i32;
        (SUB_BUCKETS + number % SUB_BUCKETS) as f64 * 2_f64.powi(shift)
    }

    /// The shortest duration above the bucket, in milliseconds.
    fn end(self) -> f64 {
        Self(self.0 + 1).begin()
    }
}

/// The durations of runs that have ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// Their sum, in milliseconds.
    pub sum_ms: i128,
    /// The number of durations in each bucket.
    pub buckets: BTreeMap<Bucket, i64>,
}

impl Durations {
    /// The number of runs with a known duration.
    pub fn count(&self) -> u64 {
        self.buckets.values().map(|count| positive(*count)).sum()
    }

    /// The mean in milliseconds, rounded. `None` if there are no runs.
    pub fn mean_ms(&self) -> Option<u64> {
        let count = i128::from(self.count());
        (count > 0).then(|| u64::try_from((self.sum_ms + count / 2) / count).unwrap_or_default())
    }

    /// Estimates the duration that a part of the runs does not exceed, in milliseconds: 0.95 is the
    /// 95th percentile. The error is at most 1/16 of the duration. `None` if there are no runs.
    pub fn quantile_ms(&self, part: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = part * count as f64;
        let mut below = 0.0;
        let mut estimate = 0.0;
        for (bucket, count) in &self.buckets {
            let count = positive(*count) as f64;
            if count == 0.0 {
                continue;
            }
            // A bucket that is one millisecond wide contains only that duration. In a wider bucket
            // the durations are assumed to be distributed evenly.
            let width = bucket.end() - bucket.begin() - 1.0;
            estimate = bucket.begin() + width * ((rank - below) / count).clamp(0.0, 1.0);
            below += count;
            if below >= rank {
                break;
            }
        }
        Some(estimate.round() as u64)
    }
}

impl AddAssign<&Self> for Durations {
    fn add_assign(&mut self, other: &Self) {
        self.sum_ms += other.sum_ms;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }
}

/// Treats a negative count as 0: a count may be negative for a moment, if it is read before another
/// shard's changes are applied.
fn positive(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn durations(all: &[u64]) -> Durations {
        let mut durations = Durations::default();
        for duration in all {
            durations.sum_ms += i128::from(*duration);
            *durations
                .buckets
                .entry(Bucket::for_duration(*duration))
                .or_default() += 1;
        }
        durations
    }

    #[test]
    fn the_mean_and_quantiles_of_short_durations_are_exact() {
        let some = durations(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
        assert_eq!(some.count(), 10);
        assert_eq!(some.mean_ms(), Some(6), "5.6, rounded");
        assert_eq!(some.quantile_ms(0.5), Some(5));
        assert_eq!(some.quantile_ms(0.95), Some(11));
        assert_eq!(some.quantile_ms(1.0), Some(11));
    }

    #[test]
    fn without_runs_there_is_no_mean_and_no_quantile() {
        assert_eq!(durations(&[]).mean_ms(), None);
        assert_eq!(durations(&[]).quantile_ms(0.5), None);
    }

    proptest! {
        #[test]
        fn a_duration_is_in_its_bucket_which_is_narrow(duration in 0_u64..1 << 52) {
            let bucket = Bucket::for_duration(duration);
            let value = duration as f64;
            prop_assert!(bucket.begin() <= value && value < bucket.end());
            prop_assert!(bucket.end() - bucket.begin() <= (value / 16.0).max(1.0));
            prop_assert_eq!(Bucket::from_number(bucket.number()), Some(bucket));
        }

        #[test]
        fn a_quantile_is_within_a_sixteenth(
            mut all in proptest::collection::vec(0_u64..100_000_000, 1..200), part in 0.01_f64..1.0,
        ) {
            let estimate = durations(&all).quantile_ms(part).expect("some") as f64;
            all.sort_unstable();
            let rank = (part * all.len() as f64).ceil() as usize - 1;
            let exact = all[rank.min(all.len() - 1)] as f64;
            prop_assert!((estimate - exact).abs() <= exact / 16.0 + 1.0, "{estimate} for {exact}");
        }
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let last = Bucket::for_duration(u64::MAX);
        assert_eq!(Bucket::from_number(last.number()), Some(last));
        assert_eq!(Bucket::from_number(last.number() + 1), None);
    }
}
