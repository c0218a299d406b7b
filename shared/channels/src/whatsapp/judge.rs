//! What Graph's answers mean, by their error codes.
//!
//! Source: the Cloud API's error reference (Meta, 2026-05). Codes decide before HTTP statuses do, since Meta moves the
//! statuses and promises the codes. Only what is documented as passing is tried again.

use colloquy_domain::Outcome;
use serde_json::Value;

use super::message_id;
use crate::{
    json,
    judge::{again, by_status, words},
};

/// What the answer to a rendered call means.
#[must_use]
pub fn judge(status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
    if (200..=299).contains(&status) {
        return Outcome::Sent(message_id(body));
    }
    let answer = json::parse(body).unwrap_or_default();
    let Some(code) = json::number(&answer, "/error/code") else { return by_status("WhatsApp", status, headers) };
    let error = &answer["error"];
    match code {
        0 | 190 => Outcome::TokenExpired("WhatsApp does not accept the inbox's access_token any more".to_owned()),
        1 | 2 | 4 | 17 | 32 | 613 | 80_007 | 130_429 | 131_000 | 131_016 | 131_048 | 131_056 | 131_057 | 133_004 => {
            again(headers, explain(error))
        }
        _ if error["is_transient"] == true => again(headers, explain(error)),
        _ if known(code).is_some() => Outcome::Never(explain(error)),
        _ if (400..=499).contains(&status) && status != 429 && status != 408 => Outcome::Never(explain(error)),
        _ => by_status("WhatsApp", status, headers),
    }
}

/// Words for an error of the platform's that an agent can act on, with its code.
pub(super) fn explain(error: &Value) -> String {
    let code = json::number(error, "/code").unwrap_or(-1);
    let own = || json::text(error, "/title").or_else(|| json::text(error, "/message")).map(words);
    let meaning = known(code).map(str::to_owned).or_else(own);
    let meaning = meaning.unwrap_or_else(|| "the platform does not say what is wrong".to_owned());
    format!("{meaning} (WhatsApp error {code})")
}

const fn known(code: i64) -> Option<&'static str> {
    Some(match code {
        1 | 2 | 131_000 | 131_016 | 133_004 => "WhatsApp had a fault and could not take it now",
        3 | 10 | 200..=299 | 131_005 => "the access_token may not send for this phone number",
        4 | 17 | 32 | 613 | 80_007 | 130_429 => "WhatsApp allows no more calls for now",
        33 | 100 | 131_008 | 131_009 => "WhatsApp does not accept this request; check the inbox's phone_number_id",
        368 | 131_031 => "WhatsApp has blocked this account for breaking its policies",
        470 | 131_047 => "the 24-hour window is closed; wait until the customer writes again, or send a template",
        130_472 => "WhatsApp keeps this customer in an experiment and does not deliver to them",
        131_021 => "an inbox cannot write to its own number",
        131_026 => "this number cannot receive it: no WhatsApp, an old version, or the business is blocked",
        131_030 => "this number is not on the list of a test account's recipients",
        131_037 | 131_045 | 133_010 => "this inbox's phone number is not registered for sending",
        131_042 => "the WhatsApp account has an unpaid or missing payment method",
        131_048 => "WhatsApp restricts this number because too many of its messages were marked as spam",
        131_049 => "WhatsApp chose not to deliver it, to spare this customer",
        131_050 => "the customer does not want marketing messages from this business",
        131_051 => "WhatsApp does not support this type of message",
        131_056 => "too many messages to this customer in a short time",
        131_057 => "the WhatsApp account is under maintenance",
        132_000..=132_099 => "the template is not right: its name, language, state or parameters",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(status: u16, error: &str) -> Outcome {
        judge(status, &[], format!("{{\"error\":{error}}}").as_bytes())
    }

    #[test]
    fn a_message_that_was_taken_has_its_id() {
        let taken = br#"{"messaging_product":"whatsapp","contacts":[{"input":"16505551234","wa_id":"16505551234"}],"messages":[{"id":"wamid.A"}]}"#;
        assert_eq!(judge(200, &[], taken), Outcome::Sent(Some("wamid.A".to_owned())));
        assert_eq!(judge(200, &[], b"<html>"), Outcome::Sent(None));
    }

    #[test]
    fn a_closed_window_is_said_in_words_an_agent_understands() {
        let Outcome::Never(reason) = graph(400, r#"{"code":131047,"message":"(#131047) Re-engagement message"}"#)
        else {
            panic!()
        };
        assert!(reason.contains("24-hour window") && reason.contains("131047"), "{reason}");
        for code in [131_026, 131_051, 132_000, 100, 131_030] {
            assert!(matches!(graph(400, &format!("{{\"code\":{code}}}")), Outcome::Never(_)), "{code}");
        }
    }

    #[test]
    fn what_passes_is_tried_again_and_a_dead_token_is_told_apart() {
        for code in [130_429, 131_048, 131_056, 4, 80_007, 1, 2, 131_000, 131_016] {
            assert!(matches!(graph(400, &format!("{{\"code\":{code}}}")), Outcome::TryAgain { .. }), "{code}");
        }
        assert!(matches!(graph(500, r#"{"code":987654,"is_transient":true}"#), Outcome::TryAgain { .. }));
        assert!(matches!(
            graph(401, r#"{"code":190,"message":"Malformed access token EAAG"}"#),
            Outcome::TokenExpired(_)
        ));
        assert!(matches!(judge(401, &[], b""), Outcome::TokenExpired(_)));
    }

    #[test]
    fn a_platform_that_asks_to_wait_says_how_long() {
        let headers = [("Retry-After".to_owned(), "17".to_owned())];
        assert!(matches!(judge(429, &headers, b""), Outcome::TryAgain { after_s: Some(17), .. }));
        assert!(matches!(judge(429, &[], b"slow down"), Outcome::TryAgain { after_s: None, .. }));
    }

    #[test]
    fn a_gateways_word_is_not_the_platforms() {
        for status in [500, 503] {
            assert!(matches!(judge(status, &[], b""), Outcome::TryAgain { .. }), "{status}");
        }
        for status in [502, 504, 520, 100] {
            assert!(matches!(judge(status, &[], b"<html>"), Outcome::Unknown(_)), "{status}");
        }
        assert!(matches!(judge(302, &[], b""), Outcome::Never(_)));
        assert!(matches!(judge(404, &[], b""), Outcome::Never(_)));
    }

    #[test]
    fn an_unknown_error_shows_the_platforms_words_without_what_is_private() {
        let Outcome::Never(reason) = graph(400, r#"{"code":999999,"message":"no way for +16505551234"}"#) else {
            panic!()
        };
        assert_eq!(reason, "no way for … (WhatsApp error 999999)");
    }
}
