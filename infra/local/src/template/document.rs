//! A template's sections as written: parameters, mappings, conditions, globals, resources and outputs, nothing resolved.
//!
//! Sections, resource types and resource attributes that this host does not know are refused here.

use super::{
    error::TemplateError,
    kinds::ResourceKind,
    yaml::{self, Entry, Node},
};

/// A template as written.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) parameters: Vec<Parameter>,
    pub(super) mappings: Option<Node>,
    pub(super) conditions: Vec<Entry>,
    /// `Globals: Function:`, which every function's properties are laid over.
    pub(super) function_globals: Option<Node>,
    pub(super) resources: Vec<Resource>,
    pub(super) outputs: Vec<Entry>,
}

/// A parameter's declaration.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) kind: ParameterKind,
    pub(super) default: Option<String>,
    pub(super) allowed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterKind {
    Text,
    Number,
    List,
}

/// A resource as written.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) line: usize,
    pub(super) kind: ResourceKind,
    pub(super) condition: Option<String>,
    pub(super) metadata: Option<Node>,
    pub(super) properties: Node,
}

pub(super) fn read(text: &str) -> Result<Document, TemplateError> {
    let root = yaml::parse(text)?;
    let mut document = Document {
        parameters: Vec::new(),
        mappings: None,
        conditions: Vec::new(),
        function_globals: None,
        resources: Vec::new(),
        outputs: Vec::new(),
    };
    for Entry { key, line, value } in root.as_map()? {
        document.take(key, value).map_err(|error| error.within(key).at_line(*line))?;
    }
    if document.resources.is_empty() {
        return Err(TemplateError::new("there are no Resources"));
    }
    document.check_names()?;
    Ok(document)
}

impl Document {
    pub(super) fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    fn take(&mut self, section: &str, value: &Node) -> Result<(), TemplateError> {
        match section {
            "AWSTemplateFormatVersion" | "Description" | "Metadata" => {}
            "Transform" if value.as_text()? == "AWS::Serverless-2016-10-31" => {}
            "Transform" => return Err(TemplateError::new(format!("{} is not understood", value.as_text()?))),
            "Parameters" => self.parameters = each(value, parameter)?,
            "Mappings" => self.mappings = Some(value.clone()),
            "Conditions" => self.conditions = value.as_map()?.to_vec(),
            "Globals" => self.function_globals = globals(value)?,
            "Resources" => self.resources = each(value, resource)?,
            "Outputs" => self.outputs = value.as_map()?.to_vec(),
            _ => return Err(TemplateError::new("this section is not understood")),
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), TemplateError> {
        for resource in &self.resources {
            if let Some(condition) = &resource.condition
                && !self.conditions.iter().any(|known| known.key == *condition)
            {
                let message = format!("the condition {condition} is not in Conditions");
                return Err(TemplateError::new(message).at_line(resource.line).within(&resource.id));
            }
            if self.parameter(&resource.id).is_some() {
                let message = "a parameter has this name too";
                return Err(TemplateError::new(message).at_line(resource.line).within(&resource.id));
            }
        }
        Ok(())
    }
}

fn each<T>(section: &Node, read: fn(&Entry) -> Result<T, TemplateError>) -> Result<Vec<T>, TemplateError> {
    section
        .as_map()?
        .iter()
        .map(|entry| read(entry).map_err(|error| error.at_line(entry.line).within(&entry.key)))
        .collect()
}

fn parameter(entry: &Entry) -> Result<Parameter, TemplateError> {
    let mut parameter = Parameter {
        name: entry.key.clone(),
        line: entry.line,
        kind: ParameterKind::Text,
        default: None,
        allowed: Vec::new(),
    };
    for Entry { key, line, value } in entry.value.as_map()? {
        match key.as_str() {
            "Type" => {
                parameter.kind = match value.as_text()? {
                    "String" => ParameterKind::Text,
                    "Number" => ParameterKind::Number,
                    "CommaDelimitedList" => ParameterKind::List,
                    other => {
                        let message = format!("the parameter type {other} is not understood");
                        return Err(TemplateError::new(message).at_line(*line));
                    }
                }
            }
            "Default" => parameter.default = Some(value.as_text()?.to_owned()),
            "AllowedValues" => {
                for allowed in value.as_list()? {
                    parameter.allowed.push(allowed.as_text()?.to_owned());
                }
            }
            "Description" | "NoEcho" | "ConstraintDescription" => {}
            other => {
                return Err(TemplateError::new(format!("unknown property {other} of a parameter")).at_line(*line));
            }
        }
    }
    Ok(parameter)
}

fn globals(section: &Node) -> Result<Option<Node>, TemplateError> {
    let mut functions = None;
    for Entry { key, line, value } in section.as_map()? {
        match key.as_str() {
            "Function" => functions = Some(value.clone()),
            other => return Err(TemplateError::new(format!("globals for {other} are not understood")).at_line(*line)),
        }
    }
    Ok(functions)
}

fn resource(entry: &Entry) -> Result<Resource, TemplateError> {
    let mut kind = None;
    let mut condition = None;
    let mut metadata = None;
    let mut properties = Node { line: entry.line, kind: yaml::Kind::Map(Vec::new()) };
    for Entry { key, line, value } in entry.value.as_map()? {
        match key.as_str() {
            "Type" => {
                let name = value.as_text()?;
                kind = Some(ResourceKind::named(name).ok_or_else(|| {
                    TemplateError::new(format!("the resource type {name} is not understood")).at_line(*line)
                })?);
            }
            "Properties" => properties = value.clone(),
            "Condition" => condition = Some(value.as_text()?.to_owned()),
            "Metadata" => metadata = Some(value.clone()),
            // Order and protection matter to CloudFormation only.
            "DependsOn" | "DeletionPolicy" | "UpdateReplacePolicy" => {}
            other => {
                return Err(TemplateError::new(format!("unknown attribute {other} of a resource")).at_line(*line));
            }
        }
    }
    let kind = kind.ok_or_else(|| TemplateError::new("the resource has no Type"))?;
    Ok(Resource { id: entry.key.clone(), line: entry.line, kind, condition, metadata, properties })
}
