//! Who works here and where customers write: `/v1/me`, tickets, agents, teams, queues, inboxes, the API's description.
//!
//! Secrets of inboxes come in and are never shown again. Changes take effect within the directory cache's five
//! seconds.

mod agents;
mod inboxes;
mod resource;

use colloquy_aws::{
    Clients, Desk, Sockets,
    desk::{Agent, Owner, Queue, Session, Team},
};
use colloquy_edge::{
    Caller, Configuration, ConfigurationError, Failure, Function, Wiring,
    http::{Answer, Request, respond},
};
use serde_json::{Value, json};

/// The API's description, as it is served.
const OPENAPI: &str = include_str!("openapi.json");

/// The function, started.
pub struct App {
    desk: Desk,
    sockets: Sockets,
    clients: Clients,
    first_administrator: Option<String>,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            desk: wiring.desk()?,
            sockets: wiring.sockets()?,
            clients: clients.clone(),
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
        let segments = request.segments();
        let method = request.method.as_str();
        if let ("GET", ["v1", "openapi.json"]) = (method, segments.as_slice()) {
            return Ok(Answer::new(200).body("application/json", OPENAPI.to_owned()));
        }
        let first = self.first_administrator.as_deref();
        let caller = Caller::of(request, &self.desk, &self.clients, first).await?;
        match (method, segments.as_slice()) {
            ("GET", ["v1", "me"]) => self.me(&caller).await,
            ("POST", ["v1", "tickets"]) => self.ticket(&caller).await,
            ("GET", ["v1", "agents"]) => self.agents().await,
            (_, ["v1", "agents", rest @ ..]) => self.resource::<Agent>(&caller, request, rest).await,
            (_, ["v1", "teams", rest @ ..]) => self.resource::<Team>(&caller, request, rest).await,
            (_, ["v1", "queues", rest @ ..]) => self.resource::<Queue>(&caller, request, rest).await,
            (_, ["v1", "inboxes", rest @ ..]) => self.inboxes(&caller, request, rest).await,
            (_, ["v1", "me"]) => Err(Failure::unhandled(Some("GET"))),
            (_, ["v1", "tickets"]) => Err(Failure::unhandled(Some("POST"))),
            _ => Err(Failure::unhandled(None)),
        }
    }

    async fn me(&self, caller: &Caller) -> Result<Answer, Failure> {
        let agent = caller.agent();
        let state = self.desk.state(&agent.id).await?;
        let queues = caller.queues(&self.desk).await?;
        let queues: Vec<Value> = queues.iter().map(|queue| json!({"id": queue.id, "name": queue.name})).collect();
        Ok(Answer::json(
            200,
            &json!({
                "id": agent.id, "name": agent.name, "email": agent.email, "role": agent.role, "teams": agent.teams,
                "queues": queues, "presence": state.presence, "capacity": agent.capacity, "held": state.held.len(),
            }),
        ))
    }

    /// All agents and whether they are there.
    async fn agents(&self) -> Result<Answer, Failure> {
        let agents = self.desk.list::<Agent>().await?;
        let ids: Vec<_> = agents.iter().map(|agent| agent.id.clone()).collect();
        let states = self.desk.states(&ids).await?;
        let items: Vec<Value> = agents
            .iter()
            .zip(states)
            .map(|(agent, state)| {
                let mut item = json!(agent);
                item["presence"] = json!(state.presence);
                item
            })
            .collect();
        Ok(Answer::json(200, &json!({"items": items})))
    }

    async fn ticket(&self, caller: &Caller) -> Result<Answer, Failure> {
        let session = Session { owner: Owner::Agent(caller.id().clone()), inbox: None };
        let ticket = self.desk.issue_ticket(&session).await?;
        Ok(Answer::json(200, &json!({"ticket": ticket.ticket, "expires_at": ticket.expires_at})))
    }
}
