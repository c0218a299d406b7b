//! The `WeChat` official account API: access tokens, plain and stable, and customer-service messages.
//!
//! A token proves itself by a checksum, so that one fetched before a restart is still good after it, as it would be with
//! the real platform. Quotas and the 48-hour window are not played.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_domain::Timestamp;
use serde_json::{Value, json};

use super::{
    SimulatedInbox,
    faults::{Fail, Fault},
    random,
    reply::{Asked, Reply},
};

const LIFETIME_S: i64 = 7_200;
/// How long an old token goes on after a new one was fetched.
const OVERLAP_S: i64 = 300;
const CONTENT_MAX_BYTES: usize = 2_048;
const REVOKED_MAX: usize = 1_000;
const SEAL: &[u8] = b"the sandbox's own";

/// The access tokens given out.
#[derive(Default)]
pub(super) struct Tokens {
    /// The current ones, by app id and whether stable.
    current: HashMap<(String, bool), String>,
    /// Tokens that ended before their time, and when.
    revoked: VecDeque<(String, i64)>,
}

enum Validity {
    Valid,
    Expired,
    Unknown,
}

impl Tokens {
    fn issue(&mut self, app: &str, stable: bool, renew: bool, now: Timestamp) -> Value {
        let slot = (app.to_owned(), stable);
        let current = self.current.get(&slot).filter(|_| stable && !renew);
        let left = |token: &String| expiry(token).unwrap_or(0) - now.seconds();
        if let Some(token) = current.filter(|token| left(token) > OVERLAP_S) {
            return json!({"access_token": token, "expires_in": left(token)});
        }
        let body = format!("{}.{app}.{}", now.seconds() + LIFETIME_S, URL_SAFE_NO_PAD.encode(random::<24>()));
        let token = format!("{body}.{}", checksum(&body));
        if let Some(old) = self.current.insert(slot, token.clone()) {
            // A stable token renewed by force ends at once; a plain one overlaps.
            self.revoke(old, now.seconds() + if stable { 0 } else { OVERLAP_S });
        }
        json!({"access_token": token, "expires_in": LIFETIME_S})
    }

    fn revoke(&mut self, token: String, at_s: i64) {
        self.current.retain(|_, current| *current != token);
        self.revoked.push_back((token, at_s));
        if self.revoked.len() > REVOKED_MAX {
            self.revoked.pop_front();
        }
    }

    fn validity(&self, token: &str, now: Timestamp) -> Validity {
        let known = token.rsplit_once('.').is_some_and(|(body, sum)| checksum(body) == sum);
        let ended = self.revoked.iter().any(|(old, at_s)| old == token && *at_s <= now.seconds());
        match expiry(token).filter(|_| known && !ended) {
            None => Validity::Unknown,
            Some(until) if until <= now.seconds() => Validity::Expired,
            Some(_) => Validity::Valid,
        }
    }
}

/// Whether this call sends a message.
pub(super) fn sends(asked: &Asked<'_>) -> bool {
    asked.method == "POST" && asked.path == "cgi-bin/message/custom/send"
}

/// Whether this call fetches a token.
pub(super) fn fetches_token(asked: &Asked<'_>) -> bool {
    matches!((asked.method, asked.path), ("GET", "cgi-bin/token") | ("POST", "cgi-bin/stable_token"))
}

/// Whether the app's secret is right: that of an inbox with this app id; any, for an app nobody knows.
pub(super) fn admits(asked: &Asked<'_>, inboxes: &[SimulatedInbox]) -> bool {
    let (app, secret) = credentials(asked);
    let mut own = inboxes.iter().filter(|inbox| inbox.setting("app_id") == app).peekable();
    own.peek().is_none() || own.any(|inbox| inbox.setting("app_secret") == secret)
}

/// The platform's answer.
pub(super) fn answer(asked: &Asked<'_>, tokens: &mut Tokens, now: Timestamp, admitted: bool) -> Reply {
    if fetches_token(asked) {
        return token(asked, tokens, now, admitted);
    }
    if asked.parameter("access_token").is_empty() {
        return code(41_001, "access_token missing");
    }
    match tokens.validity(asked.parameter("access_token"), now) {
        Validity::Unknown => return code(40_001, "invalid credential, access_token is invalid or not latest"),
        Validity::Expired => return code(42_001, "access_token expired"),
        Validity::Valid => {}
    }
    match (asked.method, asked.path) {
        ("POST", "cgi-bin/message/custom/send") => message(asked.body),
        ("POST", "cgi-bin/message/custom/typing") => code(0, "ok"),
        _ => code(40_066, "invalid url"),
    }
}

/// What an ordered fault looks like here; nothing for those that are no answer. An ended token really ends.
pub(super) fn fault(fault: &Fault, asked: &Asked<'_>, tokens: &mut Tokens, now: Timestamp) -> Option<Reply> {
    Some(match fault.fail {
        Fail::TooMany => Reply {
            retry_after_s: fault.retry_after,
            ..Reply::new(429, json!({"errcode": 45_011, "errmsg": "api minute-quota reach limit, must slower"}))
        },
        Fail::Broken => Reply::new(500, json!({"errcode": -1, "errmsg": "system error"})),
        Fail::Token => {
            tokens.revoke(asked.parameter("access_token").to_owned(), now.seconds());
            code(40_001, "invalid credential, access_token is invalid or not latest")
        }
        Fail::Hang | Fail::Close => return None,
    })
}

fn token(asked: &Asked<'_>, tokens: &mut Tokens, now: Timestamp, admitted: bool) -> Reply {
    let stable = asked.path == "cgi-bin/stable_token";
    let kind =
        if stable { asked.body["grant_type"].as_str().unwrap_or_default() } else { asked.parameter("grant_type") };
    let (app, secret) = credentials(asked);
    match () {
        () if kind != "client_credential" => code(40_002, "invalid grant_type"),
        () if app.is_empty() => code(41_002, "appid missing"),
        () if secret.is_empty() => code(41_004, "appsecret missing"),
        () if !admitted => code(40_125, "invalid appsecret"),
        () => Reply::ok(tokens.issue(app, stable, asked.body["force_refresh"] == true, now)),
    }
}

fn credentials<'a>(asked: &'a Asked<'_>) -> (&'a str, &'a str) {
    if asked.method == "GET" {
        return (asked.parameter("appid"), asked.parameter("secret"));
    }
    let field = |name: &str| asked.body[name].as_str().unwrap_or_default();
    (field("appid"), field("secret"))
}

fn message(body: &Value) -> Reply {
    let Some(kind) = body["msgtype"].as_str() else {
        return if body.is_object() { code(40_008, "invalid message type") } else { code(47_001, "data format error") };
    };
    if body["touser"].as_str().is_none_or(str::is_empty) {
        return code(40_003, "invalid openid");
    }
    if body[kind].is_null() {
        return code(40_008, "invalid message type");
    }
    let text = body["text"]["content"].as_str().unwrap_or_default();
    match kind {
        "text" if text.is_empty() => code(44_004, "empty content"),
        "text" if text.len() > CONTENT_MAX_BYTES => code(45_002, "content size out of limit"),
        _ => code(0, "ok"),
    }
}

fn code(number: i32, words: &str) -> Reply {
    Reply::ok(json!({"errcode": number, "errmsg": words}))
}

/// Seconds since the epoch.
fn expiry(token: &str) -> Option<i64> {
    token.split('.').next()?.parse().ok()
}

fn checksum(body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SEAL), body.as_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_ref())
}
