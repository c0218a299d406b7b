//! A function's configuration: a map of variables, read once at start.

use std::collections::BTreeMap;

/// A variable that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// It is not there, or empty.
    #[error("environment variable {0} is not set")]
    Missing(String),
    /// It is there and makes no sense.
    #[error("environment variable {name} is {value:?}, which is not {expected}")]
    Invalid {
        /// The variable.
        name: String,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
}

/// What a function is configured with; a map, so that one process can host them all.
#[derive(Debug, Clone, Default)]
pub struct Configuration(BTreeMap<String, String>);

impl Configuration {
    /// The variables of this process.
    #[must_use]
    pub fn from_environment() -> Self {
        Self(std::env::vars().collect())
    }

    /// These variables.
    #[must_use]
    pub const fn from_map(variables: BTreeMap<String, String>) -> Self {
        Self(variables)
    }

    /// The variable's value.
    ///
    /// # Errors
    /// When it is not set or empty; the error names it.
    pub fn required(&self, name: &str) -> Result<String, ConfigurationError> {
        self.optional(name).ok_or_else(|| ConfigurationError::Missing(name.to_owned()))
    }

    /// The variable's value, unless it is not set or empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        let configuration = Configuration::from_map([("EMPTY".to_owned(), String::new())].into());
        let error = configuration.required("EMPTY").unwrap_err();
        assert_eq!(error.to_string(), "environment variable EMPTY is not set");
        assert_eq!(configuration.optional("ABSENT"), None);
    }
}
