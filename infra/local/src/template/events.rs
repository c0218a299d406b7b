//! Reads a function's `Events`: queues, streams and schedules. APIs are resources of their own.

use serde_json::Value;

use super::{
    error::TemplateError,
    fields::Fields,
    functions::on_failure,
    kinds::ResourceKind,
    plan::{Mapping, Schedule, Source, StreamRules},
    scope::Scope,
    storage::queue_named,
    yaml::Entry,
};

/// What calls a function beside the APIs.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    pub(super) mappings: Vec<Mapping>,
    pub(super) schedules: Vec<Schedule>,
}

pub(super) fn read(scope: &Scope<'_>, function: &str, events: Vec<Entry>) -> Result<Triggers, TemplateError> {
    let mut triggers = Triggers::default();
    for Entry { key, line, value } in events {
        let event = Event { scope, function, name: format!("{function}{key}") };
        let mut fields = Fields::new(&format!("the event {key}"), value)?;
        let kind = fields.required_text("Type")?;
        let properties = Fields::new(&format!("the {kind} event {key}"), fields.require("Properties")?)?;
        fields.finish()?;
        match kind.as_str() {
            "SQS" => triggers.mappings.push(event.queue(properties)?),
            "DynamoDB" => triggers.mappings.push(event.stream(properties)?),
            "Schedule" | "ScheduleV2" => triggers.schedules.extend(event.schedule(properties)?),
            _ => return Err(TemplateError::new(format!("the event type {kind} is not understood")).at_line(line)),
        }
    }
    Ok(triggers)
}

/// One event of a function.
struct Event<'s, 't> {
    scope: &'s Scope<'t>,
    function: &'s str,
    name: String,
}

impl Event<'_, '_> {
    fn queue(self, mut fields: Fields) -> Result<Mapping, TemplateError> {
        let queue = fields.required_text("Queue")?;
        let queue = queue_named(self.scope, &queue).map_err(|error| error.at_line(fields.line()))?;
        let mut max_concurrency = None;
        if let Some(mut scaling) = fields.nested("ScalingConfig")? {
            max_concurrency = scaling.number("MaximumConcurrency")?;
            scaling.finish()?;
        }
        self.mapping(fields, Source::Queue(queue), 10, max_concurrency, None)
    }

    fn stream(self, mut fields: Fields) -> Result<Mapping, TemplateError> {
        let stream = fields.required_text("Stream")?;
        let mut table = None;
        for candidate in self.scope.resources(ResourceKind::Table)? {
            if self.scope.stream_arn(candidate)?.as_deref() == Some(&stream) {
                table = Some(self.scope.name_of(candidate)?);
            }
        }
        let table =
            table.ok_or_else(|| TemplateError::new(format!("no table of this template streams to {stream}")))?;
        let rules = StreamRules {
            starting_position: fields.required_text("StartingPosition")?,
            bisect: fields.flag("BisectBatchOnFunctionError")?,
            // -1 is AWS's word for no limit.
            max_retries: fields.number::<i64>("MaximumRetryAttempts")?.and_then(|count| u32::try_from(count).ok()),
            max_record_age_s: fields
                .number::<i64>("MaximumRecordAgeInSeconds")?
                .and_then(|age| u32::try_from(age).ok()),
            on_failure: on_failure(self.scope, &mut fields)?,
            parallelization: fields.number_or("ParallelizationFactor", 1)?,
        };
        self.mapping(fields, Source::Stream(table), 100, None, Some(rules))
    }

    fn mapping(
        self,
        mut fields: Fields,
        source: Source,
        usual_batch: u32,
        max_concurrency: Option<u32>,
        stream: Option<StreamRules>,
    ) -> Result<Mapping, TemplateError> {
        let mut partial_batch = false;
        for answer in fields.texts("FunctionResponseTypes")? {
            match answer.as_str() {
                "ReportBatchItemFailures" => partial_batch = true,
                other => return Err(TemplateError::new(format!("the response type {other} is not understood"))),
            }
        }
        let mapping = Mapping {
            name: self.name,
            function: self.function.to_owned(),
            source,
            batch_size: fields.number_or("BatchSize", usual_batch)?,
            window_s: fields.number_or("MaximumBatchingWindowInSeconds", 0)?,
            partial_batch,
            max_concurrency,
            filters: filters(&mut fields)?,
            stream,
        };
        fields.only("Enabled", "true")?;
        fields.finish()?;
        Ok(mapping)
    }

    /// `None` when the schedule is switched off.
    fn schedule(self, mut fields: Fields) -> Result<Option<Schedule>, TemplateError> {
        let expression = fields.take("ScheduleExpression").or_else(|| fields.take("Schedule"));
        let expression = expression.ok_or_else(|| TemplateError::new("the event needs a ScheduleExpression"))?;
        let rate_s = rate(expression.as_text()?).map_err(|error| error.at_line(expression.line))?;
        let input = fields.text("Input")?;
        let on = fields.text("State")?.is_none_or(|state| state == "ENABLED");
        // A trigger that fails to reach its function does not fail to here.
        fields.ignore(&["Name", "Description", "RetryPolicy", "DeadLetterConfig", "FlexibleTimeWindow"]);
        fields.only("Enabled", "true")?;
        fields.finish()?;
        Ok(on.then(|| Schedule { name: self.name, function: self.function.to_owned(), rate_s, input }))
    }
}

fn filters(fields: &mut Fields) -> Result<Vec<Value>, TemplateError> {
    let Some(mut criteria) = fields.nested("FilterCriteria")? else { return Ok(Vec::new()) };
    let mut filters = Vec::new();
    for node in criteria.list("Filters")? {
        let line = node.line;
        let mut filter = Fields::new("a filter", node)?;
        let pattern = filter.required_text("Pattern")?;
        filter.finish()?;
        filters.push(
            serde_json::from_str(&pattern).map_err(|error| {
                TemplateError::new(format!("the filter's Pattern is not JSON: {error}")).at_line(line)
            })?,
        );
    }
    criteria.finish()?;
    Ok(filters)
}

/// `rate(5 minutes)` in seconds.
fn rate(expression: &str) -> Result<u32, TemplateError> {
    let refuse = || TemplateError::new(format!("the schedule {expression} is not understood, only rate(…)"));
    let inside = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(refuse)?;
    let (count, unit) = inside.trim().split_once(' ').ok_or_else(refuse)?;
    let unit_s = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return Err(refuse()),
    };
    let count: u32 = count.parse().map_err(|_| refuse())?;
    count.checked_mul(unit_s).filter(|rate| *rate > 0).ok_or_else(refuse)
}
