//! Takes a resource's properties one by one, and refuses by name what nobody took.

use std::str::FromStr;

use super::{
    error::TemplateError,
    yaml::{Entry, Kind, Node},
};

/// A resolved map whose keys are taken out as they are understood.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// What the properties belong to, for example `AWS::SQS::Queue`.
    of: String,
    line: usize,
    entries: Vec<Entry>,
}

impl Fields {
    pub(super) fn new(of: &str, node: Node) -> Result<Self, TemplateError> {
        let line = node.line;
        match node.kind {
            Kind::Map(entries) => Ok(Self { of: of.to_owned(), line, entries }),
            _ => Err(TemplateError::new(format!("{of}: expected a map, found {}", node.what())).at_line(line)),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Takes a property out.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == name)?;
        Some(self.entries.remove(at).value)
    }

    pub(super) fn require(&mut self, name: &str) -> Result<Node, TemplateError> {
        self.take(name)
            .ok_or_else(|| TemplateError::new(format!("{} needs the property {name}", self.of)).at_line(self.line))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, TemplateError> {
        self.take(name).map(|node| node.as_text().map(str::to_owned)).transpose()
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, TemplateError> {
        self.require(name)?.as_text().map(str::to_owned)
    }

    /// A text that must be this one, when it is there: there is nothing else this host can do.
    pub(super) fn only(&mut self, name: &str, allowed: &str) -> Result<(), TemplateError> {
        match self.take(name) {
            Some(node) if node.as_text()? != allowed => {
                let message = format!("{name} {} is not understood, only {allowed}", node.as_text()?);
                Err(TemplateError::new(message).at_line(node.line))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, TemplateError> {
        let Some(node) = self.take(name) else { return Ok(None) };
        let text = node.as_text()?;
        let wrong = || TemplateError::new(format!("{name} cannot be {text:?}")).at_line(node.line);
        text.parse().map(Some).map_err(|_| wrong())
    }

    pub(super) fn number_or<T: FromStr>(&mut self, name: &str, otherwise: T) -> Result<T, TemplateError> {
        Ok(self.number(name)?.unwrap_or(otherwise))
    }

    /// A boolean that is false when absent.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, TemplateError> {
        self.number_or(name, false)
    }

    /// A list of texts; one text stands for a list of one, as in policies.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, TemplateError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(node) => texts(&node),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Node>, TemplateError> {
        self.take(name).map_or_else(|| Ok(Vec::new()), |node| Ok(node.as_list()?.to_vec()))
    }

    /// A map's entries, in order.
    pub(super) fn entries(&mut self, name: &str) -> Result<Vec<Entry>, TemplateError> {
        self.take(name).map_or_else(|| Ok(Vec::new()), |node| Ok(node.as_map()?.to_vec()))
    }

    /// A property that is a map of properties itself.
    pub(super) fn nested(&mut self, name: &str) -> Result<Option<Self>, TemplateError> {
        let of = format!("{} {name}", self.of);
        self.take(name).map(|node| Self::new(&of, node)).transpose()
    }

    /// Properties that mean nothing on one machine.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        self.entries.retain(|entry| !names.contains(&entry.key.as_str()));
    }

    /// Refuses what is left.
    pub(super) fn finish(self) -> Result<(), TemplateError> {
        match self.entries.first() {
            None => Ok(()),
            Some(entry) => {
                let message = format!("unknown property {} of {}", entry.key, self.of);
                Err(TemplateError::new(message).at_line(entry.line))
            }
        }
    }
}

/// A text or a list of texts.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, TemplateError> {
    match &node.kind {
        Kind::Text { text, .. } => Ok(vec![text.clone()]),
        _ => node.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
    }
}
