//! What a turn costs in the conversations table: write units and item sizes.

use colloquy_domain::{Command, routing::Presence};

use crate::{
    check::AGENTS,
    scenes::{act, holder, offered},
    world::{Customer, World},
};

/// 200 Chinese characters of ordinary words.
const CHINESE: &str = "您好，我上周在你们的网店买了一双白色的跑步鞋，订单已经显示签收了，可是我打开盒子以后发现左脚那只的鞋底有一道很明显的裂口，\
鞋带也少了一根。我拍了几张照片，可以发给你们看。我想请问这种情况是换一双新的比较快，还是直接退款比较快？如果换货的话，来回的运费由谁来承担？另外我下周三要出差，\
最好能在那之前处理完。还有，当时下单用了一张满三百减五十的优惠券，退款以后这张券还能不能再用？麻烦尽快回复，谢谢你们的帮助。";
/// 600 Latin letters of ordinary words.
const LATIN: &str = "Hello, last week I bought a pair of white running shoes in your shop and the parcel arrived on \
Monday. When I opened the box I saw that the sole of the left shoe has a long crack and one of the laces is missing. \
I took a few photographs and can send them to you. Is it quicker to exchange them for a new pair or to get my money \
back? Who pays for the postage if I send them back? I am going abroad next Wednesday, so I would like to have this \
settled before then. I also used a voucher for fifty off; will it be valid again after a refund? Please let me know \
soon, many thanks for your help in advance.";

/// The write units a turn took in the conversations table and its index of lists.
async fn units(world: &World, turn: impl Future<Output = ()>) -> u64 {
    world.engine.ledger().reset();
    turn.await;
    let (table, snapshot) = (world.variable("CONVERSATIONS_TABLE"), world.engine.ledger().snapshot());
    let rows = snapshot["operations"].as_array().unwrap().iter();
    let writes = rows.filter(|row| row["resource"] == table.as_str() && row["unit"] == "wru");
    writes.map(|row| row["units"].as_f64().unwrap() as u64).sum()
}

async fn receive(world: &World, customer: &Customer, text: &str, language: &str) {
    let mut turn = world.message(customer, &format!("m{}", world.unique()), text);
    if let Command::Receive { understanding, .. } = &mut turn.command {
        language.clone_into(&mut understanding.language);
    }
    world.send(&turn).await;
    world.drain_only("TURNS_QUEUE_URL").await;
}

#[tokio::test]
async fn a_turn_takes_the_write_units_the_design_allows() {
    let world = World::new().await;
    world.set_presence(&AGENTS, Presence::Available).await;
    for (text, language) in [(CHINESE, "zh"), (LATIN, "en")] {
        let customer = world.customer();
        let first = units(&world, receive(&world, &customer, text, language)).await;
        // Beside guard, turn and head: the thread's pointer, which comes but once, and a place on a list.
        assert_eq!(first, 3 + 2, "a first message in {language}, greeting and handoff included");
        world.drain().await;
        act(&world, &customer, Command::Accept { agent: offered(&world, &customer).await }).await;
        let agent = holder(&world, &customer).await;
        // A head that remembers as many turns as it can.
        for _ in 0..50 {
            let text = format!("note {}", world.unique());
            act(&world, &customer, Command::Note { agent: agent.clone(), text: text.clone(), key: text }).await;
        }
        world.pass(1);
        let later = units(&world, receive(&world, &customer, text, language)).await;
        assert_eq!(later, 3, "a later message in {language}");
        let key = "2f6b3a0e-8d0b-4b7c-9f55-0d5a4f6f2c11".to_owned();
        let said = world.turn(&customer, Command::Say { agent, text: text.to_owned(), key }).await;
        world.send(&said).await;
        let said = units(&world, world.drain_only("TURNS_QUEUE_URL")).await;
        assert_eq!(said, 2, "an agent's words in {language}");
        let resolve = Command::Resolve { by: holder(&world, &customer).await, supervisor: false, disposition: None };
        act(&world, &customer, resolve).await;
        world.pass(60);
        let again = units(&world, receive(&world, &customer, text, language)).await;
        // From one list to another is off the first and onto the second.
        assert_eq!(again, 3 + 2, "a new episode in {language}, greeting and handoff included");
        world.put_away(&customer).await;
    }
    for record in world.stream() {
        let image = record["dynamodb"]["NewImage"].as_object().unwrap();
        let size: usize = image.iter().map(|(name, value)| name.len() + stored_bytes(value)).sum();
        assert!(size <= 1_024, "a turn of {size} bytes");
    }
}

/// How many bytes an attribute's value takes: a text its own, base64 three for four.
fn stored_bytes(value: &serde_json::Value) -> usize {
    value["S"].as_str().map_or_else(|| value["B"].as_str().unwrap_or_default().len() * 3 / 4, str::len)
}
