//! What a turn costs in the conversations table: write units and item sizes.

use colloquy_domain::{Command, routing::Presence};

use crate::{
    check::AGENTS,
    scenes::{act, holder, offered, write},
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

/// The write units a turn took in the conversations table, not counting the index.
async fn units(world: &World, turn: impl Future<Output = ()>) -> f64 {
    world.engine.ledger().reset();
    turn.await;
    let table = world.variable("CONVERSATIONS_TABLE");
    let snapshot = world.engine.ledger().snapshot();
    let rows = snapshot["operations"].as_array().unwrap();
    for row in rows.iter().filter(|row| row["resource"] == table.as_str()) {
        eprintln!("  {} {} {}", row["operation"], row["calls"], row["units"]);
    }
    let writes = rows.iter().filter(|row| row["resource"] == table.as_str() && row["unit"] == "wru");
    writes.map(|row| row["units"].as_f64().unwrap()).sum()
}

async fn receive(world: &World, customer: &Customer, text: &str) {
    let turn = world.message(customer, &format!("m{}", world.unique()), text);
    world.send(&turn).await;
    world.drain_only("TURNS_QUEUE_URL").await;
}

#[tokio::test]
async fn a_turn_takes_the_write_units_the_design_allows() {
    let world = World::new().await;
    world.set_presence(&AGENTS, Presence::Available).await;
    for text in [CHINESE, LATIN] {
        let customer = world.customer();
        eprintln!("first");
        let first = units(&world, receive(&world, &customer, text)).await;
        eprintln!("first {first}");
        world.drain().await;
        sizes(&world, &customer);
        act(&world, &customer, Command::Accept { agent: offered(&world, &customer).await }).await;
        let agent = holder(&world, &customer).await;
        // A head as full as it gets.
        for _ in 0..50 {
            let text = format!("note {}", world.unique());
            act(&world, &customer, Command::Note { agent: agent.clone(), text: text.clone(), key: text }).await;
        }
        let later = units(&world, receive(&world, &customer, text)).await;
        eprintln!("later {later}");
        let said = world.turn(&customer, Command::Say { agent, text: text.to_owned(), key: "2f6b3a0e-8d0b-4b7c".to_owned() }).await;
        world.send(&said).await;
        let said = units(&world, world.drain_only("TURNS_QUEUE_URL")).await;
        eprintln!("said {said}");
        sizes(&world, &customer);
        world.put_away(&customer).await;
        write(&world, &customer, "x").await;
    }
}

fn sizes(world: &World, customer: &Customer) {
    let _ = customer;
    for record in world.stream() {
        let image = &record["dynamodb"]["NewImage"];
        let sealed = image["sealed"]["B"].as_str().unwrap_or_default().len() * 3 / 4;
        eprintln!("   {} sealed {sealed} facts {}", image["sk"]["S"], image["facts"]["S"].as_str().unwrap_or_default().len());
    }
}
