//! Reads `template.yaml`: SAM and `CloudFormation` in, a [`plan::Plan`] out.
//!
//! The template is the only wiring, so what this reader does not understand it refuses by name, with the line and the
//! resource: a property passed over in silence would be a difference between one machine and AWS. It makes nothing and
//! calls nothing, and does not check what AWS alone can know (quotas, names already taken).

pub mod error;
pub mod plan;

mod conditions;
mod document;
mod events;
mod fields;
mod functions;
mod gateway;
mod kinds;
mod names;
mod policies;
mod scope;
mod storage;
mod yaml;

#[cfg(test)]
mod production_tests;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use self::{
    document::{Document, Resource},
    error::TemplateError,
    kinds::ResourceKind,
    plan::{Place, Plan},
    scope::Scope,
};

/// A template as written, nothing resolved yet.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
    document: Document,
}

/// What a deployment decides: the parameters, and where the stack is said to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrides {
    /// Parameters given instead of the template's defaults.
    pub parameters: BTreeMap<String, String>,
    /// For example `eu-central-1`; decides the partition too.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// The stack's name.
    pub stack: String,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            stack: "colloquy".to_owned(),
        }
    }
}

impl Overrides {
    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(parameter.to_owned(), value.into());
        self
    }

    fn place(&self) -> Place {
        let (partition, suffix) = match self.region.as_str() {
            region if region.starts_with("cn-") => ("aws-cn", "amazonaws.com.cn"),
            region if region.starts_with("us-gov-") => ("aws-us-gov", "amazonaws.com"),
            _ => ("aws", "amazonaws.com"),
        };
        Place {
            region: self.region.clone(),
            account: self.account.clone(),
            partition: partition.to_owned(),
            suffix: suffix.to_owned(),
            stack: self.stack.clone(),
        }
    }
}

impl Template {
    /// Reads a template from a file.
    ///
    /// # Errors
    /// One line when the file cannot be read, is not YAML, or has sections, resource types or resource attributes that
    /// are not understood.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| TemplateError::new(format!("cannot be read: {error}")).in_file(&name))?;
        Self::parse(&text, &name)
    }

    /// Reads a template from a text; `name` is what errors call the file.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, TemplateError> {
        let document = document::read(text).map_err(|error| error.in_file(name))?;
        Ok(Self { name: name.to_owned(), document })
    }

    /// Resolves everything the template says.
    ///
    /// # Errors
    /// One line when a parameter is missing or unknown, a function or reference cannot be resolved, or a property is not
    /// understood.
    pub fn plan(&self, overrides: &Overrides) -> Result<Plan, TemplateError> {
        self.resolve(overrides).map_err(|error| error.in_file(&self.name))
    }

    fn resolve(&self, overrides: &Overrides) -> Result<Plan, TemplateError> {
        let scope = Scope::new(&self.document, overrides.place(), &overrides.parameters)?;
        check_references(&scope)?;
        let mut mappings = Vec::new();
        let mut schedules = Vec::new();
        let functions = each(&scope, ResourceKind::Function, |scope, resource| {
            let (function, triggers) = functions::function(scope, resource)?;
            mappings.extend(triggers.mappings);
            schedules.extend(triggers.schedules);
            Ok(function)
        })?;
        let (http, socket) = gateway::read(&scope)?;
        Ok(Plan {
            tables: each(&scope, ResourceKind::Table, storage::table)?,
            queues: each(&scope, ResourceKind::Queue, storage::queue)?,
            buckets: each(&scope, ResourceKind::Bucket, storage::bucket)?,
            keys: each(&scope, ResourceKind::Key, storage::key_plan)?,
            functions,
            http,
            socket,
            mappings,
            schedules,
            outputs: outputs(&scope)?,
            parameters: scope.parameters.clone(),
            place: scope.place,
        })
    }
}

/// Resolves every resource once, so that a broken reference is found even in what needs nothing here.
fn check_references(scope: &Scope<'_>) -> Result<(), TemplateError> {
    for resource in &scope.document.resources {
        if scope.exists(resource)? {
            let resolved = scope.value(&resource.properties);
            resolved.map_err(|error| error.at_line(resource.line).within(&resource.id))?;
        }
    }
    Ok(())
}

/// Reads every resource of a type that is made.
fn each<T>(
    scope: &Scope<'_>,
    kind: ResourceKind,
    mut read: impl FnMut(&Scope<'_>, &Resource) -> Result<T, TemplateError>,
) -> Result<Vec<T>, TemplateError> {
    let mut read_all = Vec::new();
    for resource in scope.resources(kind)? {
        let one = read(scope, resource).map_err(|error| error.at_line(resource.line).within(&resource.id))?;
        read_all.push(one);
    }
    Ok(read_all)
}

fn outputs(scope: &Scope<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut outputs = BTreeMap::new();
    for entry in &scope.document.outputs {
        let value = || {
            if let Some(condition) = entry.value.get("Condition")
                && !scope.condition(condition.as_text()?)?
            {
                return Ok(None);
            }
            let value = entry.value.get("Value").ok_or_else(|| TemplateError::new("the output has no Value"))?;
            scope.text(value).map(Some)
        };
        let value = value().map_err(|error: TemplateError| error.at_line(entry.line).within(&entry.key))?;
        outputs.extend(value.map(|value| (entry.key.clone(), value)));
    }
    Ok(outputs)
}
