//! Deflating the JSON of timeline items, which share most of their words with one another: what they share is known
//! beforehand and costs next to nothing, so that an ordinary turn or head keeps within the 1 KB of a write unit.
//!
//! A value is `7`, then a raw deflate stream that goes on from the words below (a preset dictionary, made with nothing
//! but a stream's own blocks). No deflate stream begins with a 7, so values written without it read back too.

use std::io::{self, Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// What deflated values begin with: a block type that deflate does not have.
const MARK: u8 = 7;

/// Words that turns and heads share, the most frequent last. What is written depends on every byte of it, so it never
/// changes; other words come under another mark.
const WORDS: &str = concat!(
    r#"{"id":"cnv_01","thread":"thr_","inbox":"inb_whatsapp","channel":"wechat","contact":"cnt_01","identity":"#,
    r#","name":"","seq":1,"episode":1,"status":"open","holder":{"kind":"agent","agent":"agt_01"},"lease":2,"#,
    r#""opened_at":"2026-11-2","updated_at":"2026-11-2","since":"2026-11-2","queued_at":"2026-11-2","#,
    r#""awaited_at":"2026-11-2","resolved_at":"2026-11-2","contact_at":"2026-11-2","first_reply_at":"2026-11-2","#,
    r#""agent_seq":0,"replies":0,"unread":1,"language":"zh","preview":"","offer":{"agent":"agt_01","until":"2026-11-2"#,
    r#""passed":["agt_"],"silent_at":"2026-11-2","armed":"2026-11-2","recent":[""],"forgot":"2026-11-2"}"#,
    "您好！您的消息我们已经收到，正在为您转接人工客服，请稍候。可以吗？请问你们的订单退款，谢谢。",
    "Hello! We have your message. I am passing you on to our team, one moment please. Thank you, can you the order ",
    r#""kind":"note","agent":"agt_01","text":"","key":""},"kind":"offer.expired","agent":"kind":"offer.declined","#,
    r#""kind":"conversation.transferred","by":"agt_01","to":{"kind":"queue","queue":"que_general"}"#,
    r#""kind":"conversation.resolved","by":{"agent":"agt_01"},"by":"silence","disposition":"#,
    r#""kind":"conversation.reopened","kind":"delivery.failed","message":"kind":"delivery.unknown","reason":"#,
    r#"{"ask":"withdraw","queue":"que_general","since":"{"ask":"release","agent":"agt_01"{"ask":"lapse","agent":""#,
    r#"{"ask":"wake","at":"2026-11-2{"ask":"hold","agent":"agt_01"}],"not":["agt_"]}]}"#,
    r#""kind":"conversation.offered","agent":"agt_01","until":"2026-11-2"#,
    r#""kind":"conversation.assigned","agent":"agt_01","by":"offer"},"by":"taken"}"#,
    r#"{"key":"trn_01","remembered":true,"entries":[{"seq":2,"at":"2026-11-23T0"kind":"message","author":"agent","#,
    r#""agent":"agt_01","text":"","key":""}],"effects":[{"ask":"deliver","message":2,"attempt":1}]}"#,
    r#"{"key":"trn_","remembered":false,"entries":[{"seq":1,"at":"2026-11-23T08:00:00.000Z","#,
    r#""kind":"conversation.opened","episode":1,"thread":"thr_","inbox":"inb_whatsapp","channel":"whatsapp","#,
    r#""contact":"cnt_01","identity":"","name":""},{"seq":2,"at":"2026-11-23T0"kind":"message","author":"contact","#,
    r#""text":"","understanding":{"language":"en","intent":null,"confidence":0.0,"mood":"neutral","entities":[]}},"#,
    r#"{"seq":3,"at":"2026-11-23T0"kind":"message","author":"bot","text":""},{"seq":4,"at":"2026-11-23T0"#,
    r#""kind":"conversation.handed_off","queue":"que_general","reason":"no_answer"}],"#,
    r#""effects":[{"ask":"deliver","message":3,"attempt":1},{"ask":"seek","queue":"que_general","since":"#,
    r#""lease":1,"not":[]}]}"#,
);

/// Deflates a value.
pub(crate) fn deflate(plain: &[u8]) -> io::Result<Vec<u8>> {
    // Higher levels find nothing more in values this short.
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(1_024 + plain.len()), Compression::new(3));
    encoder.write_all(WORDS.as_bytes())?;
    // To the end of a byte, so that what follows can be taken off and put after the same words again.
    encoder.flush()?;
    let known = encoder.get_ref().len();
    encoder.write_all(plain)?;
    let mut deflated = vec![MARK];
    deflated.extend_from_slice(&encoder.finish()?[known..]);
    Ok(deflated)
}

/// Inflates a value; at most `limit` bytes of it are read.
pub(crate) fn inflate(deflated: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(deflated.len() * 3);
    let Some((&MARK, rest)) = deflated.split_first() else {
        DeflateDecoder::new(deflated).take(limit).read_to_end(&mut plain)?;
        return Ok(plain);
    };
    let known = stored(WORDS.as_bytes());
    let mut both = DeflateDecoder::new(known.as_slice().chain(rest));
    io::copy(&mut both.by_ref().take(WORDS.len() as u64), &mut io::sink())?;
    both.take(limit).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Bytes as the beginning of a deflate stream that keeps them as they are.
#[expect(clippy::cast_possible_truncation, reason = "the words are a few kilobytes")]
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut block = vec![0];
    block.extend_from_slice(&length.to_le_bytes());
    block.extend_from_slice(&(!length).to_le_bytes());
    block.extend_from_slice(bytes);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_whatever_it_is() {
        for value in ["", "{}", "你好", WORDS, &"abc".repeat(100_000)] {
            let deflated = deflate(value.as_bytes()).unwrap();
            assert_eq!(inflate(&deflated, 1 << 20).unwrap(), value.as_bytes());
        }
    }

    #[test]
    fn what_was_deflated_without_the_words_reads_back() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"{\"a\":1}").unwrap();
        assert_eq!(inflate(&encoder.finish().unwrap(), 100).unwrap(), b"{\"a\":1}");
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let deflated = deflate(&vec![b'a'; 100_000]).unwrap();
        assert_eq!(inflate(&deflated, 10).unwrap().len(), 10);
    }

    #[test]
    fn what_is_no_stream_is_an_error() {
        assert!(inflate(&[MARK, 0xff, 0xff], 100).is_err());
    }

    #[test]
    fn the_words_never_change() {
        // Changing one makes everything written with them unreadable.
        let sum = WORDS.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        assert_eq!((WORDS.len(), sum), (2_454, 5_789_936_210_889_154_293));
    }
}
