//! What is wrong with a template, in one line that says where.

use std::fmt;

/// Why a template cannot be run: always one line, with the file, the line and the resource as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    file: Option<String>,
    line: Option<usize>,
    place: Option<String>,
    message: String,
}

impl TemplateError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { file: None, line: None, place: None, message: message.into() }
    }

    /// Adds the line unless an inner one is known already.
    pub(super) fn at_line(mut self, line: usize) -> Self {
        self.line.get_or_insert(line);
        self
    }

    /// Adds the resource, parameter or section unless an inner one is known already.
    pub(super) fn within(mut self, place: &str) -> Self {
        self.place.get_or_insert_with(|| place.to_owned());
        self
    }

    pub(super) fn in_file(mut self, file: &str) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The line of the file, counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.as_deref().unwrap_or("template"))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(place) = &self.place {
            write!(f, ": {place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}
