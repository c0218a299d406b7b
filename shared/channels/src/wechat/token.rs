//! Fetching an access token.
//!
//! `cgi-bin/stable_token` first: asked again while a token is valid it gives the same one, and it does not touch the
//! tokens that the account's other systems fetch. The older `cgi-bin/token` ends the token before with each call, so
//! two functions asking at once would end each other's, and the shop's; it is only for gateways in between that know
//! nothing else. Neither is forced to renew: when a token ended early, the next ask gives the one that is valid.

use colloquy_domain::Outcome;
use serde_json::json;

use super::judge::by_code;
use crate::{Call, Settings, SettingsError, TokenAnswer, json, judge::by_status};

/// The calls that fetch a token, in the order to try them.
///
/// # Errors
/// When a setting is missing.
pub fn token_calls(settings: &Settings, api_base: &str) -> Result<Vec<Call>, SettingsError> {
    let (app_id, secret) = (settings.text("app_id")?, settings.text("app_secret")?);
    let base = api_base.trim_end_matches('/');
    let body = json!({ "grant_type": "client_credential", "appid": app_id, "secret": secret });
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "client_credential"), ("appid", app_id), ("secret", secret)])
        .finish();
    let older =
        Call { method: "GET", url: format!("{base}/cgi-bin/token?{query}"), headers: Vec::new(), body: Vec::new() };
    Ok(vec![Call::post_json(format!("{base}/cgi-bin/stable_token"), &body), older])
}

/// What the answer to one of those calls means.
#[must_use]
pub fn read_token(status: u16, headers: &[(String, String)], body: &[u8]) -> TokenAnswer {
    let answer = json::parse(body).unwrap_or_default();
    let code = json::number(&answer, "/errcode").unwrap_or_default();
    let good = (200..=299).contains(&status);
    match json::text(&answer, "/access_token") {
        Some(token) if good && code == 0 => {
            let expires_in_s = json::number(&answer, "/expires_in").and_then(|seconds| u64::try_from(seconds).ok());
            // Too short is safe: it only means asking again.
            TokenAnswer::Token { token: token.to_owned(), expires_in_s: expires_in_s.unwrap_or(300) }
        }
        _ if code != 0 => {
            TokenAnswer::Refused(refused(by_code(code, json::text(&answer, "/errmsg").unwrap_or_default(), headers)))
        }
        _ if good || status == 404 || status == 405 => TokenAnswer::NotOffered,
        _ => TokenAnswer::Refused(refused(by_status("WeChat", status, headers))),
    }
}

/// Asking for a token sends no message, so nothing is unknown; and a credential that is refused here is a wrong
/// setting, not an old token.
fn refused(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::TokenExpired(_) => {
            Outcome::Never("WeChat does not accept the inbox's app_id and app_secret".to_owned())
        }
        Outcome::Unknown(reason) => Outcome::TryAgain { after_s: None, reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_with_its_time() {
        let answer = read_token(200, &[], br#"{"access_token":"ACCESS","expires_in":7200}"#);
        assert!(matches!(answer, TokenAnswer::Token { token, expires_in_s: 7_200 } if token == "ACCESS"));
    }

    #[test]
    fn a_platform_that_does_not_know_the_call_is_asked_the_older_one() {
        for (status, body) in [(404, "<html>"), (405, ""), (200, "{}"), (200, r#"{"errcode":0,"errmsg":"ok"}"#)] {
            assert!(matches!(read_token(status, &[], body.as_bytes()), TokenAnswer::NotOffered), "{status} {body}");
        }
    }

    #[test]
    fn a_wrong_secret_is_never_tried_again_and_a_busy_platform_is() {
        for code in [40_001, 40_125, 40_013] {
            let body = format!("{{\"errcode\":{code},\"errmsg\":\"invalid\"}}");
            assert!(matches!(read_token(200, &[], body.as_bytes()), TokenAnswer::Refused(Outcome::Never(_))), "{code}");
        }
        let busy = read_token(200, &[], br#"{"errcode":-1,"errmsg":"system error"}"#);
        assert!(matches!(busy, TokenAnswer::Refused(Outcome::TryAgain { .. })));
        assert!(matches!(read_token(504, &[], b""), TokenAnswer::Refused(Outcome::TryAgain { .. })));
    }
}
