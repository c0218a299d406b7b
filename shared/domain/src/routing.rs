//! Who gets a waiting conversation: of the agents who are there and have a free slot, the one idle longest.
//!
//! Pure: the candidates come in as they are; taking the slot is `route`'s work.

use serde::{Deserialize, Serialize};

use crate::{AgentId, Timestamp};

/// Whether an agent is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Takes conversations.
    Available,
    /// There, but takes none.
    Busy,
    /// Not at the desk.
    Away,
    /// Not signed in.
    #[default]
    Offline,
}

/// An agent as routing sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// Whether they are there.
    pub presence: Presence,
    /// How many conversations they have.
    pub held: usize,
    /// How many they can have.
    pub capacity: usize,
    /// When they last got a conversation, or became available.
    pub idle_since: Timestamp,
}

impl Candidate {
    /// Whether they can take one more.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.presence == Presence::Available && self.held < self.capacity
    }
}

/// The agents to try, best first: free, not among `not`, idle longest; ties break by id.
#[must_use]
pub fn rank(mut candidates: Vec<Candidate>, not: &[AgentId]) -> Vec<Candidate> {
    candidates.retain(|candidate| candidate.is_free() && !not.contains(&candidate.agent));
    candidates.sort_by(|a, b| (a.idle_since, &a.agent).cmp(&(b.idle_since, &b.agent)));
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str, presence: Presence, held: usize, idle_since: i64) -> Candidate {
        let agent = format!("agt_{name}").parse().unwrap();
        Candidate { agent, presence, held, capacity: 2, idle_since: Timestamp::from_ms(idle_since) }
    }

    #[test]
    fn the_agent_idle_longest_is_tried_first() {
        let ranked = rank(
            vec![
                agent("late", Presence::Available, 0, 30),
                agent("early", Presence::Available, 1, 10),
                agent("full", Presence::Available, 2, 1),
                agent("away", Presence::Away, 0, 1),
                agent("passed", Presence::Available, 0, 1),
            ],
            &["agt_passed".parse().unwrap()],
        );
        let names: Vec<_> = ranked.iter().map(|candidate| candidate.agent.as_str()).collect();
        assert_eq!(names, ["agt_early", "agt_late"]);
    }

    #[test]
    fn ties_break_the_same_way_every_time() {
        let ranked = rank(vec![agent("b", Presence::Available, 0, 1), agent("a", Presence::Available, 0, 1)], &[]);
        assert_eq!(ranked[0].agent.as_str(), "agt_a");
    }
}
