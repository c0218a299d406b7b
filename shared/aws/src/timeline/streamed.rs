//! A turn item as the table's stream brings it: which conversation, which numbers, what the reports count.
//!
//! Nothing sealed is opened.

use colloquy_domain::ConversationId;
use serde_json::Value;

use crate::keys;

/// A turn that was committed, as a stream record tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedTurn {
    /// The conversation.
    pub conversation: ConversationId,
    /// The number of its first entry.
    pub first_seq: u64,
    /// What the reports count, as it was written.
    pub facts: String,
}

impl StreamedTurn {
    /// Reads a record's `dynamodb` object; nothing when it is of another item or not a new one.
    #[must_use]
    pub fn read(dynamodb: &Value) -> Option<Self> {
        let text = |name: &str| dynamodb["NewImage"][name]["S"].as_str();
        let (conversation, first_seq) = keys::read_turn(text("pk")?, text("sk")?)?;
        Some(Self { conversation, first_seq, facts: text("facts")?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_turns_are_read_from_the_stream() {
        let image = |sk: &str| json!({"NewImage": {"pk": {"S": "C#cnv_1"}, "sk": {"S": sk}, "facts": {"S": "{}"}}});
        let turn = StreamedTurn::read(&image("E#0000000007")).unwrap();
        assert_eq!((turn.conversation.as_str(), turn.first_seq, turn.facts.as_str()), ("cnv_1", 7, "{}"));
        assert_eq!(StreamedTurn::read(&image("H")), None);
        assert_eq!(StreamedTurn::read(&json!({})), None);
    }
}
