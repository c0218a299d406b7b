//! A channel's webhook: verify on the raw body, normalise, queue, acknowledge. One function for each channel.
//!
//! Does no work and guards against no duplicate: a crash between a guard and the queue would lose the message. The
//! web's visitors come in here too, where WebSockets are blocked.

mod intake;
mod visitors;

use colloquy_aws::{Clients, Desk, Timeline, Vault, desk::Inbox};
use colloquy_channels::{Received, Rejected, Settings, receive};
use colloquy_domain::{Channel, InboxId};
use colloquy_edge::{
    Configuration, ConfigurationError, Failure, Function, Wiring,
    http::{Answer, Request, respond},
};
use serde_json::Value;
use tracing::warn;

pub use intake::{Intake, scope};

/// The function, started.
pub struct App {
    channel: Channel,
    desk: Desk,
    /// The web's visitors read their own entries; no platform's webhook reads any.
    timeline: Option<Timeline>,
    vault: Vault,
    intake: Intake,
    clients: Clients,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        let channel = configuration.required("CHANNEL")?;
        let channel = channel.parse().map_err(|_| ConfigurationError::Invalid {
            name: "CHANNEL".to_owned(),
            value: channel,
            expected: "a channel",
        })?;
        let timeline = match channel {
            Channel::Web => Some(wiring.timeline()?),
            Channel::WhatsApp | Channel::WeChat => None,
        };
        Ok(Self {
            channel,
            desk: wiring.desk()?,
            timeline,
            intake: Intake::start(&wiring, clients)?,
            vault: wiring.vault(),
            clients: clients.clone(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        let request = Request::read(event)?;
        let answer = match &self.timeline {
            Some(timeline) => Box::pin(self.visitor(timeline, &request)).await,
            None => Box::pin(self.platform(&request)).await,
        };
        Ok(respond(answer))
    }
}

impl App {
    async fn platform(&self, request: &Request) -> Result<Answer, Failure> {
        let inbox = self.inbox(request.parameters.get("inbox").map(String::as_str).unwrap_or_default()).await?;
        let settings = Settings::new(inbox.settings);
        match receive(self.channel, &settings, &raw(request), self.clients.now()) {
            Ok(Received::Challenge(answer)) => Ok(answered(&answer)),
            Ok(Received::Batch { inbound, unreadable, answer }) => {
                for element in &unreadable {
                    warn!(inbox.id = %inbox.id, reason = %element.reason, "element of a webhook left out");
                }
                self.intake.take_all(&inbox.id, self.channel, inbound).await?;
                Ok(answered(&answer))
            }
            Err(rejected) => {
                warn!(inbox.id = %inbox.id, status = rejected.status(), reason = %rejected, "webhook turned away");
                Err(refused(&rejected))
            }
        }
    }

    async fn inbox(&self, id: &str) -> Result<Inbox, Failure> {
        let unknown = || Failure::NotFound(format!("there is no such {} inbox", self.channel));
        let id: InboxId = id.parse().map_err(|_| unknown())?;
        let inbox = self.desk.get::<Inbox>(&id).await?;
        inbox.filter(|inbox| inbox.channel == self.channel).ok_or_else(unknown)
    }
}

fn raw(request: &Request) -> colloquy_channels::Request<'_> {
    colloquy_channels::Request {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
        body: &request.body,
    }
}

fn answered(answer: &colloquy_channels::Answer) -> Answer {
    Answer::new(answer.status).body(answer.content_type, answer.body.clone())
}

fn refused(rejected: &Rejected) -> Failure {
    let reason = rejected.to_string();
    match rejected.status() {
        400 => Failure::Malformed(reason),
        401 => Failure::Unauthenticated(reason),
        403 => Failure::Forbidden(reason),
        404 => Failure::NotFound(reason),
        // Platforms ask by GET whether the address is ours, and deliver by POST.
        405 => Failure::Method("GET, POST"),
        413 => Failure::TooLarge(reason),
        503 | 500 => Failure::Unavailable(reason),
        _ => Failure::Invalid(reason),
    }
}
