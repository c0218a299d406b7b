//! What an answer means when the platform's own words do not say: by its HTTP status, or by how the connection broke.
//!
//! The rule is [`Outcome`]'s: try again only when the message was certainly not taken; never, only when it certainly
//! will not be; anything else is unknown.

use colloquy_domain::Outcome;

/// How a call ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// No connection came about: refused, no route, no such name, no agreement on TLS.
    BeforeSending,
    /// The connection was lost after bytes of the request had left.
    AfterSending,
    /// No answer came in time.
    TimedOut,
}

/// What a call without an answer means.
#[must_use]
pub fn judge_broken(broken: Broken) -> Outcome {
    match broken {
        Broken::BeforeSending => {
            Outcome::TryAgain { after_s: None, reason: "the channel's API could not be reached".to_owned() }
        }
        Broken::AfterSending => {
            Outcome::Unknown("the connection broke after the message was sent and before an answer came".to_owned())
        }
        Broken::TimedOut => Outcome::Unknown("the channel's API did not answer in time".to_owned()),
    }
}

/// What a status alone means. 500 and 503 are the platform saying it did not; 502 and 504 are a gateway saying it
/// does not know whether the platform did.
pub(crate) fn by_status(platform: &str, status: u16, headers: &[(String, String)]) -> Outcome {
    match status {
        429 => again(headers, format!("{platform} asks us to slow down (429)")),
        408 | 500 | 503 => again(headers, format!("{platform} could not take it now ({status})")),
        401 => Outcome::TokenExpired(format!("{platform} does not accept the access token (401)")),
        300..=399 => Outcome::Never(format!("{platform} answered with a redirect ({status}); check api_base")),
        404 => {
            Outcome::Never(format!("{platform} has nothing at this address (404); check api_base and the inbox's id"))
        }
        400..=499 => Outcome::Never(format!("{platform} refused it ({status})")),
        _ => Outcome::Unknown(format!("{platform} answered {status}, which does not say whether it was taken")),
    }
}

/// Try again, when `Retry-After` says.
pub(crate) fn again(headers: &[(String, String)], reason: String) -> Outcome {
    let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    Outcome::TryAgain { after_s: header.and_then(|(_, value)| value.trim().parse().ok()), reason }
}

/// A platform's own words, fit for an agent's eyes and a log: short, without addresses, tokens or ids.
pub(crate) fn words(given: &str) -> String {
    let private = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.chars().count() > 30 || digits >= 7 || word.contains('@')
    };
    let kept = given.split_whitespace().take(40).map(|word| if private(word) { "…" } else { word });
    kept.collect::<Vec<_>>().join(" ").chars().filter(|char| !char.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_never_left_may_be_repeated_and_one_without_an_answer_may_not() {
        assert!(matches!(judge_broken(Broken::BeforeSending), Outcome::TryAgain { after_s: None, .. }));
        assert!(matches!(judge_broken(Broken::AfterSending), Outcome::Unknown(_)));
        assert!(matches!(judge_broken(Broken::TimedOut), Outcome::Unknown(_)));
    }

    #[test]
    fn a_platforms_words_lose_what_is_private() {
        assert_eq!(words("Malformed access token EAAGm0PX4ZCpsBAKZCZBZBzzzzzzzzzzzzzzzz"), "Malformed access token …");
        assert_eq!(words("recipient +1(650)555-1234\n is  out\u{7}"), "recipient … is out");
        assert!(words(&"very ".repeat(900)).chars().count() <= 200);
    }
}
