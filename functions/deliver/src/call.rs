//! One call to a channel's API, and what its end means.
//!
//! No redirects: an answer that points elsewhere is not the platform's word. Knows no channel's shapes.

use std::time::Duration;

use colloquy_channels::{Broken, Call, judge_broken};
use colloquy_domain::Outcome;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take; the function's own time-out is longer.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// The client every call is made with.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .user_agent("colloquy")
        .pool_idle_timeout(Duration::from_secs(20))
        .no_proxy()
        .build()
}

/// The platform's answer to a call.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Makes a call; what broke off comes back as the outcome it means.
pub(crate) async fn make(http: &reqwest::Client, call: &Call) -> Result<Answered, Outcome> {
    let method = reqwest::Method::from_bytes(call.method.as_bytes())
        .map_err(|_| Outcome::Never("this channel's method is not one of HTTP".to_owned()))?;
    let mut request = http.request(method, &call.url).body(call.body.clone());
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let mut response = request.send().await.map_err(|error| broken(&error))?;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            break;
        }
    }
    Ok(Answered { status, headers, body })
}

fn broken(error: &reqwest::Error) -> Outcome {
    if error.is_builder() {
        return Outcome::Never("the channel's address is not a URL".to_owned());
    }
    judge_broken(if error.is_connect() {
        Broken::BeforeSending
    } else if error.is_timeout() {
        Broken::TimedOut
    } else {
        Broken::AfterSending
    })
}
