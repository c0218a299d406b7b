//! How a table is declared: the properties of `AWS::DynamoDB::Table`, which are those of `CreateTable`.
//!
//! It deliberately reads only what the engine acts on; capacity, encryption and tags mean nothing on one machine.

use serde::{Deserialize, Serialize};

/// A table's declaration; deserializes from the `Properties` of `AWS::DynamoDB::Table`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableSpec {
    /// Its name, 3 to 255 of `a-zA-Z0-9_.-`.
    #[serde(default)]
    pub table_name: String,
    /// Its key: `HASH`, and `RANGE` if it has one.
    pub key_schema: Vec<KeyElement>,
    /// The types of the attributes that are part of a key.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Its global secondary indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub global_secondary_indexes: Vec<Index>,
    /// Its stream, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_specification: Option<Stream>,
    /// Which attribute says when an item expires.
    #[serde(default, skip_serializing)]
    pub time_to_live_specification: Option<TimeToLive>,
}

/// One attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyElement {
    /// The attribute.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// The type of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeDefinition {
    /// The attribute.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Index {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<KeyElement>,
    /// What of an item it holds.
    pub projection: Projection,
}

/// What of an item an index holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Projection {
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection_type: String,
    /// The attributes that `INCLUDE` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_key_attributes: Option<Vec<String>>,
}

/// A table's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stream {
    /// A declaration in a template has it on; a request may say `false`.
    #[serde(default = "yes")]
    pub stream_enabled: bool,
    /// `NEW_IMAGE`, `OLD_IMAGE`, `NEW_AND_OLD_IMAGES` or `KEYS_ONLY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_view_type: Option<String>,
}

/// Which attribute says, in seconds since 1970, when an item expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TimeToLive {
    /// The attribute.
    pub attribute_name: String,
    /// Whether items expire.
    pub enabled: bool,
}

impl TableSpec {
    /// A table with string keys, without indexes, stream or expiry.
    #[must_use]
    pub fn new(name: &str, partition: &str, sort: Option<&str>) -> Self {
        Self { table_name: name.to_owned(), ..Self::default() }.with_key(partition, sort)
    }

    /// The same table with an index of this name, with string keys, that holds whole items.
    #[must_use]
    pub fn with_index(mut self, name: &str, partition: &str, sort: Option<&str>) -> Self {
        let key_schema = self.key(partition, sort);
        let projection = Projection { projection_type: "ALL".to_owned(), non_key_attributes: None };
        self.global_secondary_indexes.push(Index { index_name: name.to_owned(), key_schema, projection });
        self
    }

    /// The same table with a stream of this view.
    #[must_use]
    pub fn with_stream(mut self, view: &str) -> Self {
        self.stream_specification = Some(Stream { stream_enabled: true, stream_view_type: Some(view.to_owned()) });
        self
    }

    /// The same table, whose items expire by `attribute`.
    #[must_use]
    pub fn with_ttl(mut self, attribute: &str) -> Self {
        self.time_to_live_specification = Some(TimeToLive { attribute_name: attribute.to_owned(), enabled: true });
        self
    }

    fn with_key(mut self, partition: &str, sort: Option<&str>) -> Self {
        self.key_schema = self.key(partition, sort);
        self
    }

    fn key(&mut self, partition: &str, sort: Option<&str>) -> Vec<KeyElement> {
        let mut key = Vec::new();
        for (name, key_type) in [(Some(partition), "HASH"), (sort, "RANGE")] {
            let Some(name) = name else { continue };
            key.push(KeyElement { attribute_name: name.to_owned(), key_type: key_type.to_owned() });
            if !self.attribute_definitions.iter().any(|known| known.attribute_name == name) {
                let attribute_type = "S".to_owned();
                self.attribute_definitions
                    .push(AttributeDefinition { attribute_name: name.to_owned(), attribute_type });
            }
        }
        key
    }

    /// The name becomes a file's, so it is checked before anything else.
    pub(super) fn has_valid_name(&self) -> bool {
        let name = &self.table_name;
        (3..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    }
}

const fn yes() -> bool {
    true
}
