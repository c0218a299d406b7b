//! Agents as a resource. Creating one invites them: they sign in with their e-mail address.

use std::collections::BTreeSet;

use colloquy_aws::desk::{Agent, Owner};
use colloquy_domain::{AgentId, Timestamp};
use colloquy_edge::{Administering, Failure};
use serde_json::{Value, json};
use tracing::warn;

use crate::{
    App,
    resource::{Resource, check_name, check_teams},
};

impl Resource for Agent {
    const NOUN: &'static str = "agent";
    const SHOWN: &'static [&'static str] = &["presence"];

    fn new_id(at: Timestamp, seed: &[u8]) -> String {
        AgentId::derive(at, seed).to_string()
    }

    fn defaults() -> Value {
        json!({
            "id": "", "name": "", "email": "", "role": "agent", "teams": [], "capacity": 4, "auto_accept": false,
            "skills": {}, "disabled": false,
        })
    }

    async fn check(&self, app: &App) -> Result<(), Failure> {
        check_name(&self.name)?;
        let looks_right = self.email.split_once('@').is_some_and(|(user, domain)| {
            let odd = |char: char| char.is_whitespace() || char.is_control();
            !user.is_empty() && domain.contains('.') && !self.email.contains(odd)
        });
        if !looks_right || self.email.len() > 254 {
            return Err(Failure::Invalid("email is not an e-mail address".to_owned()));
        }
        if self.capacity > 100 {
            return Err(Failure::Invalid("capacity is more than 100".to_owned()));
        }
        if let Some((skill, _)) = self.skills.iter().find(|(_, level)| !(1..=5).contains(*level)) {
            return Err(Failure::Invalid(format!("skills.{skill} is not between 1 and 5")));
        }
        check_teams(&self.teams, app).await
    }

    async fn before_put(&self, before: Option<&Self>, admin: &Administering<'_>) -> Result<(), Failure> {
        let is_self = before.is_some_and(|before| before.id == *admin.id());
        if is_self && (self.disabled || before.is_some_and(|before| before.role != self.role)) {
            return Err(Failure::Conflict("nobody takes their own rights away; ask another administrator".to_owned()));
        }
        let same = before.is_some_and(|before| before.email.eq_ignore_ascii_case(&self.email));
        if !same && !admin.claim_email(&self.email, &self.id).await? {
            return Err(Failure::Conflict("email is another agent's".to_owned()));
        }
        if let Some(before) = before.filter(|_| !same) {
            admin.free_email(&before.email, &self.id).await?;
        }
        Ok(())
    }

    async fn before_delete(&self, admin: &Administering<'_>) -> Result<(), Failure> {
        if self.id == *admin.id() {
            return Err(Failure::Conflict("nobody removes themselves; ask another administrator".to_owned()));
        }
        // So that they can be invited again.
        admin.free_email(&self.email, &self.id).await
    }

    /// A change of role closes the agent's sockets, so that no old right outlives it.
    async fn after_change(before: Option<&Self>, app: &App) -> Result<(), Failure> {
        let Some(before) = before else { return Ok(()) };
        let now = app.desk.get_now::<Self>(&before.id).await?;
        let rights = |agent: &Self| (agent.role, agent.disabled, agent.teams.iter().cloned().collect::<BTreeSet<_>>());
        if now.as_ref().map(rights) == Some(rights(before)) {
            return Ok(());
        }
        for connection in app.desk.connections_of(&Owner::Agent(before.id.clone())).await? {
            if let Err(error) = app.sockets.close(&connection).await {
                warn!(connection.id = %connection, %error, "a socket could not be closed");
            }
        }
        Ok(())
    }

    async fn used_by(&self, app: &App) -> Result<Option<String>, Failure> {
        let state = app.desk.state(&self.id).await?;
        Ok((!state.held.is_empty()).then(|| format!("{} conversations they hold", state.held.len())))
    }
}
