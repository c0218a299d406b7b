//! What the answers of WeChat's API mean, by `errcode`.
//!
//! Source: 全局返回码 and the errors of 客服消息. WeChat answers 200 to almost everything, and never gives a message's id.

use colloquy_domain::Outcome;

use crate::{
    json,
    judge::{again, by_status, words},
};

/// What the answer to a rendered call means.
#[must_use]
pub fn judge(status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
    let answer = json::parse(body).unwrap_or_default();
    let code = json::number(&answer, "/errcode");
    match code {
        Some(0) if (200..=299).contains(&status) => Outcome::Sent(None),
        Some(code) if code != 0 => by_code(code, json::text(&answer, "/errmsg").unwrap_or_default(), headers),
        _ if (200..=299).contains(&status) => {
            Outcome::Unknown(format!("WeChat answered {status} and does not say whether it took the message"))
        }
        _ => by_status("WeChat", status, headers),
    }
}

/// What an error code means, wherever it comes from.
pub(super) fn by_code(code: i64, said: &str, headers: &[(String, String)]) -> Outcome {
    let with_code = |meaning: &str| format!("{meaning} (WeChat error {code})");
    let never = |meaning: &str| Outcome::Never(with_code(meaning));
    match code {
        40_001 | 40_014 | 41_001 | 42_001 | 42_007 => {
            Outcome::TokenExpired(with_code("WeChat does not accept the access token any more"))
        }
        -1 => again(headers, with_code("WeChat is busy")),
        45_009 | 45_011 => again(headers, with_code("WeChat allows no more calls for now")),
        45_015 => never("the 48-hour window is closed, or the customer follows no more; wait until they write again"),
        45_047 => never("all messages that WeChat allows have been sent; wait until the customer writes again"),
        40_003 => never("WeChat does not know this customer on this account"),
        43_004 => never("the customer does not follow this account"),
        45_002 => never("the text is too long for WeChat"),
        40_013 | 40_125 | 41_002 | 41_004 => never("WeChat does not accept the inbox's app_id or app_secret"),
        40_164 | 61_004 => never("this server's address is not on the account's list of allowed addresses"),
        48_001 | 48_004 | 50_001 | 50_002 => never("this account may not send customer service messages"),
        87_009 | 87_014 => never("WeChat refuses this text for its content"),
        _ => Outcome::Never(with_code(&words(said.split("rid:").next().unwrap_or_default()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errcode(code: i64) -> Outcome {
        judge(200, &[], format!("{{\"errcode\":{code},\"errmsg\":\"hint: [abc] rid: 66f3bd4d\"}}").as_bytes())
    }

    #[test]
    fn a_message_that_was_taken_has_no_id() {
        assert_eq!(judge(200, &[], br#"{"errcode":0,"errmsg":"ok"}"#), Outcome::Sent(None));
    }

    #[test]
    fn a_closed_window_and_a_used_quota_are_said_in_words() {
        assert!(matches!(errcode(45_015), Outcome::Never(reason) if reason.contains("48-hour")));
        assert!(matches!(errcode(45_047), Outcome::Never(reason) if reason.contains("all messages")));
        assert!(matches!(errcode(40_003), Outcome::Never(_)));
        assert_eq!(errcode(12_345), Outcome::Never("hint: [abc] (WeChat error 12345)".to_owned()));
    }

    #[test]
    fn what_passes_is_tried_again_and_a_dead_token_is_told_apart() {
        for code in [-1, 45_009, 45_011] {
            assert!(matches!(errcode(code), Outcome::TryAgain { .. }), "{code}");
        }
        for code in [40_001, 40_014, 42_001] {
            assert!(matches!(errcode(code), Outcome::TokenExpired(_)), "{code}");
        }
    }

    #[test]
    fn an_answer_that_says_nothing_is_unknown() {
        for body in [&b"<html>"[..], b"", b"{}", b"null", b"{\"errmsg\":\"ok\"}"] {
            assert!(matches!(judge(200, &[], body), Outcome::Unknown(_)));
        }
        assert!(matches!(judge(502, &[], b""), Outcome::Unknown(_)));
        assert!(matches!(judge(503, &[], b""), Outcome::TryAgain { .. }));
        assert!(matches!(judge(412, &[], b""), Outcome::Never(_)));
    }
}
