//! Reads and sets single attributes of an item.

use format::attributes::{TIME_TO_LIVE, number, text};
use format::model::Item;

pub(super) fn with_text(mut item: Item, name: &str, value: &str) -> Item {
    item.insert(name.to_owned(), text(value));
    item
}

/// Sets the second at which the item expires, unless it has one; `None` removes it.
pub(super) fn with_expiry(mut item: Item, expiry: Option<i64>) -> Item {
    match expiry {
        Some(second) => {
            let second = number(second);
            item.entry(TIME_TO_LIVE.to_owned()).or_insert(second);
        }
        None => {
            item.remove(TIME_TO_LIVE);
        }
    }
    item
}

pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn get_number<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_n().ok().map(String::as_str)
}

pub(super) fn get_expiry(item: &Item) -> Option<&str> {
    get_number(item, TIME_TO_LIVE)
}
