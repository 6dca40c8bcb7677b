//! A change of an item, as the table's stream reports it to AWS Lambda or to the follower on
//! one machine.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::model::{Execution, Item};

/// One change of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The change's position in its shard: a number in digits, in the order of the changes.
    pub sequence_number: String,
    /// The item before the change; `None` if it did not exist.
    pub old: Option<Image>,
    /// The item after the change; `None` if it was removed, no matter by whom.
    pub new: Option<Image>,
}

impl Change {
    /// Creates a change from one item to another.
    pub fn new(sequence_number: impl Into<String>, old: Option<Item>, new: Option<Item>) -> Self {
        Self {
            sequence_number: sequence_number.into(),
            old: old.map(Image::from),
            new: new.map(Image::from),
        }
    }

    /// Decodes the images of a stream record from the attribute values of any SDK or event. An
    /// image without attributes becomes `None`.
    pub fn decode(
        sequence_number: String,
        old: impl Into<serde_dynamo::Item>,
        new: impl Into<serde_dynamo::Item>,
    ) -> Self {
        let image = |item: serde_dynamo::Item| {
            let item: Item = item.into();
            (!item.is_empty()).then_some(item)
        };
        Self::new(sequence_number, image(old.into()), image(new.into()))
    }
}

/// An item as it was before or after a change. All consumers of the stream share one decoding.
#[derive(Debug, Clone)]
pub struct Image {
    item: Item,
    execution: OnceLock<Option<Box<Execution>>>,
}

impl Image {
    /// The execution in this image; `None` for any other item.
    pub fn execution(&self) -> Option<&Execution> {
        let decode = || Execution::from_item(self.item.clone()).map(Box::new);
        self.execution.get_or_init(decode).as_deref()
    }
}

impl From<Item> for Image {
    fn from(item: Item) -> Self {
        Self {
            item,
            execution: OnceLock::new(),
        }
    }
}

impl Deref for Image {
    type Target = Item;

    fn deref(&self) -> &Item {
        &self.item
    }
}

impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item
    }
}
