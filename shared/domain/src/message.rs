//! What a customer sent and what a platform told us, in one shape for every channel.
//!
//! No channel's own words here: `colloquy-channels` translates them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{DeliveryState, Timestamp};

macro_rules! channels {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// A medium on which customers write.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Channel { $($(#[$doc])* $name,)* }

        impl Channel {
            /// Every channel there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in addresses, settings and reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

channels! {
    /// The chat on a customer's own site.
    Web "web",
    /// WhatsApp Cloud API.
    WhatsApp "whatsapp",
    /// WeChat official account.
    WeChat "wechat",
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| format!("`{}` is not a channel", text.chars().take(40).collect::<String>()))
    }
}

/// One element of a webhook's batch, normalised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Inbound {
    /// A customer wrote.
    Message(InboundMessage),
    /// The platform says how far one of our messages got.
    Receipt(Receipt),
}

/// What a customer wrote, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The platform's own id of this message: what makes a duplicate one.
    pub provider_id: String,
    /// Who wrote it.
    pub sender: Sender,
    /// When the platform says it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Its words; empty when it has none.
    #[serde(default)]
    pub text: String,
    /// What came with the words, or instead of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The platform's id of the message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// An address on a channel and the name the platform gave with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The address: a phone number, an open id, a visitor's id.
    pub address: String,
    /// The name shown there, when the platform tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Something beside text: a picture, a place, a thing this desk cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The platform's reference to its bytes, to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Its MIME type, as the platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// A file's name, a place's label, a person's name; for an unsupported part, what the platform called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Latitude and longitude in degrees, for a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Part {
    /// A part that is only its kind.
    #[must_use]
    pub const fn new(kind: PartKind) -> Self {
        Self { kind, media: None, mime: None, label: None, place: None }
    }
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// A picture.
    Image,
    /// A voice note or sound.
    Audio,
    /// A film.
    Video,
    /// Any other file.
    File,
    /// A place on the map.
    Location,
    /// A sticker.
    Sticker,
    /// A person's contact card.
    Contact,
    /// A link with a title.
    Link,
    /// An emoji set on a message.
    Reaction,
    /// What has no place in this model; its `label` says what it was.
    Unsupported,
}

/// The platform's word on one of our messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The platform's id of our message.
    pub provider_id: String,
    /// The address it went to.
    pub address: String,
    /// How far it got.
    pub state: DeliveryState,
    /// When, as the platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it failed, in the platform's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What `nlp` read in a customer's message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    /// BCP 47 language, `und` when it cannot be told.
    pub language: String,
    /// One of the known intents, when one was found.
    #[serde(default)]
    pub intent: Option<String>,
    /// How sure, 0 to 1.
    #[serde(default)]
    pub confidence: f32,
    /// How the customer feels.
    #[serde(default)]
    pub mood: Mood,
    /// What was named in it.
    #[serde(default)]
    pub entities: Vec<serde_json::Value>,
}

/// How a customer feels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mood {
    /// Angry or upset.
    Negative,
    /// Neither.
    #[default]
    Neutral,
    /// Pleased.
    Positive,
}

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The customer.
    Contact,
    /// The machine that answers first.
    Bot,
    /// A person of ours.
    Agent,
}
