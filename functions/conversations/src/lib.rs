//! `/v1/conversations`: lists, heads, entries; agents' commands as turns.
//!
//! Writes nothing itself: a command is queued and its outcome is the entry, or the refusal kept under its turn.

mod acts;
mod read;

use colloquy_aws::Clients;
use colloquy_domain::ConversationId;
use colloquy_edge::{
    Caller, Commands, Configuration, ConfigurationError, Failure, Function, Wiring,
    http::{Answer, Request, respond},
};
use serde_json::Value;

/// The function, started.
pub struct App {
    commands: Commands,
    first_administrator: Option<String>,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            commands: Commands {
                timeline: wiring.timeline()?,
                desk: wiring.desk()?,
                turns: wiring.queue("TURNS_QUEUE_URL")?,
                clients: clients.clone(),
            },
            first_administrator: configuration.optional("FIRST_ADMINISTRATOR"),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        let request = Request::read(event)?;
        Ok(respond(Box::pin(self.answer(&request)).await))
    }
}

impl App {
    async fn answer(&self, request: &Request) -> Result<Answer, Failure> {
        let first = self.first_administrator.as_deref();
        let caller = Caller::of(request, &self.commands.desk, &self.commands.clients, first).await?;
        let segments = request.segments();
        let (id, rest) = match segments.as_slice() {
            ["v1", "conversations"] => return self.collection(&caller, request).await,
            ["v1", "conversations", id, rest @ ..] => (*id, rest),
            _ => return Err(Failure::unhandled(None)),
        };
        let id: ConversationId =
            id.parse().map_err(|_| Failure::NotFound("there is no such conversation".to_owned()))?;
        match (request.method.as_str(), rest) {
            ("GET", []) => self.head(&caller, &id).await,
            ("GET", ["entries"]) => self.entries(&caller, &id, request).await,
            ("GET", ["turns", turn]) => self.turn(&caller, &id, turn).await,
            ("POST", ["messages"]) => self.say(&caller, &id, request).await,
            ("POST", ["messages", message, "retries"]) => self.retry(&caller, &id, message, request).await,
            ("POST", ["notes"]) => self.note(&caller, &id, request).await,
            ("POST", ["offer"]) => self.offer(&caller, &id, request).await,
            ("PUT", ["holder"]) => self.hand_over(&caller, &id, request).await,
            ("PUT", ["resolution"]) => self.resolve(&caller, &id, request).await,
            ("DELETE", ["resolution"]) => self.reopen(&caller, &id, request).await,
            _ => Err(Failure::unhandled(methods(rest))),
        }
    }

    async fn collection(&self, caller: &Caller, request: &Request) -> Result<Answer, Failure> {
        match request.method.as_str() {
            "GET" => self.list(caller, request).await,
            "POST" => self.begin(caller, request).await,
            _ => Err(Failure::unhandled(Some("GET, POST"))),
        }
    }
}

/// What may be done below a conversation's address.
fn methods(rest: &[&str]) -> Option<&'static str> {
    match rest {
        [] | ["entries"] | ["turns", _] => Some("GET"),
        ["messages" | "notes" | "offer"] | ["messages", _, "retries"] => Some("POST"),
        ["holder"] => Some("PUT"),
        ["resolution"] => Some("DELETE, PUT"),
        _ => None,
    }
}
