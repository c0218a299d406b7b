//! Reads what keeps things: tables, queues, buckets and keys.

use serde_json::Value;

use super::{
    document::Resource,
    error::TemplateError,
    fields::Fields,
    kinds::ResourceKind,
    plan::{Attribute, BucketPlan, IndexPlan, KeyPlan, QueuePlan, Redrive, StreamPlan, TableKey, TablePlan},
    scope::Scope,
    yaml::Node,
};

/// A resource's properties, resolved.
pub(super) fn fields(scope: &Scope<'_>, resource: &Resource) -> Result<Fields, TemplateError> {
    Fields::new(resource.kind.name(), scope.value(&resource.properties)?)
}

fn arn(scope: &Scope<'_>, resource: &Resource) -> Result<String, TemplateError> {
    scope.arn_of(resource)?.ok_or_else(|| TemplateError::new("the resource has no ARN"))
}

fn properties(scope: &Scope<'_>, resource: &Resource) -> Result<Value, TemplateError> {
    Ok(scope.value(&resource.properties)?.to_json())
}

pub(super) fn table(scope: &Scope<'_>, resource: &Resource) -> Result<TablePlan, TemplateError> {
    let mut fields = fields(scope, resource)?;
    let attributes = attributes(&fields.list("AttributeDefinitions")?)?;
    let key = key(&fields.require("KeySchema")?, &attributes)?;
    let mut indexes = Vec::new();
    for node in fields.list("GlobalSecondaryIndexes")? {
        indexes.push(index(node, &attributes)?);
    }
    fields.only("BillingMode", "PAY_PER_REQUEST")?;
    let stream = stream(scope, resource, &mut fields)?;
    let ttl_attribute = ttl(&mut fields)?;
    let mut recovery = false;
    if let Some(mut nested) = fields.nested("PointInTimeRecoverySpecification")? {
        recovery = nested.flag("PointInTimeRecoveryEnabled")?;
        nested.ignore(&["RecoveryPeriodInDays"]);
        nested.finish()?;
    }
    let mut encrypted_with = None;
    if let Some(mut nested) = fields.nested("SSESpecification")? {
        encrypted_with = nested.text("KMSMasterKeyId")?;
        nested.ignore(&["SSEEnabled", "SSEType"]);
        nested.finish()?;
    }
    fields.ignore(&["TableName", "DeletionProtectionEnabled", "TableClass", "Tags"]);
    fields.finish()?;
    Ok(TablePlan {
        logical_id: resource.id.clone(),
        name: scope.name_of(resource)?,
        arn: arn(scope, resource)?,
        key,
        indexes,
        stream,
        ttl_attribute,
        point_in_time_recovery: recovery,
        encrypted_with,
        properties: properties(scope, resource)?,
    })
}

fn stream(scope: &Scope<'_>, table: &Resource, fields: &mut Fields) -> Result<Option<StreamPlan>, TemplateError> {
    let Some(mut nested) = fields.nested("StreamSpecification")? else { return Ok(None) };
    let view = nested.required_text("StreamViewType")?;
    nested.finish()?;
    Ok(scope.stream_arn(table)?.map(|arn| StreamPlan { view, arn }))
}

fn ttl(fields: &mut Fields) -> Result<Option<String>, TemplateError> {
    let Some(mut nested) = fields.nested("TimeToLiveSpecification")? else { return Ok(None) };
    let attribute = nested.required_text("AttributeName")?;
    let enabled = nested.flag("Enabled")?;
    nested.finish()?;
    Ok(enabled.then_some(attribute))
}

fn attributes(definitions: &[Node]) -> Result<Vec<Attribute>, TemplateError> {
    let mut attributes = Vec::new();
    for node in definitions {
        let mut fields = Fields::new("AttributeDefinitions", node.clone())?;
        let name = fields.required_text("AttributeName")?;
        let kind = fields.required_text("AttributeType")?;
        fields.finish()?;
        attributes.push(Attribute { name, kind });
    }
    Ok(attributes)
}

fn key(schema: &Node, attributes: &[Attribute]) -> Result<TableKey, TemplateError> {
    let (mut hash, mut range) = (None, None);
    for node in schema.as_list()? {
        let mut fields = Fields::new("KeySchema", node.clone())?;
        let name = fields.required_text("AttributeName")?;
        let part = fields.required_text("KeyType")?;
        fields.finish()?;
        let attribute = attributes.iter().find(|attribute| attribute.name == name).cloned().ok_or_else(|| {
            TemplateError::new(format!("the key attribute {name} is not in AttributeDefinitions")).at_line(node.line)
        })?;
        match part.as_str() {
            "HASH" => hash = Some(attribute),
            "RANGE" => range = Some(attribute),
            other => {
                return Err(TemplateError::new(format!("the key type {other} is not understood")).at_line(node.line));
            }
        }
    }
    let hash = hash.ok_or_else(|| TemplateError::new("the key has no HASH attribute").at_line(schema.line))?;
    Ok(TableKey { hash, range })
}

fn index(node: Node, attributes: &[Attribute]) -> Result<IndexPlan, TemplateError> {
    let mut fields = Fields::new("GlobalSecondaryIndexes", node)?;
    let name = fields.required_text("IndexName")?;
    let key = key(&fields.require("KeySchema")?, attributes)?;
    let mut nested = Fields::new("Projection", fields.require("Projection")?)?;
    let projection = nested.required_text("ProjectionType")?;
    let non_key_attributes = nested.texts("NonKeyAttributes")?;
    nested.finish()?;
    fields.finish()?;
    Ok(IndexPlan { name, key, projection, non_key_attributes })
}

pub(super) fn queue(scope: &Scope<'_>, resource: &Resource) -> Result<QueuePlan, TemplateError> {
    let mut fields = fields(scope, resource)?;
    let fifo = fields.flag("FifoQueue")?;
    let name = scope.name_of(resource)?;
    if fifo != name.ends_with(".fifo") {
        return Err(TemplateError::new(format!("only a FIFO queue's name ends in .fifo, this one's is {name}")));
    }
    let redrive = match fields.nested("RedrivePolicy")? {
        None => None,
        Some(mut nested) => {
            let target = nested.required_text("deadLetterTargetArn")?;
            let max_receive_count = nested.number_or("maxReceiveCount", 10)?;
            nested.finish()?;
            Some(Redrive { dead_letter_queue: queue_named(scope, &target)?, max_receive_count })
        }
    };
    let plan = QueuePlan {
        logical_id: resource.id.clone(),
        arn: arn(scope, resource)?,
        url: scope.reference_to(resource)?,
        fifo,
        content_based_deduplication: fields.flag("ContentBasedDeduplication")?,
        deduplication_per_group: fields.text("DeduplicationScope")?.as_deref() == Some("messageGroup"),
        throughput_per_group: fields.text("FifoThroughputLimit")?.as_deref() == Some("perMessageGroupId"),
        visibility_timeout_s: fields.number_or("VisibilityTimeout", 30)?,
        retention_s: fields.number_or("MessageRetentionPeriod", 345_600)?,
        delay_s: fields.number_or("DelaySeconds", 0)?,
        maximum_message_bytes: fields.number_or("MaximumMessageSize", 1_048_576)?,
        managed_encryption: fields.number_or("SqsManagedSseEnabled", true)?,
        redrive,
        properties: properties(scope, resource)?,
        name,
    };
    fields.ignore(&["QueueName", "ReceiveMessageWaitTimeSeconds", "KmsMasterKeyId", "Tags"]);
    fields.finish()?;
    Ok(plan)
}

/// The name of the queue that an ARN or URL in a property stands for.
pub(super) fn queue_named(scope: &Scope<'_>, value: &str) -> Result<String, TemplateError> {
    let queue = scope.find(ResourceKind::Queue, value)?;
    let queue = queue.ok_or_else(|| TemplateError::new(format!("no queue of this template is {value}")))?;
    scope.name_of(queue)
}

pub(super) fn bucket(scope: &Scope<'_>, resource: &Resource) -> Result<BucketPlan, TemplateError> {
    let mut fields = fields(scope, resource)?;
    fields.ignore(&[
        "BucketName",
        "BucketEncryption",
        "LifecycleConfiguration",
        "ObjectLockConfiguration",
        "ObjectLockEnabled",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
        "VersioningConfiguration",
    ]);
    fields.finish()?;
    Ok(BucketPlan { logical_id: resource.id.clone(), name: scope.name_of(resource)?, arn: arn(scope, resource)? })
}

/// A key with the aliases that point to it.
pub(super) fn key_plan(scope: &Scope<'_>, resource: &Resource) -> Result<KeyPlan, TemplateError> {
    let mut fields = fields(scope, resource)?;
    fields.only("KeySpec", "SYMMETRIC_DEFAULT")?;
    fields.only("KeyUsage", "ENCRYPT_DECRYPT")?;
    fields.only("Enabled", "true")?;
    let rotation = fields.flag("EnableKeyRotation")?;
    fields.ignore(&["Description", "KeyPolicy", "PendingWindowInDays", "RotationPeriodInDays", "Tags"]);
    fields.finish()?;
    let mut aliases = Vec::new();
    for alias in scope.resources(ResourceKind::KeyAlias)? {
        let mut fields = self::fields(scope, alias).map_err(|error| error.within(&alias.id))?;
        let name = fields.required_text("AliasName")?;
        let target = fields.required_text("TargetKeyId")?;
        fields.finish().map_err(|error| error.within(&alias.id))?;
        if !name.starts_with("alias/") {
            return Err(TemplateError::new(format!("AliasName {name} does not begin with alias/")).within(&alias.id));
        }
        match scope.find(ResourceKind::Key, &target)? {
            Some(key) if key.id == resource.id => aliases.push(name),
            Some(_) => {}
            None => {
                return Err(TemplateError::new(format!("no key of this template is {target}")).within(&alias.id));
            }
        }
    }
    let id = scope.reference_to(resource)?;
    Ok(KeyPlan { logical_id: resource.id.clone(), id, arn: arn(scope, resource)?, aliases, rotation })
}
