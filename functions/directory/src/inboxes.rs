//! Inboxes as a resource: each channel's settings checked by its own rules, secrets never shown again.

use colloquy_aws::desk::{Inbox, Queue};
use colloquy_channels::{Settings, validate};
use colloquy_domain::{Channel, InboxId, QueueId};
use colloquy_edge::{
    Caller, Failure,
    http::{Answer, Request},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    App,
    resource::{check_name, methods},
};

/// What a new inbox is made from, and what an old one is changed to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    channel: Option<String>,
    name: Option<String>,
    settings: Option<Map<String, Value>>,
    #[serde(default)]
    queue: Option<QueueId>,
    // What was read may be written back.
    #[serde(rename = "id")]
    _id: Option<InboxId>,
    #[serde(rename = "webhook")]
    _webhook: Option<String>,
}

impl App {
    pub(crate) async fn inboxes(&self, caller: &Caller, request: &Request, rest: &[&str]) -> Result<Answer, Failure> {
        match (request.method.as_str(), rest) {
            ("GET", []) => {
                let items: Vec<Value> = self.desk.list::<Inbox>().await?.iter().map(shown).collect();
                Ok(Answer::json(200, &json!({ "items": items })))
            }
            ("GET", [id]) => Ok(Answer::json(200, &shown(&self.inbox(id).await?))),
            ("POST", []) => {
                let admin = caller.administer(&self.desk)?;
                let wanted: Wanted = request.json()?;
                let channel: Channel = wanted
                    .channel
                    .as_deref()
                    .ok_or_else(|| Failure::Invalid("channel is missing".to_owned()))?
                    .parse()
                    .map_err(|error| Failure::Invalid(format!("channel: {error}")))?;
                let id = InboxId::derive(self.clients.now(), &self.clients.random::<16>());
                let settings = wanted.settings.clone().unwrap_or_default();
                let inbox = Inbox { id, channel, name: channel.to_string(), settings, queue: None };
                let inbox = self.change(inbox, wanted).await?;
                admin.create(&inbox).await?;
                Ok(Answer::json(201, &shown(&inbox)))
            }
            ("PUT", [id]) => {
                let admin = caller.administer(&self.desk)?;
                let before = self.inbox(id).await?;
                let wanted: Wanted = request.json()?;
                if wanted.channel.as_deref().is_some_and(|channel| channel != before.channel.as_str()) {
                    return Err(Failure::Invalid("channel cannot be changed; make a new inbox".to_owned()));
                }
                let inbox = self.change(before, wanted).await?;
                admin.put(&inbox).await?;
                Ok(Answer::json(200, &shown(&inbox)))
            }
            ("DELETE", [id]) => {
                let admin = caller.administer(&self.desk)?;
                let inbox = self.inbox(id).await?;
                admin.delete::<Inbox>(&inbox.id).await?;
                Ok(Answer::new(204))
            }
            _ => Err(Failure::unhandled(methods(rest))),
        }
    }

    async fn inbox(&self, id: &str) -> Result<Inbox, Failure> {
        let unknown = || Failure::NotFound("there is no such inbox".to_owned());
        let id: InboxId = id.parse().map_err(|_| unknown())?;
        self.desk.get_now::<Inbox>(&id).await?.ok_or_else(unknown)
    }

    async fn change(&self, mut inbox: Inbox, wanted: Wanted) -> Result<Inbox, Failure> {
        if let Some(name) = wanted.name {
            check_name(&name)?;
            name.trim().clone_into(&mut inbox.name);
        }
        if let Some(queue) = wanted.queue {
            if self.desk.get_now::<Queue>(&queue).await?.is_none() {
                return Err(Failure::Invalid(format!("queue names {queue}, which does not exist")));
            }
            inbox.queue = Some(queue);
        }
        let before = Settings::new(std::mem::take(&mut inbox.settings));
        let settings = match wanted.settings {
            Some(settings) => Settings::new(settings).keeping_secrets(inbox.channel, &before),
            None => before,
        };
        validate(inbox.channel, &settings).map_err(|error| Failure::Invalid(error.to_string()))?;
        inbox.settings = settings.into_inner();
        Ok(inbox)
    }
}

/// An inbox as it is shown: with the address to give to the platform, without its secrets.
fn shown(inbox: &Inbox) -> Value {
    let settings = Settings::new(inbox.settings.clone()).redacted(inbox.channel);
    json!({
        "id": inbox.id, "channel": inbox.channel, "name": inbox.name, "queue": inbox.queue, "settings": settings,
        "webhook": format!("/webhooks/{}/{}", inbox.channel, inbox.id),
    })
}
