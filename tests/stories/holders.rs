//! Who has a conversation, how it changes hands, and what everyone else sees of it.

use serde_json::{Value, json};

use crate::shop::{KERRY, Shop, kinds, path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_given_to_a_colleague_is_theirs_alone() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let (mut at_li, conversation) = shop.talk().await;
    at_li.resume(&conversation, 0).await;
    let mut at_ann = ann.connect().await;
    let _ = shop.li.put(&path(&conversation, "/holder"), json!({"agent": ann.id})).await.expect(202);
    let assigned = at_ann.entry(&conversation, "conversation.assigned").await;
    assert_eq!((&assigned["agent"], &assigned["by"]), (&json!(ann.id), &json!({"given": shop.li.id})));
    shop.world.quiet().await;
    assert_eq!(shop.li.get("/v1/me").await.expect(200).body["held"], 0);
    assert_eq!(ann.get("/v1/me").await.expect(200).body["held"], 1);

    // Li sees no more of it, not even over the socket that watched it.
    assert_eq!(shop.li.get(&path(&conversation, "")).await.status, 403);
    ann.say(&conversation, "between us").await;
    at_ann.words("between us").await;
    shop.whatsapp.says(KERRY, "also between us").await;
    at_ann.words("also between us").await;
    shop.world.quiet().await;
    at_li.ping().await;
    assert!(!at_li.log.iter().any(|event| event.to_string().contains("between us")), "{:#?}", at_li.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_passed_to_another_queue_is_offered_to_its_team() {
    let shop = Shop::open().await;
    let team = shop.world.admin.post("/v1/teams", json!({"name": "Returns"})).await.expect(201).body["id"].clone();
    let queue = json!({"name": "Returns", "teams": [team]});
    let queue = shop.world.admin.post("/v1/queues", queue).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let rosa = shop.world.hire("Rosa", json!({"teams": [team]})).await;
    shop.world.forget();
    let mut at_rosa = rosa.come().await;
    let (mut at_li, conversation) = shop.talk().await;
    let _ = shop.li.put(&path(&conversation, "/holder"), json!({"queue": queue})).await.expect(202);
    let transferred = at_li.entry(&conversation, "conversation.transferred").await;
    assert_eq!(transferred["to"], json!({"kind": "queue", "queue": queue}));
    assert_eq!(at_rosa.accept().await, conversation);
    shop.world.quiet().await;
    assert_eq!(shop.li.get("/v1/me").await.expect(200).body["held"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_takes_over_and_an_agent_may_not() {
    let shop = Shop::open().await;
    let sam = shop.world.hire("Sam", json!({"role": "supervisor"})).await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let (mut at_li, conversation) = shop.talk().await;
    let holder = path(&conversation, "/holder");
    assert_eq!(ann.put(&holder, json!({"agent": ann.id})).await.status, 403);
    let taken = sam.put(&holder, json!({"agent": sam.id})).await.expect(202);
    assert_eq!(sam.turn(&conversation, &taken).await["state"], "committed");
    let head = sam.head(&conversation).await;
    assert_eq!(head["holder"], json!({"kind": "agent", "agent": sam.id}));
    assert_eq!(shop.li.get(&path(&conversation, "")).await.status, 403);
    at_li.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_without_the_right_is_forbidden_everything_and_learns_nothing() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let (_at_li, conversation) = shop.talk().await;
    shop.li.say(&conversation, "confidential").await;
    let before = shop.li.entries(&conversation).await;
    let at = |rest: &str| path(&conversation, rest);
    let answers = [
        ann.get(&at("")).await,
        ann.get(&at("/entries?after=0")).await,
        ann.get(&at("/turns/trn_1")).await,
        ann.post(&at("/messages"), json!({"text": "psst"})).await,
        ann.post(&at("/messages/3/retries"), json!({})).await,
        ann.post(&at("/notes"), json!({"text": "psst"})).await,
        ann.post(&at("/offer"), json!({"accept": true})).await,
        ann.put(&at("/holder"), json!({"agent": ann.id})).await,
        ann.put(&at("/holder"), json!({"queue": "que_general"})).await,
        ann.put(&at("/holder"), json!({"bot": true})).await,
        ann.put(&at("/resolution"), json!({})).await,
        ann.delete(&at("/resolution")).await,
        ann.get(&format!("/v1/contacts/{}", shop.li.head(&conversation).await["contact"].as_str().unwrap())).await,
        ann.get(&format!("/v1/conversations?holder=agent:{}", shop.li.id)).await,
        ann.get("/v1/reports/overview").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert!(!answer.text.contains("confidential") && !answer.text.contains("Kerry"), "{}", answer.text);
        assert_eq!(answer.body["title"], "Forbidden");
    }
    let mut at_ann = ann.connect().await;
    for frame in [
        json!({"action": "send", "conversation": conversation, "text": "psst", "key": "k"}),
        json!({"action": "note", "conversation": conversation, "text": "psst", "key": "k"}),
        json!({"action": "resume", "conversation": conversation, "after": 0}),
        json!({"action": "typing", "conversation": conversation}),
        json!({"action": "accept", "conversation": conversation, "key": "k"}),
        json!({"action": "decline", "conversation": conversation, "key": "k"}),
    ] {
        at_ann.send(frame.clone()).await;
        let error = at_ann.error().await;
        assert_eq!((&error["status"], &error["code"]), (&json!(403), &json!("forbidden")), "{frame}");
        assert_eq!(error["conversation"], json!(conversation));
    }
    shop.whatsapp.says(KERRY, "also confidential").await;
    shop.world.quiet().await;
    at_ann.ping().await;
    assert!(!at_ann.log.iter().any(|event| event["type"] == "entry"));
    assert!(ann.get("/v1/conversations?holder=all").await.expect(200).items().is_empty());
    let after = shop.li.entries(&conversation).await;
    assert_eq!(after.len(), before.len() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_waits_in_a_queue_of_others_is_not_seen() {
    let shop = Shop::open().await;
    let stranger = shop.world.hire("Stranger", json!({"teams": []})).await;
    let conversation = shop.wait().await;
    assert_eq!(stranger.get(&path(&conversation, "")).await.status, 403);
    assert_eq!(stranger.get("/v1/conversations?holder=queue:que_general").await.status, 403);
    assert!(stranger.get("/v1/conversations?holder=all").await.expect(200).items().is_empty());
    assert_eq!(shop.li.get(&path(&conversation, "")).await.status, 200);
    // A colleague of the queue may take it without an offer.
    let _ = shop.li.put(&path(&conversation, "/holder"), json!({"agent": shop.li.id})).await.expect(202);
    let assigned = shop.li.entry_after(&conversation, 0, "conversation.assigned").await;
    assert_eq!(assigned["by"], "taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_stays_among_colleagues() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    socket.send(json!({"action": "note", "conversation": conversation, "text": "a regular", "key": "n1"})).await;
    let note = socket.entry(&conversation, "note").await;
    assert_eq!((&note["agent"], &note["text"], &note["key"]), (&json!(shop.li.id), &json!("a regular"), &json!("n1")));
    shop.world.quiet().await;
    assert_eq!(shop.platform.taken("a regular"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_to_the_bot_is_handed_over_again_when_the_customer_writes() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    let _ = shop.li.put(&path(&conversation, "/holder"), json!({"bot": true})).await.expect(202);
    socket.entry(&conversation, "conversation.transferred").await;
    let head = shop.li.head(&conversation).await;
    assert_eq!((&head["status"], &head["holder"]["kind"]), (&json!("bot"), &json!("bot")));
    shop.whatsapp.says(KERRY, "anybody there?").await;
    assert_eq!(socket.accept().await, conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_who_is_nobody_is_refused_by_name() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    let holder = path(&conversation, "/holder");
    for (body, named) in [
        (json!({"agent": "agt_nobody"}), "agt_nobody"),
        (json!({"queue": "que_nowhere"}), "que_nowhere"),
        (json!({}), "agent, queue, bot"),
        (json!({"agent": shop.li.id, "bot": true}), "agent, queue, bot"),
    ] {
        let answer = shop.li.put(&holder, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.detail().contains(named), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_conversation_is_not_ended_again_and_can_be_taken_up() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    let resolution = path(&conversation, "/resolution");
    let refused = shop.li.delete(&resolution).await.expect(202);
    let refused: Value = shop.li.turn(&conversation, &refused).await;
    assert_eq!((&refused["state"], &refused["code"]), (&json!("refused"), &json!("not_resolved")));
    let ended = shop.li.put(&resolution, json!({"disposition": "answered"})).await.expect(202);
    let entry = socket.entry(&conversation, "conversation.resolved").await;
    assert_eq!((&entry["by"], &entry["disposition"]), (&json!({"agent": shop.li.id}), &json!("answered")));
    assert_eq!(shop.li.turn(&conversation, &ended).await["state"], "committed");
    // Resolved again, by someone else: refused, or known at once.
    let again = shop.world.admin.put(&resolution, json!({})).await.expect(202);
    let again = shop.world.admin.turn(&conversation, &again).await;
    assert_eq!((&again["state"], &again["code"]), (&json!("refused"), &json!("already_resolved")));
    let resolved = shop.li.get("/v1/conversations?holder=me&status=resolved").await.expect(200);
    assert_eq!(resolved.items()[0]["id"], json!(conversation));

    let reopened = shop.li.delete(&resolution).await.expect(202);
    assert_eq!(shop.li.turn(&conversation, &reopened).await["state"], "committed");
    let head = shop.li.head(&conversation).await;
    assert_eq!(
        (&head["status"], &head["episode"], &head["holder"]["agent"]),
        (&json!("open"), &json!(1), &json!(shop.li.id))
    );
    assert_eq!(kinds(&shop.li.entries(&conversation).await).last(), Some(&"conversation.reopened"));
    shop.li.say(&conversation, "one more thing").await;
    shop.platform.got("one more thing").await;
}
