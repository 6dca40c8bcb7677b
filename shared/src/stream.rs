//! What the table's stream hands over, free of who hands it: AWS Lambda, or the
//! follower on one machine.

use crate::model::Item;

/// One change of an item, as the table's stream has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The change's place in its shard: digits, whose order as a number is the
    /// order of the changes.
    pub sequence_number: String,
    /// The item before; `None` when it was not there.
    pub old: Option<Item>,
    /// The item after; `None` when it is gone, by whatever hand.
    pub new: Option<Item>,
}
