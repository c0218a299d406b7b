//! What resources are called on one machine, and what `!Ref` and `!GetAtt` give for each type, as on AWS.
//!
//! A name that the template gives is kept. Otherwise it is the logical id in lower kebab case, without the word for the
//! type at its end, so that `TurnsQueue` is `turns.fifo` and `ConversationsTable` is `conversations`: the same at every
//! start. Whether AWS would take a name is not checked.

use std::fmt::Write as _;

use aws_lc_rs::digest;

use super::{document::Resource, error::TemplateError, kinds::ResourceKind, plan::Place, scope::Scope};

/// Stands in for the moment at which a stream was made.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

impl Scope<'_> {
    /// The resource's own name.
    pub(super) fn name_of(&self, resource: &Resource) -> Result<String, TemplateError> {
        let (property, word) = match resource.kind {
            ResourceKind::Table => ("TableName", "Table"),
            ResourceKind::Queue => ("QueueName", "Queue"),
            ResourceKind::Bucket => ("BucketName", "Bucket"),
            ResourceKind::Function => ("FunctionName", ""),
            ResourceKind::LogGroup => ("LogGroupName", ""),
            ResourceKind::KeyAlias => ("AliasName", ""),
            ResourceKind::Stage => ("StageName", ""),
            ResourceKind::ManagedPolicy => ("ManagedPolicyName", ""),
            ResourceKind::Role => ("RoleName", ""),
            ResourceKind::Alarm => ("AlarmName", ""),
            _ => ("", ""),
        };
        if let Some(given) = resource.properties.get(property)
            && let Some(name) = self.deeper(&resource.id, || self.resolve(given))?
        {
            return name.as_text().map(str::to_owned);
        }
        let id = resource.id.as_str();
        let short = id.strip_suffix(word).filter(|short| !short.is_empty()).unwrap_or(id);
        let mut name = kebab(short);
        if resource.kind == ResourceKind::Queue && self.is_fifo(resource)? {
            name.push_str(".fifo");
        }
        Ok(name)
    }

    /// What `!Ref` gives.
    pub(super) fn reference_to(&self, resource: &Resource) -> Result<String, TemplateError> {
        let name = self.name_of(resource)?;
        let Place { region, account, suffix, .. } = &self.place;
        Ok(match resource.kind {
            ResourceKind::Queue => format!("https://sqs.{region}.{suffix}/{account}/{name}"),
            ResourceKind::Key => self.key_id(resource),
            ResourceKind::ManagedPolicy => self.arn_of(resource)?.unwrap_or(name),
            ResourceKind::UserPool => format!("{region}_{name}"),
            _ => name,
        })
    }

    /// The resource's ARN, for those that have one.
    pub(super) fn arn_of(&self, resource: &Resource) -> Result<Option<String>, TemplateError> {
        let name = self.name_of(resource)?;
        let Place { region, account, partition, .. } = &self.place;
        let regional = |service: &str, rest: String| format!("arn:{partition}:{service}:{region}:{account}:{rest}");
        Ok(Some(match resource.kind {
            ResourceKind::Table => regional("dynamodb", format!("table/{name}")),
            ResourceKind::Queue => regional("sqs", name),
            ResourceKind::Bucket => format!("arn:{partition}:s3:::{name}"),
            ResourceKind::Key => regional("kms", format!("key/{}", self.key_id(resource))),
            ResourceKind::Function => regional("lambda", format!("function:{name}")),
            ResourceKind::LogGroup => regional("logs", format!("log-group:{name}:*")),
            ResourceKind::ManagedPolicy => format!("arn:{partition}:iam::{account}:policy/{name}"),
            ResourceKind::Role => format!("arn:{partition}:iam::{account}:role/{name}"),
            ResourceKind::UserPool => regional("cognito-idp", format!("userpool/{region}_{name}")),
            ResourceKind::Alarm => regional("cloudwatch", format!("alarm:{name}")),
            _ => return Ok(None),
        }))
    }

    /// What `!GetAtt` gives; an attribute that is not known is refused.
    pub(super) fn attribute(&self, resource: &Resource, attribute: &str) -> Result<String, TemplateError> {
        let unknown = || {
            let kind = resource.kind.name();
            TemplateError::new(format!("the attribute {attribute} of {} ({kind}) is not understood", resource.id))
        };
        if attribute == "Arn" {
            return self.arn_of(resource)?.ok_or_else(unknown);
        }
        let name = self.name_of(resource)?;
        let Place { region, suffix, .. } = &self.place;
        Ok(match (resource.kind, attribute) {
            (ResourceKind::Table, "StreamArn") => self.stream_arn(resource)?.ok_or_else(unknown)?,
            (ResourceKind::Queue, "QueueName") => name,
            (ResourceKind::Queue, "QueueUrl") => self.reference_to(resource)?,
            (ResourceKind::Bucket, "RegionalDomainName") => format!("{name}.s3.{region}.{suffix}"),
            (ResourceKind::Key, "KeyId") => self.key_id(resource),
            (ResourceKind::Api, "ApiId") | (ResourceKind::Authorizer, "AuthorizerId") => name,
            (ResourceKind::Api, "ApiEndpoint") => self.endpoint_of(resource)?,
            (ResourceKind::UserPool, "UserPoolId") => format!("{region}_{name}"),
            (ResourceKind::UserPool, "ProviderName") => format!("cognito-idp.{region}.{suffix}/{region}_{name}"),
            (ResourceKind::UserPool, "ProviderURL") => format!("https://cognito-idp.{region}.{suffix}/{region}_{name}"),
            (ResourceKind::UserPoolClient, "ClientId") => name,
            _ => return Err(unknown()),
        })
    }

    /// The ARN of a table's stream, when it has one.
    pub(super) fn stream_arn(&self, table: &Resource) -> Result<Option<String>, TemplateError> {
        if table.properties.get("StreamSpecification").is_none() {
            return Ok(None);
        }
        Ok(self.arn_of(table)?.map(|arn| format!("{arn}/stream/{STREAM_LABEL}")))
    }

    /// The resource of this type that a value refers to by its ARN or by what `!Ref` gives.
    pub(super) fn find(&self, kind: ResourceKind, value: &str) -> Result<Option<&Resource>, TemplateError> {
        for resource in self.resources(kind)? {
            if self.reference_to(resource)? == value || self.arn_of(resource)?.as_deref() == Some(value) {
                return Ok(Some(resource));
            }
        }
        Ok(None)
    }

    /// Where an API is called: `https://` for HTTP, `wss://` for WebSocket.
    fn endpoint_of(&self, api: &Resource) -> Result<String, TemplateError> {
        let socket = match api.properties.get("ProtocolType") {
            Some(protocol) => self.text(protocol)? == "WEBSOCKET",
            None => false,
        };
        let scheme = if socket { "wss" } else { "https" };
        let Place { region, suffix, .. } = &self.place;
        Ok(format!("{scheme}://{}.execute-api.{region}.{suffix}", self.name_of(api)?))
    }

    fn is_fifo(&self, queue: &Resource) -> Result<bool, TemplateError> {
        queue.properties.get("FifoQueue").map_or(Ok(false), |fifo| Ok(self.text(fifo)? == "true"))
    }

    /// A UUID (version 8: made by our own rule) that is the same at every start.
    fn key_id(&self, key: &Resource) -> String {
        let hash = digest::digest(&digest::SHA256, format!("{}/{}", self.place.stack, key.id).as_bytes());
        let mut id = String::with_capacity(36);
        for (index, byte) in hash.as_ref().iter().take(16).enumerate() {
            let byte = match index {
                6 => (byte & 0x0f) | 0x80,
                8 => (byte & 0x3f) | 0x80,
                _ => *byte,
            };
            if matches!(index, 4 | 6 | 8 | 10) {
                id.push('-');
            }
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        id
    }
}

/// `WebhookWhatsapp` becomes `webhook-whatsapp`.
pub(super) fn kebab(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 4);
    for (index, letter) in id.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
