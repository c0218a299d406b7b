//! What a request to the tables names, and how a batch over several tables is taken apart and its answers joined.
//!
//! It deliberately understands no item: that is dynoxide's part.

use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use base64::Engine as _;
use dynoxide::DynoxideError;
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::{Map, Value, json};

/// The names a request's body holds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    table_name: Option<String>,
    stream_arn: Option<String>,
    shard_iterator: Option<String>,
    #[serde(default)]
    request_items: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    transact_items: Vec<BTreeMap<String, NamedTable>>,
    pub(super) client_request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedTable {
    table_name: String,
}

impl Named {
    pub(super) fn read(body: &[u8]) -> Result<Self, DynoxideError> {
        parse(body)
    }

    /// How many parts a transaction has.
    pub(super) fn parts(&self) -> usize {
        self.transact_items.len()
    }

    /// The tables meant, each once.
    pub(super) fn tables(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = self.request_items.keys().map(String::as_str).collect();
        names.extend(self.table_name.as_deref());
        names.extend(self.transact_items.iter().flat_map(BTreeMap::values).map(|part| part.table_name.as_str()));
        names.extend(self.stream_arn.as_deref());
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.extend(self.shard_iterator.as_deref().and_then(table_of_iterator));
        names
    }
}

/// dynoxide's iterators name their table, in JSON under base64.
fn table_of_iterator(iterator: &str) -> Option<String> {
    let json = base64::engine::general_purpose::STANDARD.decode(iterator).ok()?;
    let value: Value = serde_json::from_slice(&json).ok()?;
    value.as_object()?.values().filter_map(Value::as_str).find(|text| !text.starts_with("shardId-")).map(str::to_owned)
}

/// A body as dynoxide's request; its refusals are marked inside the text of serde's error.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        for marker in ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"] {
            if let Some(message) = message.strip_prefix(marker) {
                return DynoxideError::ValidationException(message.to_owned());
            }
        }
        if ["missing field", "unknown variant", "Supplied AttributeValue"].iter().any(|part| message.contains(part)) {
            return DynoxideError::ValidationException(message.to_owned());
        }
        let message = message.trim_start_matches("SERIALIZATION:").trim_start_matches("SERIALIZATION_AS_READ:");
        DynoxideError::SerializationException(message.to_owned())
    })
}

/// One request a table out of a batch over several.
pub(super) fn split(body: &[u8], limit: usize) -> Result<Vec<(String, Vec<u8>)>, DynoxideError> {
    let body: Value = parse(body)?;
    let items = body["RequestItems"].as_object().cloned().unwrap_or_default();
    let size = |part: &Value| part.as_array().or_else(|| part["Keys"].as_array()).map_or(0, Vec::len);
    if items.values().map(size).sum::<usize>() > limit {
        let message = format!("Too many items requested for the batch call: the limit is {limit}");
        return Err(DynoxideError::ValidationException(message));
    }
    let part = |(name, part): (String, Value)| {
        let mut one = body.clone();
        one["RequestItems"] = json!({ (name.as_str()): part });
        (name, one.to_string().into_bytes())
    };
    Ok(items.into_iter().map(part).collect())
}

/// The answers of a batch's parts as one: maps and lists of the same name are joined.
pub(super) fn join(answers: &[String]) -> Result<String, DynoxideError> {
    let mut joined = Map::new();
    for answer in answers {
        for (name, part) in parse::<Map<String, Value>>(answer.as_bytes())? {
            match (joined.get_mut(&name), part) {
                (Some(Value::Object(known)), Value::Object(part)) => known.extend(part),
                (Some(Value::Array(known)), Value::Array(part)) => known.extend(part),
                (_, part) => {
                    joined.insert(name, part);
                }
            }
        }
    }
    Ok(Value::Object(joined).to_string())
}

/// A fingerprint of what a transaction asks, whatever order its attributes were written in.
pub(super) fn fingerprint(body: &[u8]) -> Result<u64, DynoxideError> {
    let body: Value = parse(body)?;
    let mut hasher = DefaultHasher::new();
    hash(&body["TransactItems"], &mut hasher);
    Ok(hasher.finish())
}

fn hash(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            for (name, value) in sorted {
                name.hash(hasher);
                hash(value, hasher);
            }
            "}".hash(hasher);
        }
        Value::Array(items) => {
            items.iter().for_each(|item| hash(item, hasher));
            "]".hash(hasher);
        }
        other => other.to_string().hash(hasher),
    }
}
