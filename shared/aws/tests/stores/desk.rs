use std::collections::BTreeMap;

use colloquy_aws::{
    StoreError,
    desk::{Agent, Contact, Identity, Inbox, Owner, Queue, Role, Session, Team, Token, Waiting, Wake},
};
use colloquy_domain::{AgentId, Channel, ContactId, routing::Presence};

use crate::{IDENTITY, World, conversation};

fn agent(id: &str) -> Agent {
    Agent {
        id: format!("agt_{id}").parse().unwrap(),
        name: "Li".to_owned(),
        email: format!("{id}@colloquy.test"),
        role: Role::Supervisor,
        teams: vec!["tem_a".parse().unwrap()],
        capacity: 3,
        auto_accept: false,
        skills: BTreeMap::from([("english".to_owned(), 4)]),
        disabled: false,
    }
}

#[tokio::test]
async fn the_directory_keeps_each_kind_apart() {
    let world = World::new();
    let desk = world.desk();
    let queue =
        Queue { id: "que_a".parse().unwrap(), name: "General".to_owned(), teams: Vec::new(), offer_seconds: 20 };
    let inbox = Inbox {
        id: "inb_web".parse().unwrap(),
        channel: Channel::Web,
        name: "Shop".to_owned(),
        settings: serde_json::Map::from_iter([("identity_secret".to_owned(), "hush".into())]),
        queue: Some(queue.id.clone()),
    };
    desk.put(&agent("li")).await.unwrap();
    desk.put(&agent("ann")).await.unwrap();
    desk.put(&queue).await.unwrap();
    desk.put(&inbox).await.unwrap();
    assert!(desk.get::<Inbox>(&inbox.id).await.unwrap() == Some(inbox));
    assert_eq!(desk.get::<Queue>(&queue.id).await.unwrap(), Some(queue));
    let names: Vec<_> = desk.list::<Agent>().await.unwrap().into_iter().map(|agent| agent.id.to_string()).collect();
    assert_eq!(names, ["agt_ann", "agt_li"]);
    assert!(desk.list::<Team>().await.unwrap().is_empty());
    desk.delete::<Agent>(&agent("li").id).await.unwrap();
    assert!(desk.get::<Agent>(&agent("li").id).await.unwrap().is_none());
    assert_eq!(desk.list::<Agent>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_entity_is_created_once() {
    let world = World::new();
    let desk = world.desk();
    assert!(desk.create(&agent("li")).await.unwrap());
    let other = Agent { name: "Other".to_owned(), ..agent("li") };
    assert!(!desk.create(&other).await.unwrap());
    assert!(desk.get_now::<Agent>(&other.id).await.unwrap() == Some(agent("li")));
}

#[tokio::test]
async fn another_processs_change_is_seen_within_five_seconds() {
    let world = World::new();
    let (here, there) = (world.desk(), world.desk());
    let id = agent("li").id;
    assert!(here.get::<Agent>(&id).await.unwrap().is_none());
    there.put(&agent("li")).await.unwrap();
    let before = world.engine.ledger().calls("dynamodb", "GetItem");
    assert!(here.get::<Agent>(&id).await.unwrap().is_none());
    assert_eq!(world.engine.ledger().calls("dynamodb", "GetItem"), before, "unknown ids are cached too");
    world.pass(5);
    assert!(here.get::<Agent>(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_e_mail_address_and_a_subject_belong_to_one_agent() {
    let world = World::new();
    let desk = world.desk();
    let (li, ann): (AgentId, AgentId) = ("agt_li".parse().unwrap(), "agt_ann".parse().unwrap());
    assert_eq!(desk.agent_by_email("li@colloquy.test").await.unwrap(), None);
    assert!(desk.claim_email("Li@colloquy.test", &li).await.unwrap());
    assert!(desk.claim_email("li@colloquy.test", &li).await.unwrap());
    assert!(!desk.claim_email("li@colloquy.test", &ann).await.unwrap());
    assert_eq!(desk.agent_by_email("LI@colloquy.test").await.unwrap(), Some(li.clone()));
    desk.free_email("li@colloquy.test", &ann).await.unwrap();
    assert_eq!(desk.agent_by_email("li@colloquy.test").await.unwrap(), Some(li.clone()));
    desk.free_email("li@colloquy.test", &li).await.unwrap();
    assert_eq!(desk.agent_by_email("li@colloquy.test").await.unwrap(), None);
    assert!(desk.claim_subject("sub-1", &li).await.unwrap() && !desk.claim_subject("sub-1", &ann).await.unwrap());
    assert_eq!(desk.agent_by_subject("sub-1").await.unwrap(), Some(li));
}

fn identity(contact: &str) -> Identity {
    Identity {
        identity: IDENTITY.to_owned(),
        contact: contact.parse().unwrap(),
        channel: Channel::WhatsApp,
        inbox: "inb_whatsapp".parse().unwrap(),
        address: "+4915112345678".to_owned(),
        name: Some("Ada".to_owned()),
    }
}

#[tokio::test]
async fn an_identity_is_bound_to_one_contact_for_good() {
    let world = World::new();
    let desk = world.desk();
    let (first, second): (ContactId, ContactId) = ("cnt_1".parse().unwrap(), "cnt_2".parse().unwrap());
    assert!(desk.identity(IDENTITY).await.unwrap().is_none());
    assert_eq!(desk.create_identity(&identity("cnt_1")).await.unwrap(), first);
    assert_eq!(desk.create_identity(&identity("cnt_1")).await.unwrap(), first);
    assert_eq!(desk.create_identity(&identity("cnt_2")).await.unwrap(), first);
    assert!(desk.contact(&second).await.unwrap().is_none());
    assert!(desk.identities_of(&second).await.unwrap().is_empty());
    assert!(desk.identity(IDENTITY).await.unwrap() == Some(identity("cnt_1")));
    assert!(desk.identities_of(&first).await.unwrap() == [identity("cnt_1")]);
    assert!(desk.contact(&first).await.unwrap().unwrap().name.as_deref() == Some("Ada"));
    desk.put_contact(&Contact { id: first.clone(), name: Some("Ada L.".to_owned()) }).await.unwrap();
    assert_eq!(desk.create_identity(&identity("cnt_1")).await.unwrap(), first);
    assert!(desk.contact(&first).await.unwrap().unwrap().name.as_deref() == Some("Ada L."));
    for name in ["1", "2", "1"] {
        desk.link_conversation(&first, &conversation(name)).await.unwrap();
    }
    assert_eq!(desk.conversations_of(&first).await.unwrap(), [conversation("1"), conversation("2")]);
}

#[tokio::test]
async fn an_erased_contact_cannot_be_read() {
    let world = World::new();
    world.desk().create_identity(&identity("cnt_1")).await.unwrap();
    let contact = "cnt_1".parse().unwrap();
    world.vault().erase_identity(IDENTITY).await.unwrap();
    world.vault().erase_contact(&contact).await.unwrap();
    let desk = world.desk();
    assert!(matches!(desk.contact(&contact).await, Err(StoreError::Erased)));
    assert!(matches!(desk.identity(IDENTITY).await, Err(StoreError::Erased)));
    assert!(desk.identities_of(&contact).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_agent_never_has_more_than_their_capacity_by_routing() {
    let world = World::new();
    let (desk, li) = (world.desk(), "agt_li".parse().unwrap());
    assert!(!desk.take(&li, &conversation("1"), 0).await.unwrap());
    assert!(desk.take(&li, &conversation("1"), 2).await.unwrap());
    world.pass(60);
    assert!(desk.take(&li, &conversation("1"), 2).await.unwrap(), "taking twice counts once");
    let taken_at = desk.state(&li).await.unwrap().idle_since;
    assert_eq!(world.now().since(taken_at).as_secs(), 60);
    assert!(desk.take(&li, &conversation("2"), 2).await.unwrap());
    assert!(!desk.take(&li, &conversation("3"), 2).await.unwrap());
    desk.hold(&li, &conversation("3")).await.unwrap();
    desk.hold(&li, &conversation("3")).await.unwrap();
    assert_eq!(desk.state(&li).await.unwrap().held.len(), 3);
    for name in ["1", "2", "3", "3"] {
        desk.free(&li, &conversation(name)).await.unwrap();
    }
    assert!(desk.state(&li).await.unwrap().held.is_empty());
    assert!(desk.take(&li, &conversation("4"), 1).await.unwrap());
}

#[tokio::test]
async fn an_agents_presence_changes_only_when_it_is_another() {
    let world = World::new();
    let (desk, li): (_, AgentId) = (world.desk(), "agt_li".parse().unwrap());
    assert_eq!(desk.state(&li).await.unwrap().presence, Presence::Offline);
    assert!(desk.set_presence(&li, Presence::Available).await.unwrap());
    let since = world.now();
    world.pass(60);
    assert!(!desk.set_presence(&li, Presence::Available).await.unwrap());
    let unknown: AgentId = "agt_ann".parse().unwrap();
    let states = desk.states(&[unknown.clone(), li.clone(), unknown]).await.unwrap();
    assert_eq!(states.len(), 3);
    assert_eq!((states[1].presence, states[1].idle_since), (Presence::Available, since));
    assert_eq!((states[0].presence, states[2].presence), (Presence::Offline, Presence::Offline));
}

#[tokio::test]
async fn who_waits_longest_comes_first_and_nobody_waits_twice() {
    let world = World::new();
    let (desk, queue) = (world.desk(), "que_a".parse().unwrap());
    let waiting = |name: &str, seconds: u64| Waiting {
        conversation: conversation(name),
        thread: "thr_1".parse().unwrap(),
        since: world.now().plus(std::time::Duration::from_secs(seconds)),
        lease: 2,
        not: vec!["agt_li".parse().unwrap()],
    };
    for (name, seconds) in [("late", 20), ("early", 10), ("early", 5), ("middle", 15)] {
        desk.put_waiting(&queue, &waiting(name, seconds)).await.unwrap();
    }
    let first = desk.first_waiting(&queue, 10).await.unwrap();
    assert_eq!(first, [waiting("early", 5), waiting("middle", 15), waiting("late", 20)]);
    desk.remove_waiting(&queue, &conversation("early"), waiting("early", 4).since).await.unwrap();
    assert_eq!(desk.first_waiting(&queue, 1).await.unwrap(), [waiting("early", 5)], "told of an earlier queueing");
    for _ in 0..2 {
        desk.remove_waiting(&queue, &conversation("early"), waiting("early", 5).since).await.unwrap();
    }
    assert_eq!(desk.first_waiting(&queue, 1).await.unwrap(), [waiting("middle", 15)]);
}

#[tokio::test]
async fn wake_ups_are_found_in_their_minute() {
    let world = World::new();
    let desk = world.desk();
    let wake = |seconds: u64| Wake {
        at: world.now().plus(std::time::Duration::from_secs(seconds)),
        thread: "thr_1".parse().unwrap(),
        conversation: conversation("1"),
    };
    for seconds in [59, 1, 60, 1] {
        desk.put_wake(&wake(seconds)).await.unwrap();
    }
    let minute = world.now().minute();
    assert_eq!(desk.due_wakes(minute).await.unwrap(), [wake(1), wake(59)]);
    desk.delete_wake(&wake(1)).await.unwrap();
    assert_eq!(desk.due_wakes(minute).await.unwrap(), [wake(59)]);
    assert_eq!(desk.due_wakes(minute + 1).await.unwrap(), [wake(60)]);
    assert_eq!(desk.swept_minute().await.unwrap(), None);
    desk.set_swept_minute(minute).await.unwrap();
    assert_eq!(desk.swept_minute().await.unwrap(), Some(minute));
}

fn visitor() -> Session {
    Session { owner: Owner::Visitor("vis_1".parse().unwrap()), inbox: Some("inb_web".parse().unwrap()) }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_within_a_minute() {
    let world = World::new();
    let desk = world.desk();
    let ticket = desk.issue_ticket(&visitor()).await.unwrap();
    assert_eq!(ticket.expires_at.since(world.now()).as_secs(), 60);
    assert_eq!(desk.redeem_ticket("made up").await.unwrap(), None);
    assert_eq!(desk.redeem_ticket(&ticket.ticket).await.unwrap(), Some(visitor()));
    assert_eq!(desk.redeem_ticket(&ticket.ticket).await.unwrap(), None);
    let late = desk.issue_ticket(&visitor()).await.unwrap();
    world.pass(60);
    assert_eq!(desk.redeem_ticket(&late.ticket).await.unwrap(), None);
}

#[tokio::test]
async fn a_closed_connection_leaves_nothing_behind() {
    let world = World::new();
    let desk = world.desk();
    let session = Session { owner: Owner::Agent("agt_li".parse().unwrap()), inbox: None };
    desk.connect("c1=", &session).await.unwrap();
    desk.connect("c2=", &session).await.unwrap();
    let connection = desk.connection("c1=").await.unwrap().unwrap();
    for name in ["1", "2"] {
        assert!(desk.subscribe(&connection, &conversation(name)).await.unwrap());
    }
    assert_eq!(desk.connections_of(&session.owner).await.unwrap(), ["c1=", "c2="]);
    let subscribers = desk.subscribers(&conversation("1")).await.unwrap();
    assert_eq!((subscribers.len(), subscribers[0].connection.as_str()), (1, "c1="));
    assert_eq!(subscribers[0].owner, session.owner);
    desk.unsubscribe("c1=", &conversation("1")).await.unwrap();
    assert!(desk.subscribers(&conversation("1")).await.unwrap().is_empty());
    desk.disconnect("c1=").await.unwrap();
    desk.disconnect("c1=").await.unwrap();
    assert!(desk.subscribers(&conversation("2")).await.unwrap().is_empty());
    assert_eq!(desk.connections_of(&session.owner).await.unwrap(), ["c2="]);
    assert!(!desk.subscribe(&connection, &conversation("1")).await.unwrap());
    assert!(desk.subscribers(&conversation("1")).await.unwrap().is_empty());
    world.pass(3 * 3_600);
    assert!(desk.connections_of(&session.owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_connection_that_is_still_being_let_in_is_not_forgotten_when_a_push_finds_it_gone() {
    let world = World::new();
    let desk = world.desk();
    let session = Session { owner: Owner::Agent("agt_li".parse().unwrap()), inbox: None };
    desk.connect("c1=", &session).await.unwrap();
    desk.found_gone("c1=").await.unwrap();
    assert_eq!(desk.connections_of(&session.owner).await.unwrap(), ["c1="]);
    world.pass(60);
    desk.found_gone("c1=").await.unwrap();
    assert!(desk.connections_of(&session.owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_access_token_is_used_until_its_time_or_until_it_is_refused() {
    let world = World::new();
    let (desk, inbox) = (world.desk(), "inb_wechat".parse().unwrap());
    let token = |text: &str, seconds: u64| Token {
        token: text.to_owned(),
        until: world.now().plus(std::time::Duration::from_secs(seconds)),
    };
    let (first, second) = (token("one", 100), token("two", 200));
    assert!(desk.token(&inbox).await.unwrap().is_none());
    desk.put_token(&inbox, &first).await.unwrap();
    assert!(desk.token(&inbox).await.unwrap() == Some(first.clone()));
    desk.put_token(&inbox, &second).await.unwrap();
    desk.forget_token(&inbox, &first).await.unwrap();
    assert!(desk.token(&inbox).await.unwrap() == Some(second.clone()));
    desk.forget_token(&inbox, &second).await.unwrap();
    assert!(desk.token(&inbox).await.unwrap().is_none());
    desk.put_token(&inbox, &first).await.unwrap();
    world.pass(100);
    assert!(desk.token(&inbox).await.unwrap().is_none());
}
