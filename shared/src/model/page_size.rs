//! How many items one answer has.

use std::str::FromStr;

/// How many items a page holds: 1 to 500. The upper end keeps a page of runs
/// with their rendering well under Lambda's 6 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// The smallest page.
    pub const MIN: usize = 1;
    /// The largest page.
    pub const MAX: usize = 500;

    /// A page of a size that is known here; out of range it does not compile.
    pub const fn of<const SIZE: usize>() -> Self {
        const { assert!(SIZE >= Self::MIN && SIZE <= Self::MAX) };
        Self(SIZE)
    }

    /// A page of that many items. `None` out of range.
    pub fn new(size: usize) -> Option<Self> {
        (Self::MIN..=Self::MAX)
            .contains(&size)
            .then_some(Self(size))
    }

    /// The number of items.
    pub fn get(self) -> usize {
        self.0
    }
}

impl FromStr for PageSize {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().ok().and_then(Self::new).ok_or(())
    }
}
