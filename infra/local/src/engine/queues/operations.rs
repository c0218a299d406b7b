//! SQS's operations on queues over the wire: making, finding, describing, purging, and moving dead letters back.
//!
//! It deliberately finishes a move of dead letters before it answers, so there is never a task to cancel.

use serde_json::{Map, Value, json};

use super::{
    Queues,
    queue::Queue,
    refusal::Refusal,
    spec::{QueueSpec, name_of},
};
use crate::engine::random_id;

/// How long SQS refuses to purge again.
const PURGE_MS: i64 = 60_000;

impl Queues {
    pub(super) fn operate(&self, operation: &str, queue: &str, request: &Value) -> Result<Value, Refusal> {
        match operation {
            "CreateQueue" => self.create_queue(request),
            "GetQueueUrl" => {
                let name = text(request, "QueueName")?;
                let spec = self.spec(name).ok_or_else(|| Refusal::no_queue(name))?;
                Ok(json!({ "QueueUrl": spec.url() }))
            }
            "ListQueues" => Ok(self.list_queues(request)),
            "GetQueueAttributes" => self.queue_attributes(queue, request),
            "SetQueueAttributes" => self.set_queue_attributes(queue, request),
            "PurgeQueue" => self.purge_queue(queue),
            "DeleteQueue" => self.delete_queue(queue),
            "ListDeadLetterSourceQueues" => self.dead_letter_sources(queue),
            "StartMessageMoveTask" => self.move_dead_letters(request),
            "TagQueue" | "UntagQueue" => Ok(json!({})),
            "ListQueueTags" => Ok(json!({ "Tags": {} })),
            other => Err(Refusal::unsupported(format!("the embedded engine does not answer {other}"))),
        }
    }

    fn create_queue(&self, request: &Value) -> Result<Value, Refusal> {
        let mut spec = QueueSpec::new(text(request, "QueueName")?);
        let attributes = request["Attributes"].as_object();
        for (name, value) in attributes.into_iter().flatten() {
            spec.set(name, value)?;
        }
        spec.check()?;
        if spec.is_fifo() && !attributes.is_some_and(|attributes| attributes.contains_key("FifoQueue")) {
            return Err(Refusal::value(&spec.name, "QueueName", "The name of a standard queue cannot end in .fifo"));
        }
        match self.spec(&spec.name) {
            Some(known) if known != spec => {
                let message = "A queue already exists with the same name and a different value for an attribute.";
                return Err(Refusal::new("QueueNameExists", "QueueAlreadyExists", message));
            }
            Some(_) => {}
            None => {
                self.check_dead_letters(&spec)?;
                self.create(&spec).map_err(|error| Refusal::unsupported(error.to_string()))?;
            }
        }
        Ok(json!({ "QueueUrl": spec.url() }))
    }

    fn list_queues(&self, request: &Value) -> Value {
        let prefix = request["QueueNamePrefix"].as_str().unwrap_or_default();
        let state = self.lock();
        let queues = state.queues.iter().filter(|(name, _)| name.starts_with(prefix));
        json!({ "QueueUrls": queues.map(|(_, queue)| queue.spec.url()).collect::<Vec<_>>() })
    }

    fn queue_attributes(&self, name: &str, request: &Value) -> Result<Value, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let queue = state.queues.get_mut(name).ok_or_else(|| Refusal::no_queue(name))?;
        let expired = queue.advance(now_ms);
        state.store.delete(&expired)?;
        let asked: Vec<&str> =
            request["AttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let shown: Map<String, Value> = attributes(queue)
            .into_iter()
            .filter(|(name, _)| asked.iter().any(|asked| *asked == "All" || asked == name))
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        Ok(json!({ "Attributes": shown }))
    }

    fn set_queue_attributes(&self, name: &str, request: &Value) -> Result<Value, Refusal> {
        let mut spec = self.spec(name).ok_or_else(|| Refusal::no_queue(name))?;
        for (name, value) in request["Attributes"].as_object().into_iter().flatten() {
            spec.set(name, value)?;
        }
        spec.check()?;
        self.check_dead_letters(&spec)?;
        self.create(&spec).map_err(|error| Refusal::unsupported(error.to_string()))?;
        Ok(json!({}))
    }

    fn purge_queue(&self, name: &str) -> Result<Value, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let queue = state.queues.get_mut(name).ok_or_else(|| Refusal::no_queue(name))?;
        if queue.purged_ms.is_some_and(|purged_ms| now_ms - purged_ms < PURGE_MS) {
            let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
            let code = "AWS.SimpleQueueService.PurgeQueueInProgress";
            return Err(Refusal::new("PurgeQueueInProgress", code, message));
        }
        state.store.purge(queue.id)?;
        queue.clear();
        queue.purged_ms = Some(now_ms);
        Ok(json!({}))
    }

    fn delete_queue(&self, name: &str) -> Result<Value, Refusal> {
        let state = &mut *self.lock();
        let id = state.queues.get(name).ok_or_else(|| Refusal::no_queue(name))?.id;
        state.store.forget_queue(id)?;
        if let Some(queue) = state.queues.remove(name) {
            queue.wake.notify_waiters();
        }
        Ok(json!({}))
    }

    fn dead_letter_sources(&self, name: &str) -> Result<Value, Refusal> {
        let state = self.lock();
        if !state.queues.contains_key(name) {
            return Err(Refusal::no_queue(name));
        }
        let feeds = |queue: &&Queue| {
            queue.spec.redrive.as_ref().is_some_and(|redrive| name_of(&redrive.dead_letter_arn) == name)
        };
        let urls: Vec<String> = state.queues.values().filter(feeds).map(|queue| queue.spec.url()).collect();
        Ok(json!({ "queueUrls": urls }))
    }

    fn move_dead_letters(&self, request: &Value) -> Result<Value, Refusal> {
        let from = name_of(text(request, "SourceArn")?);
        let to = request["DestinationArn"].as_str().map(name_of);
        for name in [Some(from), to].into_iter().flatten() {
            if self.spec(name).is_none() {
                let message = format!("The resource that you specified for the message move doesn't exist: {name}");
                return Err(Refusal::new("ResourceNotFoundException", "ResourceNotFoundException", message));
            }
        }
        let is_letters = self.dead_letter_sources(from)?["queueUrls"].as_array().is_some_and(|urls| !urls.is_empty());
        if !is_letters {
            return Err(Refusal::unsupported("Source queue must be configured as a Dead Letter Queue."));
        }
        let moved = self.redrive(from, to)?;
        tracing::info!(queue = from, moved, "dead letters were moved back");
        Ok(json!({ "TaskHandle": random_id() }))
    }

    /// SQS wants a dead-letter queue to be there before it is named.
    fn check_dead_letters(&self, spec: &QueueSpec) -> Result<(), Refusal> {
        match &spec.redrive {
            Some(redrive) if self.spec(name_of(&redrive.dead_letter_arn)).is_none() => {
                Err(Refusal::value(&redrive.dead_letter_arn, "RedrivePolicy", "Dead letter target does not exist."))
            }
            _ => Ok(()),
        }
    }
}

fn attributes(queue: &Queue) -> std::collections::BTreeMap<String, String> {
    let mut attributes = queue.spec.attributes();
    let depth = queue.depth();
    let mut show = |name: &str, value: String| attributes.insert(name.to_owned(), value);
    show("ApproximateNumberOfMessages", depth.visible.to_string());
    show("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string());
    show("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string());
    show("CreatedTimestamp", queue.created_ms.div_euclid(1000).to_string());
    show("LastModifiedTimestamp", queue.modified_ms.div_euclid(1000).to_string());
    attributes
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    request[name].as_str().ok_or_else(|| Refusal::missing(name))
}
