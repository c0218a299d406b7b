//! WeChat's XML: one `<xml>` with elements that hold text.
//!
//! No document types and so no entities of anyone's own, no elements within elements, no attributes: what is nested
//! is passed over, what is unknown is kept under its name and read by nobody.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

use crate::Rejected;

/// The texts of a message's elements, by name.
pub(super) struct Fields(BTreeMap<String, String>);

/// More elements than any message has.
const MOST: usize = 200;

impl Fields {
    /// The text of an element, when it is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The same, without space around it: for ids and numbers.
    pub(super) fn trimmed(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// The elements of a body. Of two with one name the first counts.
pub(super) fn read(body: &[u8]) -> Result<Fields, Rejected> {
    let malformed = |what: &str| Rejected::Malformed(format!("the body is not WeChat's XML: {what}"));
    let text = str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut fields = Fields(BTreeMap::new());
    let (mut depth, mut closed, mut open) = (0usize, false, None::<(String, String)>);
    loop {
        let event = reader.read_event().map_err(|_| malformed("it is not well formed"))?;
        match event {
            Event::Start(start) => {
                depth += 1;
                match depth {
                    1 if closed || start.name().as_ref() != "xml" => return Err(malformed("its root is not <xml>")),
                    2 => open = Some((start.name().as_ref().to_owned(), String::new())),
                    _ => {}
                }
            }
            Event::End(_) => {
                if depth == 2
                    && let Some((name, value)) = open.take()
                {
                    if fields.0.len() >= MOST {
                        return Err(malformed("it has too many elements"));
                    }
                    fields.0.entry(name).or_insert(value);
                }
                depth = depth.saturating_sub(1);
                closed |= depth == 0;
            }
            Event::DocType(_) => return Err(malformed("it has a document type")),
            Event::Eof if closed => return Ok(fields),
            Event::Eof => return Err(malformed("it ends early")),
            event if depth == 2 => {
                if let Some((_, value)) = open.as_mut() {
                    value.push_str(&content(&event).ok_or_else(|| malformed("it has an unknown entity"))?);
                }
            }
            _ => {}
        }
    }
}

/// The text that an event within an element stands for; nothing for an entity that XML itself does not define.
fn content(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Text(text) => Some(text.xml10_content().into_owned()),
        Event::CData(text) => Some(text.xml10_content().into_owned()),
        Event::GeneralRef(reference) if reference.is_char_ref() => reference.resolve_char_ref().ok()?.map(String::from),
        Event::GeneralRef(reference) => match reference.xml10_content().as_ref() {
            "amp" => Some("&".to_owned()),
            "lt" => Some("<".to_owned()),
            "gt" => Some(">".to_owned()),
            "quot" => Some("\"".to_owned()),
            "apos" => Some("'".to_owned()),
            _ => None,
        },
        _ => Some(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(body: &str, name: &str) -> Option<String> {
        read(body.as_bytes()).unwrap().get(name).map(str::to_owned)
    }

    #[test]
    fn text_and_cdata_and_xmls_own_entities_are_read() {
        let body = "\u{feff}<?xml version=\"1.0\"?>\n<xml><A><![CDATA[a <b> & ]]]]><![CDATA[>c]]></A> <B>1 &lt; 2 &#x4f60;</B><C/></xml>\n";
        assert_eq!(field(body, "A").as_deref(), Some("a <b> & ]]>c"));
        assert_eq!(field(body, "B").as_deref(), Some("1 < 2 你"));
        assert_eq!(field(body, "C"), None);
    }

    #[test]
    fn what_is_nested_is_passed_over() {
        let body = "<xml><A>1</A><Info><A>2</A><Deep><B>3</B></Deep></Info><A>4</A></xml>";
        assert_eq!(field(body, "A").as_deref(), Some("1"));
        assert_eq!(field(body, "B"), None);
    }

    #[test]
    fn no_entity_is_ever_expanded() {
        let bomb = "<!DOCTYPE xml [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><xml><A>&b;</A></xml>";
        let outside = "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml><A>1</A></xml>";
        for body in [bomb, outside, "<xml><A>&b;</A></xml>"] {
            assert_eq!(read(body.as_bytes()).err().map(|error| error.status()), Some(400));
        }
    }

    #[test]
    fn what_is_cut_short_or_not_wechats_is_refused() {
        for body in ["", "<xml>", "<xml><A>1</A>", "<xml><A>1</xml>", "<html></html>", "plain", "<xml/>x", "{\"a\":1}"]
        {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read(b"<xml><A>\xff\xfe</A></xml>").is_err());
        let many: String = (0..300).map(|n| format!("<E{n}>1</E{n}>")).collect();
        assert!(read(format!("<xml>{many}</xml>").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_reading_panic(body in "(<xml>|</xml>|<[A-C]/?>|</[A-C]>|<!\\[CDATA\\[|\\]\\]>|&[a-z#0-9x]{0,5};?|\\PC){0,40}") {
            let _ = read(body.as_bytes());
        }

        #[test]
        fn nor_do_arbitrary_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }
}
