//! A filter for the searches that are made at every word of a text.

/// An odd number whose multiples have well mixed high bits: 2 to the power of 64, divided by the
/// golden ratio.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A set of hashes, which may contain others as well: of those that were not added, about as many
/// as bits of the filter are set. Most words of a text are rejected by a filter, so it must be
/// small enough for the processor's fast caches.
#[derive(Debug, Clone)]
pub(crate) struct Filter<const WORDS: usize>(Box<[u64; WORDS]>);

impl<const WORDS: usize> Filter<WORDS> {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    /// The word and the bit of the filter for a hash.
    fn slot(hash: u64) -> (usize, u64) {
        let slot = hash.wrapping_mul(FACTOR) >> 40;
        (slot as usize / 64 % WORDS, 1 << (slot % 64))
    }

    pub(crate) fn add(&mut self, hash: u64) {
        let (word, bit) = Self::slot(hash);
        self.0[word] |= bit;
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        let (word, bit) = Self::slot(hash);
        self.0[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_contains_what_was_added_and_little_else() {
        let mut filter = Filter::<64>::new();
        (0..100).for_each(|hash| filter.add(hash));
        assert!((0..100).all(|hash| filter.contains(hash)));
        let others = (1_000..11_000)
            .filter(|&hash| filter.contains(hash))
            .count();
        assert!(others < 500, "{others} of 10,000");
    }
}
