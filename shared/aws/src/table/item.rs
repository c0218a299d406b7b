//! Items and their attributes: made briefly, read without surprises.
//!
//! An attribute that is not what it should be is corruption and says which; nothing is guessed.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use colloquy_domain::Timestamp;

use crate::StoreError;

/// An item as DynamoDB has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl ToString + Copy) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Adds one value to an item under construction.
pub(crate) trait Attributes: Sized {
    fn and(self, name: &str, value: AttributeValue) -> Self;
    /// Adds a value that may be absent.
    fn and_some(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.and(name, value),
            None => self,
        }
    }
}

impl Attributes for Item {
    fn and(mut self, name: &str, value: AttributeValue) -> Self {
        self.insert(name.to_owned(), value);
        self
    }
}

/// A text attribute.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| StoreError::corrupt(name))
}

/// A text attribute, as what it stands for.
pub(crate) fn parsed<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    text(item, name)?.parse().map_err(|_| StoreError::corrupt(name))
}

/// A text attribute that may be absent.
pub(crate) fn optional<T: std::str::FromStr>(item: &Item, name: &str) -> Result<Option<T>, StoreError> {
    if item.contains_key(name) { parsed(item, name).map(Some) } else { Ok(None) }
}

/// A number.
pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    let text = item.get(name).and_then(|value| value.as_n().ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| StoreError::corrupt(name))
}

/// Bytes.
pub(crate) fn bytes<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], StoreError> {
    item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref).ok_or_else(|| StoreError::corrupt(name))
}

/// A set of texts; empty when absent, since DynamoDB keeps no empty sets.
pub(crate) fn set<'a>(item: &'a Item, name: &str) -> &'a [String] {
    item.get(name).and_then(|value| value.as_ss().ok()).map_or(&[], Vec::as_slice)
}

/// Whether an item is past its `expires`. DynamoDB removes such items only within days.
pub(crate) fn is_expired(item: &Item, now: Timestamp) -> bool {
    item.contains_key("expires") && number::<i64>(item, "expires").is_ok_and(|expires| expires <= now.seconds())
}
