//! A YAML document as a tree that remembers its lines and `CloudFormation`'s functions, short (`!Ref`) and long (`Fn::Sub`).
//!
//! Built on `saphyr-parser`'s events and not on a loader, since loaders turn `1.10` and `yes` into numbers and booleans,
//! let a second key replace the first in silence, and forget where things stood. Anchors, aliases, merges and several
//! documents in one file are refused: `CloudFormation` does not take them everywhere.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use super::error::TemplateError;

/// Deeper nesting is nobody's template.
const DEEPEST: usize = 64;

/// A value and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A scalar; `plain` when it was written without quotes and may thus mean a number or a boolean.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// One of `CloudFormation`'s functions by its long name, for example `Fn::Sub`, `Ref` or `Condition`.
    Call {
        function: String,
        argument: Box<Node>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self { line, kind: Kind::Text { text: text.into(), plain: false } }
    }

    /// What this is, in words, for an error.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Text { .. } => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Call { .. } => "a function",
        }
    }

    pub(super) fn as_text(&self) -> Result<&str, TemplateError> {
        match &self.kind {
            Kind::Text { text, .. } => Ok(text),
            _ => Err(TemplateError::new(format!("expected a text, found {}", self.what())).at_line(self.line)),
        }
    }

    pub(super) fn as_list(&self) -> Result<&[Self], TemplateError> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(TemplateError::new(format!("expected a list, found {}", self.what())).at_line(self.line)),
        }
    }

    pub(super) fn as_map(&self) -> Result<&[Entry], TemplateError> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(TemplateError::new(format!("expected a map, found {}", self.what())).at_line(self.line)),
        }
    }

    /// The value under a key, when this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// As JSON: what stands without quotes becomes the number or boolean it looks like.
    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Text { text, plain: true } => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => text.parse::<i64>().map_or_else(|_| Value::String(text.clone()), Value::from),
            },
            Kind::Text { text, plain: false } => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            Kind::Call { argument, .. } => argument.to_json(),
        }
    }
}

/// The one document in a text.
pub(super) fn parse(text: &str) -> Result<Node, TemplateError> {
    let mut reader = Reader { parser: Parser::new_from_str(text) };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd => return Err(TemplateError::new("the file is empty")),
            event => {
                let node = reader.node(event, &span, 0)?;
                return match reader.next()?.0 {
                    Event::DocumentEnd => match reader.next()? {
                        (Event::StreamEnd, _) => Ok(node),
                        (_, span) => Err(refuse(&span, "a second document")),
                    },
                    _ => Err(refuse(&span, "more than one value")),
                };
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), TemplateError> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                Err(TemplateError::new(format!("not YAML: {}", error.info())).at_line(error.marker().line()))
            }
            None => Err(TemplateError::new("the file ends too early")),
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Node, TemplateError> {
        let line = span.start.line();
        if depth > DEEPEST {
            return Err(refuse(span, "nesting this deep"));
        }
        let (kind, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if plain && tag.is_none() && matches!(&*text, "" | "~" | "null") {
                    return Err(TemplateError::new("a value is missing").at_line(line));
                }
                (Kind::Text { text: text.into_owned(), plain }, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.map(depth)?, anchor, tag),
            Event::Alias(_) => return Err(refuse(span, "a YAML alias")),
            other => return Err(TemplateError::new(format!("unexpected {other:?}")).at_line(line)),
        };
        if anchor != 0 {
            return Err(refuse(span, "a YAML anchor"));
        }
        let node = Node { line, kind };
        match tag {
            Some(tag) => Ok(Node { line, kind: call(&tag, node)? }),
            None => long_form(node),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Kind, TemplateError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Kind, TemplateError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => return Ok(Kind::Map(entries)),
                Event::Scalar(key, _, 0, None) => key.into_owned(),
                _ => return Err(refuse(&span, "a key that is not a plain text")),
            };
            if key == "<<" {
                return Err(refuse(&span, "a YAML merge"));
            }
            if entries.iter().any(|entry| entry.key == key) {
                return Err(TemplateError::new(format!("{key} is given twice")).at_line(line));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1).map_err(|error| error.at_line(line))?;
            entries.push(Entry { key, line, value });
        }
    }
}

fn call(tag: &Tag, argument: Node) -> Result<Kind, TemplateError> {
    if tag.handle != "!" {
        let message = format!("the YAML tag {}{} is not understood", tag.handle, tag.suffix);
        return Err(TemplateError::new(message).at_line(argument.line));
    }
    let function = match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        other => format!("Fn::{other}"),
    };
    Ok(Kind::Call { function, argument: Box::new(argument) })
}

/// `{Fn::Sub: …}` and `{Ref: …}` are calls. `{Condition: …}` is one only among conditions, where it is read as such.
fn long_form(node: Node) -> Result<Node, TemplateError> {
    let line = node.line;
    let is_call = |key: &str| key == "Ref" || key.starts_with("Fn::");
    match node.kind {
        Kind::Map(mut entries) if entries.iter().any(|entry| is_call(&entry.key)) => {
            match (entries.pop(), entries.pop()) {
                (Some(only), None) => {
                    Ok(Node { line, kind: Kind::Call { function: only.key, argument: Box::new(only.value) } })
                }
                _ => Err(TemplateError::new("a function stands beside other keys").at_line(line)),
            }
        }
        kind => Ok(Node { line, kind }),
    }
}

fn refuse(span: &Span, what: &str) -> TemplateError {
    TemplateError::new(format!("{what} is not understood")).at_line(span.start.line())
}
