//! Event patterns: which records of a source a function wants to see.
//!
//! It deliberately refuses, at start and by name, the comparisons it does not know.

use serde_json::{Map, Value};

/// A mapping's patterns, of which one must match; without any, everything does.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    patterns: Vec<Map<String, Value>>,
}

impl Filter {
    /// # Errors
    /// When a pattern holds something unknown; the text names it.
    pub(super) fn read(patterns: &[Value]) -> Result<Self, String> {
        let patterns = patterns.iter().map(|pattern| match pattern {
            Value::Object(fields) => check(fields).map(|()| fields.clone()),
            _ => Err("a filter's pattern is not an object".to_owned()),
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// Whether everything passes.
    pub(super) fn is_open(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether this record passes.
    pub(super) fn passes(&self, record: &Value) -> bool {
        self.is_open() || self.patterns.iter().any(|pattern| fits(pattern, Some(record)))
    }
}

fn check(pattern: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in pattern {
        match value {
            Value::Object(fields) => check(fields)?,
            Value::Array(wanted) => wanted.iter().try_for_each(check_comparison)?,
            _ => return Err(format!("a filter's `{name}` is neither an object nor a list")),
        }
    }
    Ok(())
}

fn check_comparison(wanted: &Value) -> Result<(), String> {
    let Value::Object(comparison) = wanted else { return Ok(()) };
    match comparison.iter().next() {
        Some((name, value)) if comparison.len() == 1 => match (name.as_str(), value) {
            ("prefix" | "suffix" | "equals-ignore-case", Value::String(_))
            | ("exists", Value::Bool(_))
            | ("anything-but", Value::Array(_) | Value::String(_) | Value::Number(_)) => Ok(()),
            _ => Err(format!("a filter's comparison `{name}` is not understood")),
        },
        _ => Err("a filter's comparison must hold one operator".to_owned()),
    }
}

fn fits(pattern: &Map<String, Value>, value: Option<&Value>) -> bool {
    pattern.iter().all(|(name, wanted)| {
        let here = value.and_then(|value| value.get(name));
        match wanted {
            Value::Object(fields) => fits(fields, here),
            Value::Array(wanted) => wanted.iter().any(|wanted| compares(wanted, here)),
            _ => false,
        }
    })
}

fn compares(wanted: &Value, value: Option<&Value>) -> bool {
    if let Some(Value::Array(values)) = value {
        return values.iter().any(|value| compares(wanted, Some(value)));
    }
    let Value::Object(comparison) = wanted else { return value == Some(wanted) };
    let Some((operator, operand)) = comparison.iter().next() else { return false };
    let text = value.and_then(Value::as_str);
    match (operator.as_str(), operand) {
        // A leaf exists or does not; an object is none.
        ("exists", Value::Bool(wanted)) => value.is_some_and(|value| !value.is_object()) == *wanted,
        ("prefix", Value::String(prefix)) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
        ("suffix", Value::String(suffix)) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
        ("equals-ignore-case", Value::String(other)) => {
            text.is_some_and(|text| text.to_lowercase() == other.to_lowercase())
        }
        ("anything-but", Value::Array(others)) => value.is_some_and(|value| !others.contains(value)),
        ("anything-but", other) => value.is_some_and(|value| value != other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(pattern: Value, record: &Value) -> bool {
        Filter::read(&[pattern]).unwrap().passes(record)
    }

    #[test]
    fn a_record_passes_when_every_field_of_a_pattern_has_one_of_the_wanted_values() {
        let record = json!({ "eventName": "INSERT", "dynamodb": { "Keys": { "sk": { "S": "E#0000000001" } } } });
        let entries =
            json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": { "sk": { "S": [{ "prefix": "E#" }] } } } });
        assert!(passes(entries.clone(), &record));
        assert!(!passes(entries.clone(), &json!({ "eventName": "MODIFY", "dynamodb": record["dynamodb"] })));
        assert!(!passes(entries, &json!({ "eventName": "INSERT" })));
        assert!(passes(json!({ "eventName": ["MODIFY", "INSERT"] }), &record));
        assert!(Filter::default().passes(&record));
    }

    #[test]
    fn every_comparison_does_what_it_says() {
        let record = json!({ "text": "Hello", "list": ["a", "b"], "number": 3, "nothing": null });
        assert!(passes(json!({ "text": [{ "suffix": "lo" }] }), &record));
        assert!(passes(json!({ "text": [{ "equals-ignore-case": "HELLO" }] }), &record));
        assert!(passes(json!({ "text": [{ "anything-but": ["other"] }] }), &record));
        assert!(!passes(json!({ "text": [{ "anything-but": "Hello" }] }), &record));
        assert!(passes(json!({ "list": ["b"] }), &record));
        assert!(passes(json!({ "number": [3], "nothing": [null] }), &record));
        assert!(passes(json!({ "missing": [{ "exists": false }] }), &record));
        assert!(!passes(json!({ "missing": [{ "exists": true }] }), &record));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let refusal = Filter::read(&[json!({ "a": [{ "wildcard": "*" }] })]).unwrap_err();
        assert!(refusal.contains("`wildcard`"), "{refusal}");
        assert!(Filter::read(&[json!({ "a": 1 })]).is_err());
        assert!(Filter::read(&[json!([])]).is_err());
    }
}
