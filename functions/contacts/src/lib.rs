//! `/v1/contacts/{id}`: who a customer is, on every channel, and what they wrote before.
//!
//! Joining identities and erasing contacts are not here yet.

use colloquy_aws::{Clients, Desk, Timeline};
use colloquy_domain::ContactId;
use colloquy_edge::{
    Caller, Configuration, ConfigurationError, Failure, Function, Wiring,
    http::{Answer, Request, respond},
    view,
};
use serde_json::{Value, json};

/// The function, started.
pub struct App {
    desk: Desk,
    timeline: Timeline,
    clients: Clients,
    first_administrator: Option<String>,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            desk: wiring.desk()?,
            timeline: wiring.timeline()?,
            clients: clients.clone(),
            first_administrator: configuration.optional("FIRST_ADMINISTRATOR"),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        let request = Request::read(event)?;
        Ok(respond(self.answer(&request).await))
    }
}

impl App {
    async fn answer(&self, request: &Request) -> Result<Answer, Failure> {
        let caller = Caller::of(request, &self.desk, &self.clients, self.first_administrator.as_deref()).await?;
        let unknown = || Failure::NotFound("there is no such contact".to_owned());
        let segments = request.segments();
        let id = match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v1", "contacts", id]) => id,
            (_, ["v1", "contacts", _]) => return Err(Failure::unhandled(Some("GET"))),
            _ => return Err(Failure::unhandled(None)),
        };
        let id: ContactId = id.parse().map_err(|_| unknown())?;
        let identities = self.desk.identities_of(&id).await?;
        if identities.is_empty() {
            return Err(unknown());
        }
        let mut conversations = self.desk.conversations_of(&id).await?;
        // Newest first: ids sort by their time.
        conversations.sort_by(|a, b| b.cmp(a));
        let heads = self.timeline.heads(&conversations).await?;
        let mut seen = Vec::new();
        for head in &heads {
            if caller.may_see(head, &self.desk).await.is_ok() {
                seen.push(view::head(head, self.clients.now()));
            }
        }
        // Whoever may see none of a contact's conversations learns nothing of the contact.
        if seen.is_empty() {
            return Err(Failure::Forbidden("this contact's conversations are with others".to_owned()));
        }
        let name = match self.desk.contact(&id).await? {
            Some(contact) => contact.name,
            None => None,
        };
        let name = name.or_else(|| identities.iter().find_map(|identity| identity.name.clone()));
        let identities: Vec<Value> = identities
            .iter()
            .map(|identity| {
                json!({
                    "channel": identity.channel, "inbox": identity.inbox,
                    "address": identity.address, "name": identity.name,
                })
            })
            .collect();
        Ok(Answer::json(200, &json!({"id": id, "name": name, "identities": identities, "conversations": seen})))
    }
}
