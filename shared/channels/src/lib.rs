//! Every channel's protocol: what a webhook's bytes say, what a reply looks like on the wire, what an answer means.
//!
//! Synchronous and pure: no sockets, no clock, no randomness. Whoever calls fetches settings, sends the
//! [`Call`]s that [`render`] gives and hands their answers to [`judge()`]. Signatures are checked over the raw bytes,
//! in constant time, before anything is parsed. One unreadable element never blocks the rest of its batch: it comes
//! back as [`Unreadable`], with its reason.
//!
//! | channel | verified by | longest text | receipts |
//! |---|---|---|---|
//! | [`web`] | the caller's visitor token, and the page's origin | 8,000 characters | the socket's own |
//! | [`whatsapp`] | `X-Hub-Signature-256` over the raw body | 4,096 characters | sent, delivered, read, failed |
//! | [`wechat`] | `signature`, or `msg_signature` and AES in safe mode | 2,048 bytes | none |
//!
//! The lengths come from [`colloquy_domain::rules()`], the one table of what a channel allows.

mod http;
mod settings;

pub mod web;
pub mod wechat;
pub mod whatsapp;

mod json;
mod judge;
mod seal;
mod text;

pub use http::{Answer, Call, Received, Rejected, Request, Unreadable};
pub use judge::{Broken, judge_broken};
pub use settings::{Settings, SettingsError};
pub use text::{INBOUND_LENGTH, split};

use colloquy_domain::{Channel, Outcome, Timestamp};

/// A message on its way out.
pub struct Outgoing<'a> {
    /// The channel's API: [`Settings::api_base`], or what stands in for it.
    pub api_base: &'a str,
    /// The customer's address.
    pub to: &'a str,
    /// The words.
    pub text: &'a str,
    /// What the platform gives back with receipts, where it does; never personal data.
    pub reference: &'a str,
    /// The channel's access token, where one must be fetched first (see [`token_calls`]).
    pub token: Option<&'a str>,
}

/// Why a message cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The inbox's settings do not allow it.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The channel wants an access token, and none was given.
    #[error("this channel needs an access token, to be fetched first")]
    NoToken,
}

/// What a webhook's request says.
///
/// For [`Channel::Web`] the visitor's token is the caller's to check, before.
///
/// # Errors
/// When it is not from whom it should be, or cannot be read at all; [`Rejected::status`] says how to answer.
pub fn receive(
    channel: Channel,
    settings: &Settings,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Received, Rejected> {
    match channel {
        Channel::Web => web::receive(settings, request, now),
        Channel::WhatsApp => whatsapp::receive(settings, request, now),
        Channel::WeChat => wechat::receive(settings, request, now),
    }
}

/// Checks an inbox's settings when they are written.
///
/// # Errors
/// When one is missing, unknown or cannot be right; the error names it.
pub fn validate(channel: Channel, settings: &Settings) -> Result<(), SettingsError> {
    match channel {
        Channel::Web => web::validate(settings),
        Channel::WhatsApp => whatsapp::validate(settings),
        Channel::WeChat => wechat::validate(settings),
    }
}

/// The names of the settings that are never shown again.
#[must_use]
pub const fn secrets(channel: Channel) -> &'static [&'static str] {
    match channel {
        Channel::Web => &["identity_secret"],
        Channel::WhatsApp => &["app_secret", "verify_token", "access_token"],
        Channel::WeChat => &["app_secret", "token", "encoding_aes_key"],
    }
}

/// Where the platform itself answers; nothing for a channel that has no API.
#[must_use]
pub const fn default_api_base(channel: Channel) -> Option<&'static str> {
    match channel {
        Channel::Web => None,
        Channel::WhatsApp => Some("https://graph.facebook.com/v23.0"),
        Channel::WeChat => Some("https://api.weixin.qq.com"),
    }
}

/// The calls that send a message, in order: one for each piece the channel's longest text allows. None when there is
/// nothing to call (the web's visitors are reached by socket) or nothing to say.
///
/// # Errors
/// When the inbox's settings do not allow it, or a token has to be fetched first.
pub fn render(channel: Channel, settings: &Settings, message: &Outgoing<'_>) -> Result<Vec<Call>, RenderError> {
    match channel {
        Channel::Web => Ok(Vec::new()),
        Channel::WhatsApp => whatsapp::render(settings, message),
        Channel::WeChat => wechat::render(message),
    }
}

/// What an answer of the channel's API to a rendered call means. Header names are compared without case.
#[must_use]
pub fn judge(channel: Channel, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
    match channel {
        Channel::Web => Outcome::Sent(None),
        Channel::WhatsApp => whatsapp::judge(status, headers, body),
        Channel::WeChat => wechat::judge(status, headers, body),
    }
}

/// The calls that fetch an access token: the next is tried only when the platform does not know the one before.
/// None for a channel whose token is a setting.
///
/// # Errors
/// When the inbox's settings do not allow it.
pub fn token_calls(channel: Channel, settings: &Settings, api_base: &str) -> Result<Vec<Call>, SettingsError> {
    match channel {
        Channel::Web | Channel::WhatsApp => Ok(Vec::new()),
        Channel::WeChat => wechat::token_calls(settings, api_base),
    }
}

/// What the answer to a [`token_calls`] call means.
#[must_use]
pub fn read_token(channel: Channel, status: u16, headers: &[(String, String)], body: &[u8]) -> TokenAnswer {
    match channel {
        Channel::Web | Channel::WhatsApp => TokenAnswer::NotOffered,
        Channel::WeChat => wechat::read_token(status, headers, body),
    }
}

/// What came of asking for an access token.
pub enum TokenAnswer {
    /// Here it is.
    Token {
        /// The token.
        token: String,
        /// For how many seconds it is valid.
        expires_in_s: u64,
    },
    /// The platform does not know this call: try the next one.
    NotOffered,
    /// No token, and why; never [`Outcome::Sent`].
    Refused(Outcome),
}

#[cfg(test)]
mod tests;
