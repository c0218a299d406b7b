//! Resolves `CloudFormation`'s functions: parameters filled in, conditions decided, references turned into values.
//!
//! What it does not know (`Fn::ImportValue`, `Fn::GetAZs`, `Fn::Transform` …) it refuses by name.

use std::{cell::Cell, collections::BTreeMap};

use super::{
    document::{Document, ParameterKind, Resource},
    error::TemplateError,
    kinds::ResourceKind,
    plan::Place,
    yaml::{Entry, Kind, Node},
};

/// A reference that leads through more references than this leads to itself.
const LONGEST_CHAIN: usize = 32;

/// A template together with everything its functions may ask for.
#[derive(Debug)]
pub(super) struct Scope<'t> {
    pub(super) document: &'t Document,
    pub(super) place: Place,
    pub(super) parameters: BTreeMap<String, String>,
    chain: Cell<usize>,
}

impl<'t> Scope<'t> {
    /// Fills in the parameters and tries every condition, so that a broken one is found even where nothing uses it.
    pub(super) fn new(
        document: &'t Document,
        place: Place,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        if let Some(unknown) = given.keys().find(|name| document.parameter(name).is_none()) {
            return Err(TemplateError::new(format!("the template has no parameter {unknown}")));
        }
        let mut parameters = BTreeMap::new();
        for parameter in &document.parameters {
            let refuse = |message: String| TemplateError::new(message).at_line(parameter.line).within(&parameter.name);
            let value = given
                .get(&parameter.name)
                .or(parameter.default.as_ref())
                .ok_or_else(|| refuse("this parameter needs a value".to_owned()))?;
            if !parameter.allowed.is_empty() && !parameter.allowed.contains(value) {
                return Err(refuse(format!("{value:?} is not one of {}", parameter.allowed.join(", "))));
            }
            if parameter.kind == ParameterKind::Number && value.parse::<f64>().is_err() {
                return Err(refuse(format!("{value:?} is not a number")));
            }
            parameters.insert(parameter.name.clone(), value.clone());
        }
        let scope = Self { document, place, parameters, chain: Cell::new(0) };
        for condition in &document.conditions {
            scope.condition(&condition.key)?;
        }
        Ok(scope)
    }

    /// Whether a resource is made at all.
    pub(super) fn exists(&self, resource: &Resource) -> Result<bool, TemplateError> {
        resource.condition.as_deref().map_or(Ok(true), |name| self.condition(name))
    }

    /// The resources that are made, in the template's order.
    pub(super) fn resources(&self, kind: ResourceKind) -> Result<Vec<&'t Resource>, TemplateError> {
        let mut made = Vec::new();
        for resource in self.document.resources.iter().filter(|resource| resource.kind == kind) {
            if self.exists(resource)? {
                made.push(resource);
            }
        }
        Ok(made)
    }

    /// A value with every function in it resolved; `None` where it says `AWS::NoValue`.
    pub(super) fn resolve(&self, node: &Node) -> Result<Option<Node>, TemplateError> {
        let kind = match &node.kind {
            Kind::Text { .. } => node.kind.clone(),
            Kind::List(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.resolve(item)?);
                }
                Kind::List(resolved)
            }
            Kind::Map(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for Entry { key, line, value } in entries {
                    let value = self.resolve(value).map_err(|error| error.at_line(*line))?;
                    resolved.extend(value.map(|value| Entry { key: key.clone(), line: *line, value }));
                }
                Kind::Map(resolved)
            }
            Kind::Call { function, argument } => {
                return self.call(node.line, function, argument).map_err(|error| error.at_line(node.line));
            }
        };
        Ok(Some(Node { line: node.line, kind }))
    }

    /// A value that must be there.
    pub(super) fn value(&self, node: &Node) -> Result<Node, TemplateError> {
        self.resolve(node)?.ok_or_else(|| TemplateError::new("AWS::NoValue cannot stand here").at_line(node.line))
    }

    /// A value that must be a text.
    pub(super) fn text(&self, node: &Node) -> Result<String, TemplateError> {
        self.value(node)?.as_text().map(str::to_owned)
    }

    /// Follows a reference, refusing to go round in circles.
    pub(super) fn deeper<T>(
        &self,
        name: &str,
        follow: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.chain.get() >= LONGEST_CHAIN {
            return Err(TemplateError::new(format!("{name} leads back to itself")));
        }
        self.chain.set(self.chain.get() + 1);
        let found = follow();
        self.chain.set(self.chain.get() - 1);
        found
    }

    fn call(&self, line: usize, function: &str, argument: &Node) -> Result<Option<Node>, TemplateError> {
        let text = |text: String| Ok(Some(Node::text(line, text)));
        match function {
            "Ref" => self.reference(line, &self.text(argument)?),
            "Fn::GetAtt" => text(self.attribute_of(argument)?),
            "Fn::Sub" => text(self.substitute(argument)?),
            "Fn::Join" => {
                let [delimiter, list] = parts(function, argument)?;
                text(self.texts(list)?.join(&self.text(delimiter)?))
            }
            "Fn::Split" => {
                let [delimiter, whole] = parts(function, argument)?;
                let (delimiter, whole) = (self.text(delimiter)?, self.text(whole)?);
                let items = whole.split(&delimiter).map(|item| Node::text(line, item)).collect();
                Ok(Some(Node { line, kind: Kind::List(items) }))
            }
            "Fn::Select" => {
                let [index, list] = parts(function, argument)?;
                let (index, list) = (self.text(index)?, self.value(list)?);
                let at =
                    index.parse::<usize>().map_err(|_| TemplateError::new(format!("{index:?} is not an index")))?;
                let item = list.as_list()?.get(at).cloned();
                item.map(Some).ok_or_else(|| TemplateError::new(format!("Fn::Select finds no item {at}")))
            }
            "Fn::If" => {
                let [condition, then, otherwise] = parts(function, argument)?;
                let chosen = if self.condition(condition.as_text()?)? { then } else { otherwise };
                self.resolve(chosen)
            }
            "Fn::FindInMap" => self.find_in_map(argument).map(Some),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                Err(TemplateError::new(format!("{function} has its place in Conditions only")))
            }
            _ => Err(TemplateError::new(format!("the function {function} is not understood"))),
        }
    }

    fn reference(&self, line: usize, name: &str) -> Result<Option<Node>, TemplateError> {
        let Place { region, account, partition, suffix, stack } = &self.place;
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => region.clone(),
            "AWS::AccountId" => account.clone(),
            "AWS::Partition" => partition.clone(),
            "AWS::URLSuffix" => suffix.clone(),
            "AWS::StackName" => stack.clone(),
            "AWS::StackId" => format!("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/local"),
            _ if name.starts_with("AWS::") => {
                return Err(TemplateError::new(format!("the pseudo parameter {name} is not understood")));
            }
            _ => return self.named(line, name).map(Some),
        };
        Ok(Some(Node::text(line, pseudo)))
    }

    fn named(&self, line: usize, name: &str) -> Result<Node, TemplateError> {
        if let (Some(value), Some(parameter)) = (self.parameters.get(name), self.document.parameter(name)) {
            let text = |text: &str, plain| Kind::Text { text: text.to_owned(), plain };
            let kind = match parameter.kind {
                ParameterKind::Text => text(value, false),
                ParameterKind::Number => text(value, true),
                ParameterKind::List => Kind::List(value.split(',').map(|item| Node::text(line, item.trim())).collect()),
            };
            return Ok(Node { line, kind });
        }
        Ok(Node::text(line, self.reference_to(self.made(name)?)?))
    }

    fn attribute_of(&self, argument: &Node) -> Result<String, TemplateError> {
        let (name, attribute) = match &argument.kind {
            Kind::List(_) => {
                let [name, attribute] = parts("Fn::GetAtt", argument)?;
                (name.as_text()?.to_owned(), self.text(attribute)?)
            }
            _ => {
                let whole = argument.as_text()?;
                let (name, attribute) = whole
                    .split_once('.')
                    .ok_or_else(|| TemplateError::new(format!("Fn::GetAtt wants Resource.Attribute, not {whole:?}")))?;
                (name.to_owned(), attribute.to_owned())
            }
        };
        self.attribute(self.made(&name)?, &attribute)
    }

    /// A resource that a reference may name: it is in the template and its condition holds.
    fn made(&self, name: &str) -> Result<&'t Resource, TemplateError> {
        let resource = self
            .document
            .resource(name)
            .ok_or_else(|| TemplateError::new(format!("{name} is neither a parameter nor a resource")))?;
        if self.exists(resource)? {
            return Ok(resource);
        }
        let condition = resource.condition.as_deref().unwrap_or_default();
        Err(TemplateError::new(format!("{name} is not made, since the condition {condition} does not hold")))
    }

    fn substitute(&self, argument: &Node) -> Result<String, TemplateError> {
        let (pattern, own) = match &argument.kind {
            Kind::List(_) => {
                let [pattern, own] = parts("Fn::Sub", argument)?;
                (pattern.as_text()?, own.as_map()?)
            }
            _ => (argument.as_text()?, [].as_slice()),
        };
        let mut whole = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            whole.push_str(before);
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::new(format!("a ${{ is not closed in {pattern:?}")))?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                whole.push_str(&format!("${{{literal}}}"));
            } else if let Some(entry) = own.iter().find(|entry| entry.key == name) {
                whole.push_str(&self.text(&entry.value)?);
            } else if name.contains('.') {
                whole.push_str(&self.attribute_of(&Node::text(argument.line, name))?);
            } else {
                let value = self.reference(argument.line, name)?;
                let value = value.ok_or_else(|| TemplateError::new("AWS::NoValue cannot stand here"))?;
                whole.push_str(value.as_text()?);
            }
        }
        whole.push_str(rest);
        Ok(whole)
    }

    fn find_in_map(&self, argument: &Node) -> Result<Node, TemplateError> {
        let [map, first, second] = parts("Fn::FindInMap", argument)?;
        let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
        let found = self.document.mappings.as_ref().and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
        found.cloned().ok_or_else(|| TemplateError::new(format!("Mappings have no {map}.{first}.{second}")))
    }

    fn texts(&self, list: &Node) -> Result<Vec<String>, TemplateError> {
        self.value(list)?.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect()
    }
}

/// A function's arguments, as many as it takes.
pub(super) fn parts<'n, const N: usize>(function: &str, argument: &'n Node) -> Result<&'n [Node; N], TemplateError> {
    argument
        .as_list()?
        .try_into()
        .map_err(|_| TemplateError::new(format!("{function} takes a list of {N}")).at_line(argument.line))
}
