//! The demo shop's people, teams, queues and inboxes. Ids and settings are fixed, so that scripts can sign webhooks;
//! they are listed in `infra/local/README.md`.

use std::collections::BTreeMap;

use colloquy_aws::{
    StoreError,
    desk::{Agent, Inbox, Queue, Role, Team},
};
use colloquy_domain::{Channel, QueueId, TeamId};
use serde_json::{Value, json};

use super::Stores;

/// What parses because it is written here.
fn fixed<T: std::str::FromStr<Err = colloquy_domain::InvalidId>>(id: &str) -> Result<T, StoreError> {
    id.parse().map_err(|error: colloquy_domain::InvalidId| StoreError::Invalid(error.to_string()))
}

/// Writes the directory; what is there already stays as it is.
pub(crate) async fn write(stores: &Stores, empty: bool) -> Result<(), StoreError> {
    let desk = &stores.desk;
    let team: TeamId = fixed("tem_support")?;
    let general: QueueId = fixed("que_general")?;
    desk.create(&Team { id: team.clone(), name: "Support".to_owned() }).await?;
    let queue =
        |id: QueueId, name: &str| Queue { id, name: name.to_owned(), teams: vec![team.clone()], offer_seconds: 45 };
    desk.create(&queue(general.clone(), "General")).await?;
    if empty {
        return Ok(());
    }
    desk.create(&queue(fixed("que_vip")?, "VIP")).await?;
    for (id, name, email, role, skills) in PEOPLE {
        let agent = Agent {
            id: fixed(id)?,
            name: name.to_owned(),
            email: email.to_owned(),
            role,
            teams: vec![team.clone()],
            capacity: 5,
            auto_accept: false,
            skills: skills.iter().map(|(skill, level)| ((*skill).to_owned(), *level)).collect::<BTreeMap<_, _>>(),
            disabled: false,
        };
        desk.claim_email(email, &agent.id).await?;
        // The local issuer's subjects are the agents' ids.
        desk.claim_subject(id, &agent.id).await?;
        desk.create(&agent).await?;
    }
    for (id, channel, name, settings) in inboxes() {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let inbox = Inbox { id: fixed(id)?, channel, name: name.to_owned(), settings, queue: Some(general.clone()) };
        desk.create(&inbox).await?;
    }
    Ok(())
}

type Skills = &'static [(&'static str, u8)];

const PEOPLE: [(&str, &str, &str, Role, Skills); 5] = [
    ("agt_li", "Li Wei", "li@colloquy.test", Role::Agent, &[("zh", 5), ("en", 4), ("orders", 4)]),
    ("agt_ann", "Ann Becker", "ann@colloquy.test", Role::Agent, &[("de", 5), ("en", 5), ("returns", 4)]),
    ("agt_maria", "María Torres", "maria@colloquy.test", Role::Agent, &[("es", 5), ("en", 4), ("payments", 3)]),
    ("agt_sam", "Sam Okafor", "sam@colloquy.test", Role::Supervisor, &[("en", 5)]),
    ("agt_admin", "Robin Chen", "admin@colloquy.test", Role::Administrator, &[("en", 5), ("zh", 4)]),
];

fn inboxes() -> [(&'static str, Channel, &'static str, Value); 4] {
    let wechat =
        |app_id: &str| json!({"app_id": app_id, "app_secret": "demo-wechat-app-secret", "token": "demo-wechat-token"});
    let mut sealed = wechat("wx5823bf96d3bd56c7");
    sealed["encoding_aes_key"] = json!("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C");
    [
        (
            "inb_web",
            Channel::Web,
            "Web shop",
            json!({"allowed_origins": ["*"], "identity_secret": "demo-web-identity-secret"}),
        ),
        (
            "inb_whatsapp",
            Channel::WhatsApp,
            "WhatsApp",
            json!({
                "phone_number_id": "106540352242922", "app_secret": "demo-whatsapp-app-secret",
                "verify_token": "demo-whatsapp-verify", "access_token": "demo-whatsapp-token",
            }),
        ),
        ("inb_wechat", Channel::WeChat, "微信公众号", sealed),
        ("inb_wechat_plain", Channel::WeChat, "微信公众号（明文）", wechat("wx2421b1c4370ec43b")),
    ]
}
