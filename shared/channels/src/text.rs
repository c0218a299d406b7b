//! Cutting a long text into pieces that a channel, or a timeline, takes.

use colloquy_domain::{Channel, Inbound, InboundMessage, Unit, rules};
use unicode_segmentation::UnicodeSegmentation as _;

/// The most characters of one message on a timeline; a customer's longer text comes as several.
///
/// Small enough that, however it is escaped and sealed, an entry fits one socket frame (128 KB) and one queue body.
pub const INBOUND_LENGTH: usize = 8_000;

/// Cuts `text` into pieces of at most `max` units, which together are `text` again.
///
/// Cuts after a line, else after a word or a Chinese or Japanese sentence, else between what people see as
/// characters; within one of those only when it alone is longer than `max`, and never within a code point.
#[must_use]
pub fn split(text: &str, max: usize, unit: Unit) -> Vec<&str> {
    // Four bytes is the longest code point: with less, some text could not be cut at all.
    let max = max.max(if unit == Unit::Bytes { 4 } else { 1 });
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut(rest, max, unit));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The pieces of `text` that `channel` takes as one message each, without those that show nothing.
pub(crate) fn pieces(channel: Channel, text: &str) -> Vec<&str> {
    let rules = rules(channel);
    split(text, rules.max_length, rules.unit).into_iter().filter(|piece| !piece.trim().is_empty()).collect()
}

/// A customer's message as the timeline takes it: one, or several whose provider ids end in `#2`, `#3` …
pub(crate) fn inbound(message: InboundMessage) -> Vec<Inbound> {
    if message.text.chars().count() <= INBOUND_LENGTH {
        return vec![Inbound::Message(message)];
    }
    let texts = split(&message.text, INBOUND_LENGTH, Unit::Characters);
    let piece = |(index, text): (usize, &str)| {
        let mut piece = InboundMessage { text: text.to_owned(), ..message.clone() };
        if index > 0 {
            piece.provider_id = numbered(&message.provider_id, index);
            piece.parts.clear();
            piece.reply_to = None;
        }
        Inbound::Message(piece)
    };
    texts.into_iter().enumerate().map(piece).collect()
}

/// What names the piece at `index` of what `id` names: itself for the first, then `id#2`, `id#3` …
pub(crate) fn numbered(id: &str, index: usize) -> String {
    if index == 0 { id.to_owned() } else { format!("{id}#{}", index + 1) }
}

/// How many bytes the first piece of `text` has.
fn cut(text: &str, max: usize, unit: Unit) -> usize {
    let (mut fits, mut line, mut word, mut length) = (0, 0, 0, 0);
    for grapheme in text.graphemes(true) {
        length += measure(grapheme, unit);
        if length > max {
            break;
        }
        fits += grapheme.len();
        if grapheme.ends_with('\n') {
            line = fits;
        }
        if grapheme.chars().all(char::is_whitespace) || "。！？；，、".contains(grapheme) {
            word = fits;
        }
    }
    match fits {
        _ if fits == text.len() => fits,
        0 => cut_within(text, max, unit),
        // A line that ends early would waste a message, and some channels allow only five.
        _ if line * 2 >= fits => line,
        _ if word > 0 => word,
        _ => fits,
    }
}

/// As many code points as fit, when the first thing people see as one character does not.
fn cut_within(text: &str, max: usize, unit: Unit) -> usize {
    let (mut fits, mut length) = (0, 0);
    for char in text.chars() {
        length += if unit == Unit::Bytes { char.len_utf8() } else { 1 };
        if length > max {
            break;
        }
        fits += char.len_utf8();
    }
    fits
}

fn measure(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Characters => text.chars().count(),
        Unit::Bytes => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_cut_between_words_and_keeps_every_character() {
        assert_eq!(split("one two three", 8, Unit::Characters), ["one two ", "three"]);
        assert_eq!(split("first line\nsecond line", 16, Unit::Characters), ["first line\n", "second line"]);
        assert_eq!(split("你好。再见。", 10, Unit::Bytes), ["你好。", "再见。"]);
        assert_eq!(split("abcdefgh", 5, Unit::Characters), ["abcde", "fgh"]);
        assert!(split("", 5, Unit::Bytes).is_empty());
    }

    #[test]
    fn a_family_or_a_flag_does_not_come_apart() {
        let family = "👨‍👩‍👧‍👦";
        let text = family.repeat(3);
        for piece in split(&text, 30, Unit::Bytes) {
            assert_eq!(piece, family);
        }
        assert_eq!(split("🇩🇪🇫🇷", 3, Unit::Characters), ["🇩🇪", "🇫🇷"]);
    }

    #[test]
    fn what_is_longer_than_a_message_by_itself_is_still_sent() {
        let heap = format!("a{}", "\u{301}".repeat(20));
        let pieces = split(&heap, 8, Unit::Bytes);
        assert_eq!(pieces.concat(), heap);
        assert!(pieces.iter().all(|piece| piece.len() <= 8));
    }

    proptest! {
        #[test]
        fn splitting_loses_nothing_and_keeps_to_the_limit(text in "(\\PC|[ \n\r。👨‍👩‍👧‍👦\u{301}]){0,200}", max in 4usize..40, bytes: bool) {
            let unit = if bytes { Unit::Bytes } else { Unit::Characters };
            let pieces = split(&text, max, unit);
            prop_assert_eq!(pieces.concat(), text.as_str());
            for piece in pieces {
                prop_assert!(!piece.is_empty() && measure(piece, unit) <= max);
            }
        }

        #[test]
        fn words_that_fit_are_never_cut(words in prop::collection::vec("[a-z]{1,12}", 1..40)) {
            let text = words.join(" ");
            for piece in split(&text, 16, Unit::Characters) {
                prop_assert!(piece.split_whitespace().all(|word| words.iter().any(|whole| whole == word)));
            }
        }
    }
}
