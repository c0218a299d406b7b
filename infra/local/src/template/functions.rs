//! Reads functions: globals laid under their own properties, the environment, policies, and the binary they are.

use std::collections::BTreeMap;

use super::{
    document::Resource,
    error::TemplateError,
    events::{self, Triggers},
    fields::Fields,
    plan::{AsynchronousPlan, FunctionPlan},
    policies,
    scope::Scope,
    storage::queue_named,
    yaml::{Entry, Kind, Node},
};

/// Lambda's own values where a template is silent.
const TIMEOUT_S: u32 = 3;
const MEMORY_MB: u32 = 128;

/// A function and what calls it beside the APIs.
pub(super) fn function(scope: &Scope<'_>, resource: &Resource) -> Result<(FunctionPlan, Triggers), TemplateError> {
    check_build(resource)?;
    let laid = match &scope.document.function_globals {
        Some(globals) => over(globals, &resource.properties),
        None => resource.properties.clone(),
    };
    let mut fields = Fields::new(resource.kind.name(), scope.value(&laid)?)?;
    fields.only("Runtime", "provided.al2023")?;
    fields.only("Handler", "bootstrap")?;
    fields.only("PackageType", "Zip")?;
    let binary = binary(&fields.require("CodeUri")?)?;
    let architecture = fields.texts("Architectures")?.into_iter().next().unwrap_or_else(|| "x86_64".to_owned());
    let asynchronous = asynchronous(scope, &mut fields)?;
    let statements = match fields.take("Policies") {
        Some(node) => policies::statements(scope, &node)?,
        None => Vec::new(),
    };
    let triggers = events::read(scope, &resource.id, fields.entries("Events")?)?;
    let plan = FunctionPlan {
        name: resource.id.clone(),
        arn: scope.attribute(resource, "Arn")?,
        binary,
        environment: environment(&mut fields)?,
        timeout_s: fields.number_or("Timeout", TIMEOUT_S)?,
        memory_mb: fields.number_or("MemorySize", MEMORY_MB)?,
        architecture,
        reserved_concurrency: fields.number("ReservedConcurrentExecutions")?,
        asynchronous,
        statements,
    };
    // Where logs and traces go, and words for people.
    fields.ignore(&["Description", "FunctionName", "LoggingConfig", "Tags", "Tracing"]);
    fields.finish()?;
    Ok((plan, triggers))
}

/// A function's own value over the one for all: maps are joined, lists are added, as SAM does.
fn over(global: &Node, own: &Node) -> Node {
    let kind = match (&global.kind, &own.kind) {
        (Kind::Map(globals), Kind::Map(owns)) => {
            let mut joined: Vec<Entry> = owns.clone();
            for entry in globals {
                match joined.iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => known.value = over(&entry.value, &known.value),
                    None => joined.push(entry.clone()),
                }
            }
            Kind::Map(joined)
        }
        (Kind::List(globals), Kind::List(owns)) => Kind::List(globals.iter().chain(owns).cloned().collect()),
        (_, own) => own.clone(),
    };
    Node { line: own.line, kind }
}

fn check_build(resource: &Resource) -> Result<(), TemplateError> {
    let method = resource.metadata.as_ref().and_then(|metadata| metadata.get("BuildMethod"));
    match method.map(Node::as_text).transpose()? {
        Some("rust-cargolambda") => Ok(()),
        Some(other) => Err(TemplateError::new(format!("the build method {other} is not understood"))),
        None => Err(TemplateError::new("Metadata has no BuildMethod, which must be rust-cargolambda")),
    }
}

/// `functions/webhook/` is the binary `webhook`: folder, package and binary have one name.
fn binary(code: &Node) -> Result<String, TemplateError> {
    let path = code.as_text()?;
    let folder = path.trim_end_matches('/').strip_prefix("functions/").filter(|name| !name.contains('/'));
    folder
        .map(str::to_owned)
        .ok_or_else(|| TemplateError::new(format!("CodeUri {path} is not a folder in functions/")).at_line(code.line))
}

fn environment(fields: &mut Fields) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut variables = BTreeMap::new();
    if let Some(mut nested) = fields.nested("Environment")? {
        for entry in nested.entries("Variables")? {
            variables.insert(entry.key, entry.value.as_text()?.to_owned());
        }
        nested.finish()?;
    }
    Ok(variables)
}

fn asynchronous(scope: &Scope<'_>, fields: &mut Fields) -> Result<Option<AsynchronousPlan>, TemplateError> {
    let Some(mut nested) = fields.nested("EventInvokeConfig")? else { return Ok(None) };
    let plan = AsynchronousPlan {
        max_retries: nested.number_or("MaximumRetryAttempts", 2)?,
        max_age_s: nested.number_or("MaximumEventAgeInSeconds", 21_600)?,
        on_failure: on_failure(scope, &mut nested)?,
    };
    nested.finish()?;
    Ok(Some(plan))
}

/// The queue of a `DestinationConfig: { OnFailure: … }`.
pub(super) fn on_failure(scope: &Scope<'_>, fields: &mut Fields) -> Result<Option<String>, TemplateError> {
    let Some(mut config) = fields.nested("DestinationConfig")? else { return Ok(None) };
    let Some(mut failure) = config.nested("OnFailure")? else { return config.finish().map(|()| None) };
    failure.only("Type", "SQS")?;
    let queue = queue_named(scope, &failure.required_text("Destination")?)?;
    failure.finish()?;
    config.finish()?;
    Ok(Some(queue))
}
