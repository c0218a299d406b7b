//! The plan's resources in the engine: tables, queues and keys made at start, or brought up to the template.
//!
//! It deliberately deletes nothing: what the template no longer has stays on disk.

use std::collections::BTreeMap;

use serde_json::json;

use super::HostError;
use crate::{
    engine::{
        Engine,
        queues::{QueueSpec, Redrive},
        tables::TableSpec,
    },
    template::plan::{Plan, QueuePlan, TableKey, TablePlan},
};

/// Makes everything the plan has. What the functions' environments must say instead of the plan's names is returned:
/// keys have the ids that the engine gave them.
///
/// # Errors
/// When a declaration is not valid, or contradicts what is on disk.
pub fn create(plan: &Plan, engine: &Engine) -> Result<BTreeMap<String, String>, HostError> {
    for table in &plan.tables {
        engine.tables().create(&table_spec(table)?)?;
    }
    // Dead-letter queues first, since the others point to them.
    let (dead, live): (Vec<_>, Vec<_>) = plan.queues.iter().partition(|queue| queue.redrive.is_none());
    for queue in dead.into_iter().chain(live) {
        engine.queues().create(&queue_spec(queue, plan))?;
    }
    let mut renamed = BTreeMap::new();
    for key in &plan.keys {
        let alias = key.aliases.first().cloned().unwrap_or_else(|| format!("alias/{}", key.logical_id));
        let arn = engine.keys().create(&alias)?;
        let id = arn.rsplit('/').next().unwrap_or(&arn).to_owned();
        renamed.insert(key.id.clone(), id);
        renamed.insert(key.arn.clone(), arn);
    }
    Ok(renamed)
}

/// An environment with the engine's names in place of the plan's.
#[must_use]
pub fn rename(environment: &BTreeMap<String, String>, renamed: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let rename = |value: &String| renamed.get(value).unwrap_or(value).clone();
    environment.iter().map(|(name, value)| (name.clone(), rename(value))).collect()
}

fn table_spec(table: &TablePlan) -> Result<TableSpec, HostError> {
    let mut attributes = BTreeMap::new();
    for key in std::iter::once(&table.key).chain(table.indexes.iter().map(|index| &index.key)) {
        for attribute in std::iter::once(&key.hash).chain(&key.range) {
            attributes.insert(attribute.name.clone(), attribute.kind.clone());
        }
    }
    let mut declared = json!({
        "TableName": table.name,
        "KeySchema": key_schema(&table.key),
        "AttributeDefinitions": attributes
            .into_iter()
            .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }))
            .collect::<Vec<_>>(),
        "GlobalSecondaryIndexes": table.indexes.iter().map(|index| {
            let mut projection = json!({ "ProjectionType": index.projection });
            if !index.non_key_attributes.is_empty() {
                projection["NonKeyAttributes"] = json!(index.non_key_attributes);
            }
            json!({ "IndexName": index.name, "KeySchema": key_schema(&index.key), "Projection": projection })
        }).collect::<Vec<_>>(),
    });
    if let Some(stream) = &table.stream {
        declared["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": stream.view });
    }
    if let Some(attribute) = &table.ttl_attribute {
        declared["TimeToLiveSpecification"] = json!({ "AttributeName": attribute, "Enabled": true });
    }
    serde_json::from_value(declared)
        .map_err(|error| HostError::Template(format!("{}: the table cannot be made: {error}", table.logical_id)))
}

fn key_schema(key: &TableKey) -> serde_json::Value {
    let mut schema = vec![json!({ "AttributeName": key.hash.name, "KeyType": "HASH" })];
    if let Some(range) = &key.range {
        schema.push(json!({ "AttributeName": range.name, "KeyType": "RANGE" }));
    }
    schema.into()
}

fn queue_spec(queue: &QueuePlan, plan: &Plan) -> QueueSpec {
    let redrive = queue.redrive.as_ref().map(|redrive| {
        let dead = plan.queue(&redrive.dead_letter_queue);
        let name = dead.map_or(redrive.dead_letter_queue.as_str(), |dead| dead.name.as_str());
        Redrive { dead_letter_arn: QueueSpec::new(name).arn(), max_receive_count: redrive.max_receive_count }
    });
    QueueSpec {
        visibility_s: queue.visibility_timeout_s.into(),
        delay_s: queue.delay_s.into(),
        retention_s: queue.retention_s.into(),
        maximum_bytes: queue.maximum_message_bytes as usize,
        content_based_deduplication: queue.content_based_deduplication,
        deduplication_per_group: queue.deduplication_per_group,
        redrive,
        ..QueueSpec::new(&queue.name)
    }
}
