//! The number of items on a page.

use std::str::FromStr;

/// The number of items on a page: 1 to 500. With at most 500, a page of rendered runs stays well
/// below Lambda's limit of 6 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// The smallest page.
    pub const MIN: usize = 1;
    /// The largest page.
    pub const MAX: usize = 500;

    /// A page size that is known at compile time. A size out of range does not compile.
    pub const fn constant<const SIZE: usize>() -> Self {
        const { assert!(SIZE >= Self::MIN && SIZE <= Self::MAX) };
        Self(SIZE)
    }

    /// Creates a page size. Returns `None` if it is out of range.
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
