//! Reading JSON whose shape a platform may change any day: what is there is used, what is not is absent.
//!
//! No derived types for webhooks: with those, one odd field fails a whole batch.

use serde_json::Value;

use crate::Rejected;

/// The text at a JSON pointer, when there is one and it is not empty.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The whole number at a JSON pointer, also when it is written as a text.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    let found = value.pointer(pointer)?;
    found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())
}

/// The array at a JSON pointer; empty when there is none.
pub(crate) fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A document; half of a surrogate pair, which platforms leave behind when they shorten a name within an emoji, is
/// read as U+FFFD instead of losing the whole batch.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Rejected> {
    serde_json::from_slice(body)
        .or_else(|error| mend_surrogates(body).and_then(|mended| serde_json::from_slice(&mended).ok()).ok_or(error))
        .map_err(|error| Rejected::Malformed(format!("the body is not JSON: {error}")))
}

/// The document with every `\uD800`–`\uDFFF` that is not part of a pair replaced; nothing when there is none.
fn mend_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut changed = false;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(at);
        mended.extend_from_slice(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                changed = true;
                mended.extend_from_slice(b"\\ufffd");
                rest = &escape[6..];
                continue;
            }
            _ => escape.len().min(2),
        };
        mended.extend_from_slice(&escape[..length]);
        rest = &escape[length..];
    }
    mended.extend_from_slice(rest);
    changed.then_some(mended)
}

/// The code unit that an escape like `\ud83d` at the start of `bytes` stands for.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_emoji_costs_one_character_and_not_the_batch() {
        let value = parse(br#"{"a":"\ud83d cut","b":"\ud83d\ude00","c":"\\ud83d","d":"\ude00\n"}"#).unwrap();
        assert_eq!(text(&value, "/a"), Some("\u{fffd} cut"));
        assert_eq!(text(&value, "/b"), Some("\u{1f600}"));
        assert_eq!(text(&value, "/c"), Some("\\ud83d"));
        assert_eq!(text(&value, "/d"), Some("\u{fffd}\n"));
    }

    #[test]
    fn what_is_not_json_is_refused_without_repeating_it() {
        let error = parse(b"{\"text\": secret}").unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(!error.to_string().contains("secret"));
        for broken in [&b"{\"a\":\"\\ud83d"[..], b"\"\\u", b"\xff", b"", b"{\"a\":\"\xc3\"}"] {
            assert!(parse(broken).is_err());
        }
    }
}
