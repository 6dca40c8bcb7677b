//! How long runs took: their number, their sum and their distribution, in a
//! form that adds up and can be taken back.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// A bucket of the distribution.
///
/// Up to 15 ms each millisecond has its own; from there on each doubling is
/// divided into 16 of equal width, so that a bucket is at most 1/16 as wide as
/// the durations in it are long. The boundaries are whole numbers, so that every
/// machine finds the same bucket. It is the scheme of HdrHistogram
/// (<https://hdrhistogram.github.io/HdrHistogram/>) with 16 sub-buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

/// Sub-buckets in a doubling, as a power of two.
const PRECISION_BITS: u32 = 4;
const SUB_BUCKETS: u64 = 1 << PRECISION_BITS;

impl Bucket {
    /// The bucket of a duration in milliseconds.
    pub fn of(duration_ms: u64) -> Self {
        if duration_ms < SUB_BUCKETS {
            return Self(duration_ms as u16);
        }
        let shift = duration_ms.ilog2() - PRECISION_BITS;
        let within = (duration_ms >> shift) - SUB_BUCKETS;
        Self((SUB_BUCKETS * u64::from(shift + 1) + within) as u16)
    }

    /// The bucket of that number. `None` where no duration has it.
    pub fn numbered(number: u16) -> Option<Self> {
        (number <= Self::of(u64::MAX).0).then_some(Self(number))
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
    /// How many lie in each bucket.
    pub buckets: BTreeMap<Bucket, i64>,
}

impl Durations {
    /// How many runs have a known duration.
    pub fn count(&self) -> u64 {
        self.buckets.values().map(|count| positive(*count)).sum()
    }

    /// Their mean in milliseconds, rounded. `None` where there are none.
    pub fn mean_ms(&self) -> Option<u64> {
        let count = i128::from(self.count());
        (count > 0).then(|| u64::try_from((self.sum_ms + count / 2) / count).unwrap_or_default())
    }

    /// The duration below which that part of the runs lies (0.95 for the 95th
    /// percentile), in milliseconds, to within 1/16 of itself. `None` where
    /// there are no runs.
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
            // A bucket of one whole millisecond holds that duration alone;
            // inside a wider one they are taken to lie evenly.
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

/// A count that is read while another shard's part of it is still on its way
/// can be negative for a moment.
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
            *durations.buckets.entry(Bucket::of(*duration)).or_default() += 1;
        }
        durations
    }

    #[test]
    fn the_mean_is_exact_and_a_quantile_of_short_durations_too() {
        let some = durations(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
        assert_eq!(some.count(), 10);
        assert_eq!(some.mean_ms(), Some(6), "5.6, rounded");
        assert_eq!(some.quantile_ms(0.5), Some(5));
        assert_eq!(some.quantile_ms(0.95), Some(11));
        assert_eq!(some.quantile_ms(1.0), Some(11));
    }

    #[test]
    fn nothing_has_no_mean_and_no_quantile() {
        assert_eq!(durations(&[]).mean_ms(), None);
        assert_eq!(durations(&[]).quantile_ms(0.5), None);
    }

    proptest! {
        #[test]
        fn a_duration_lies_in_its_bucket_which_is_narrow(duration in 0_u64..1 << 52) {
            let bucket = Bucket::of(duration);
            let value = duration as f64;
            prop_assert!(bucket.begin() <= value && value < bucket.end());
            prop_assert!(bucket.end() - bucket.begin() <= (value / 16.0).max(1.0));
            prop_assert_eq!(Bucket::numbered(bucket.number()), Some(bucket));
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
        let last = Bucket::of(u64::MAX);
        assert_eq!(Bucket::numbered(last.number()), Some(last));
        assert_eq!(Bucket::numbered(last.number() + 1), None);
    }
}
