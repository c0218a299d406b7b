//! What a customer's message means. For now: its language.
//!
//! No intents, moods or entities yet; an encoder under tract will read them in one pass.

mod language;

pub use language::language;

use colloquy_domain::{Mood, Understanding};

/// Reads a message.
#[must_use]
pub fn read(text: &str) -> Understanding {
    Understanding {
        language: language(text).to_owned(),
        intent: None,
        confidence: 0.0,
        mood: Mood::Neutral,
        entities: Vec::new(),
    }
}
