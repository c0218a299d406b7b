//! An inbox's settings, already unsealed, and the checks they all share.
//!
//! Which settings a channel has is said in the channel's own module. Nothing here has `Debug`: most of it is secret.

use colloquy_domain::Channel;
use serde_json::{Map, Value};

use crate::{default_api_base, secrets};

/// A setting that is missing or cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting {field} {reason}")]
pub struct SettingsError {
    /// Its name, as in the inbox's `settings`.
    pub field: String,
    /// What is wrong with it; never its value.
    pub reason: String,
}

impl SettingsError {
    pub(crate) fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }
}

/// An inbox's settings.
#[derive(Clone, Default, PartialEq)]
pub struct Settings(Map<String, Value>);

/// Settings that every channel takes.
const SHARED: [&str; 2] = ["api_base", "public_url"];

impl Settings {
    /// Settings as they were stored or sent; not yet checked.
    #[must_use]
    pub const fn new(settings: Map<String, Value>) -> Self {
        Self(settings)
    }

    /// The settings with every secret that is set shown as `true`.
    #[must_use]
    pub fn redacted(&self, channel: Channel) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let secret = secrets(channel).contains(&name.as_str());
            (name.clone(), if secret { Value::Bool(true) } else { value.clone() })
        };
        self.0.iter().map(shown).collect()
    }

    /// These settings, with every secret that is still `true`, as [`Settings::redacted`] shows it, taken from
    /// `before`: so that what was read can be changed and written back.
    #[must_use]
    pub fn keeping_secrets(mut self, channel: Channel, before: &Self) -> Self {
        for name in secrets(channel) {
            if self.0.get(*name) == Some(&Value::Bool(true)) {
                match before.0.get(*name) {
                    Some(value) => self.0.insert((*name).to_owned(), value.clone()),
                    None => self.0.remove(*name),
                };
            }
        }
        self
    }

    /// The settings as they are to be sealed and stored.
    #[must_use]
    pub fn into_inner(self) -> Map<String, Value> {
        self.0
    }

    /// Where the channel's API is: the setting `api_base`, or the platform's own address.
    #[must_use]
    pub fn api_base(&self, channel: Channel) -> Option<&str> {
        self.own_api_base().or(default_api_base(channel))
    }

    /// The setting `api_base`, when there is one.
    #[must_use]
    pub fn own_api_base(&self) -> Option<&str> {
        self.0.get("api_base").and_then(Value::as_str).filter(|base| !base.is_empty())
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that must be there and not empty.
    pub(crate) fn text(&self, name: &str) -> Result<&str, SettingsError> {
        self.optional_text(name)?.ok_or_else(|| SettingsError::new(name, "is missing"))
    }

    /// A text that may be absent, null or empty.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, SettingsError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(SettingsError::new(name, "is not a text")),
        }
    }

    /// A secret: printable ASCII without spaces, since it goes into headers and addresses.
    pub(crate) fn check_secret(&self, name: &str) -> Result<(), SettingsError> {
        let text = self.text(name)?;
        match text {
            _ if text.len() > 2_048 => Err(SettingsError::new(name, "is longer than 2,048 characters")),
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(SettingsError::new(name, "has a space, or a character that is not ASCII"))
            }
            _ => Ok(()),
        }
    }

    /// An id of the platform's: it goes into addresses and XML.
    pub(crate) fn check_id(&self, name: &str) -> Result<(), SettingsError> {
        let text = self.text(name)?;
        let sound =
            text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if sound { Ok(()) } else { Err(SettingsError::new(name, "is not 1 to 64 letters, digits, `_` or `-`")) }
    }

    /// Refuses what no channel or not this one knows, since a misspelt key would otherwise weaken it in silence.
    pub(crate) fn check_names(&self, own: &[&str]) -> Result<(), SettingsError> {
        let unknown = self.0.keys().find(|name| !own.contains(&name.as_str()) && !SHARED.contains(&name.as_str()));
        if let Some(name) = unknown {
            let known = [own, &SHARED].concat().join(", ");
            let name: String = name.chars().take(60).collect();
            return Err(SettingsError::new(&name, format!("is not known; this channel has {known}")));
        }
        SHARED.iter().try_for_each(|name| self.check_url(name))
    }

    fn check_url(&self, name: &str) -> Result<(), SettingsError> {
        let Some(url) = self.optional_text(name)? else { return Ok(()) };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        let sound = !host.is_empty()
            && url.len() <= 2_048
            && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte));
        let wanted = "is not an address like https://example.com/path, without user, query or fragment";
        if sound { Ok(()) } else { Err(SettingsError::new(name, wanted)) }
    }
}
