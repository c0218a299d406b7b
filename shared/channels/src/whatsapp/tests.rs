use std::collections::BTreeMap;

use colloquy_domain::{DeliveryState, Inbound, InboundMessage, Part, PartKind, Receipt};
use proptest::prelude::*;

use super::*;
use crate::{
    Unreadable,
    tests::{demo, fixture, fixtures},
};

const NOW: Timestamp = Timestamp::from_ms(1_795_415_700_000);

fn post(body: &[u8], signature: Option<&str>) -> Result<Received, Rejected> {
    let headers: BTreeMap<_, _> =
        signature.map(|signature| ("x-hub-signature-256".to_owned(), signature.to_owned())).into_iter().collect();
    let request =
        Request { method: "POST", path: "/webhooks/whatsapp/inb_whatsapp", query: &[], headers: &headers, body };
    receive(&demo(Channel::WhatsApp), &request, NOW)
}

fn signed(body: &[u8]) -> Result<Received, Rejected> {
    post(body, Some(&sign("demo-whatsapp-app-secret", body)))
}

fn batch(name: &str) -> (Vec<Inbound>, Vec<Unreadable>) {
    match signed(&fixture(Channel::WhatsApp, name)) {
        Ok(Received::Batch { inbound, unreadable, answer }) => {
            assert_eq!(answer.status, 200);
            (inbound, unreadable)
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn message(name: &str) -> InboundMessage {
    let (inbound, unreadable) = batch(name);
    assert!(unreadable.is_empty(), "{name}: {unreadable:?}");
    match <[Inbound; 1]>::try_from(inbound) {
        Ok([Inbound::Message(message)]) => message,
        other => panic!("{name}: {other:?}"),
    }
}

fn receipt(name: &str) -> Receipt {
    match batch(name).0.as_slice() {
        [Inbound::Receipt(receipt)] => receipt.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn part(name: &str) -> Part {
    message(name).parts.remove(0)
}

#[test]
fn every_kind_of_webhook_is_answered_200() {
    for (name, body) in fixtures(Channel::WhatsApp) {
        assert!(matches!(signed(&body), Ok(Received::Batch { .. })), "{name}");
    }
}

#[test]
fn a_text_has_its_words_its_sender_and_its_time() {
    let text = message("text");
    assert_eq!(text.text, "Does it come in another color?");
    assert_eq!((text.sender.address.as_str(), text.sender.name.as_deref()), ("16505551234", Some("Sheena Nelson")));
    assert_eq!(text.sent_at, Some(Timestamp::from_ms(1_795_415_624_000)));
    assert!(text.provider_id.starts_with("wamid.") && text.parts.is_empty() && text.reply_to.is_none());
    assert!(message("text_reply").reply_to.unwrap().starts_with("wamid."));
    assert!(message("text_forwarded").reply_to.is_none());
    assert_eq!(message("text_escaped").text, "Crème brûlée 🍮 👨‍👩‍👧 see https://shop.example/a/b");
    assert_eq!(message("name_cut_in_emoji").sender.name.as_deref(), Some("Ann \u{fffd}"));
}

#[test]
fn someone_without_a_number_is_known_by_their_user_id() {
    let text = message("text_without_number");
    assert_eq!(text.sender.address, "US.13491208655302741918");
    assert_eq!(text.sender.name.as_deref(), Some("Sheena Nelson"));
    assert_eq!(receipt("status_without_number").address, "US.13491208655302741918");
}

#[test]
fn media_become_parts_and_captions_become_words() {
    let image = message("image");
    assert_eq!(image.text, "The box arrived like this");
    assert_eq!((image.parts[0].kind, image.parts[0].media.as_deref()), (PartKind::Image, Some("1003383421387256")));
    assert_eq!(part("document").label.as_deref(), Some("invoice 2026-11.pdf"));
    assert_eq!(part("audio").mime.as_deref(), Some("audio/ogg; codecs=opus"));
    assert_eq!((part("video").kind, part("sticker").kind), (PartKind::Video, PartKind::Sticker));
}

#[test]
fn places_and_contacts_keep_what_an_agent_needs() {
    let place = part("location");
    assert_eq!(place.place.as_deref(), Some("37.44216251868683,-122.16153582049394"));
    assert_eq!(place.label.as_deref(), Some("Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301"));
    assert_eq!(
        (part("location_shared").label, part("location_shared").place.as_deref()),
        (None, Some("12.25089,43.90539"))
    );
    let cards = message("contacts").parts;
    assert_eq!(cards[0].label.as_deref(), Some("Barbara J. Johnson, +1 (650) 555-0131"));
    assert_eq!(cards[1].label.as_deref(), Some("Monica"));
}

#[test]
fn a_tap_on_a_button_is_what_the_button_said() {
    assert_eq!(message("button").text, "Unsubscribe");
    assert_eq!(message("button_reply").text, "Cancel");
    assert_eq!(message("list_reply").text, "Priority Mail Express");
    let form = message("form_reply");
    assert_eq!((form.text.as_str(), form.parts[0].label.as_deref()), ("Sent", Some("nfm_reply")));
}

#[test]
fn a_reaction_points_at_its_message_and_an_edit_at_the_old_one() {
    let reaction = message("reaction");
    assert_eq!((reaction.parts[0].kind, reaction.parts[0].label.as_deref()), (PartKind::Reaction, Some("👍")));
    assert!(reaction.reply_to.is_some() && reaction.text.is_empty());
    assert_eq!(part("reaction_removed").label, None);
    let edit = message("edit");
    assert_eq!((edit.text.as_str(), edit.parts[0].label.as_deref()), ("I meant the blue one", Some("edit")));
    assert!(edit.reply_to.is_some() && message("revoke").reply_to.is_some());
}

#[test]
fn what_cannot_be_shown_is_still_known_to_have_come() {
    for (name, label) in [
        ("unsupported", "poll_creation"),
        ("unsupported_plain", "unsupported"),
        ("unknown_type", "hologram"),
        ("revoke", "revoke"),
        ("order", "order: 2 × di9ozbzfi4 at 30 USD; 1 × nqryix03ez at 25.5 USD"),
    ] {
        let part = part(name);
        assert_eq!((part.kind, part.label.as_deref()), (PartKind::Unsupported, Some(label)), "{name}");
    }
    assert_eq!(message("order").text, "Love these!");
    let (inbound, unreadable) = batch("interactive_empty");
    assert_eq!((inbound.len(), unreadable.len()), (1, 1));
    assert_eq!(part_of(&inbound[0]).label.as_deref(), Some("interactive"));
    assert_eq!(part("text_from_advertisement").kind, PartKind::Link);
}

fn part_of(inbound: &Inbound) -> &Part {
    match inbound {
        Inbound::Message(message) => &message.parts[0],
        Inbound::Receipt(_) => panic!("a receipt"),
    }
}

#[test]
fn receipts_say_how_far_a_message_got_and_why_not_further() {
    let states = ["sent", "delivered", "read", "played", "failed"].map(|name| receipt(&format!("status_{name}")).state);
    let wanted = [
        DeliveryState::Sent,
        DeliveryState::Delivered,
        DeliveryState::Read,
        DeliveryState::Read,
        DeliveryState::Failed,
    ];
    assert_eq!(states, wanted);
    let failed = receipt("status_failed");
    assert!(failed.reason.unwrap().contains("24-hour window"));
    assert_eq!((failed.address.as_str(), failed.at), ("16505551234", Some(Timestamp::from_ms(1_795_415_630_000))));
    assert_eq!(receipt("status_read").reason, None);
}

#[test]
fn what_is_not_this_inboxs_customer_writing_is_counted_with_its_reason() {
    for (name, reason) in [
        ("system_number_changed", "system notice `user_changed_number`"),
        ("other_field", "webhook field `account_update`"),
        ("other_number", "another phone number"),
        ("group", "groups"),
        ("platform_errors", "130429"),
    ] {
        let (inbound, unreadable) = batch(name);
        assert!(inbound.is_empty() && unreadable.len() == 1, "{name}");
        assert!(unreadable[0].reason.contains(reason), "{name}: {unreadable:?}");
    }
}

#[test]
fn one_bad_element_never_blocks_the_rest() {
    let (inbound, unreadable) = batch("batch_mixed");
    let texts: Vec<_> = inbound
        .iter()
        .filter_map(|inbound| match inbound {
            Inbound::Message(message) => Some((message.text.as_str(), message.sender.name.as_deref())),
            Inbound::Receipt(_) => None,
        })
        .collect();
    assert_eq!(
        texts,
        [
            ("one", Some("Sheena Nelson")),
            ("", Some("Sheena Nelson")),
            ("two", Some("Grace")),
            ("", Some("Grace")),
            ("three", None),
        ]
    );
    assert_eq!(inbound.iter().filter(|inbound| matches!(inbound, Inbound::Receipt(_))).count(), 1);
    assert_eq!(unreadable.len(), 6, "{unreadable:?}");
}

#[test]
fn a_text_longer_than_the_timeline_takes_comes_as_several() {
    let long = "word ".repeat(4_000);
    let body =
        String::from_utf8(fixture(Channel::WhatsApp, "text")).unwrap().replace("Does it come in another color?", &long);
    let Ok(Received::Batch { inbound, .. }) = signed(body.as_bytes()) else { panic!() };
    let (ids, texts): (Vec<_>, Vec<_>) = inbound
        .iter()
        .map(|inbound| match inbound {
            Inbound::Message(message) => (message.provider_id.clone(), message.text.clone()),
            Inbound::Receipt(_) => panic!(),
        })
        .unzip();
    assert_eq!(texts.concat(), long);
    assert!(texts.iter().all(|text| text.chars().count() <= crate::INBOUND_LENGTH));
    assert_eq!(ids[1..], [format!("{}#2", ids[0]), format!("{}#3", ids[0])]);
}

#[test]
fn only_the_apps_own_signature_over_these_very_bytes_is_taken() {
    let body = fixture(Channel::WhatsApp, "text_escaped");
    let right = sign("demo-whatsapp-app-secret", &body);
    assert!(post(&body, Some(&right)).is_ok());
    let other = sign("another-app-secret", &body);
    let [upper, bare, prefix] = [right.to_uppercase(), right[7..].to_owned(), right.replace("sha256=", "sha1=")];
    for wrong in
        [None, Some(""), Some("sha256="), Some(&other), Some(&upper), Some(&bare), Some(&prefix), Some(&right[..70])]
    {
        assert_eq!(post(&body, wrong).unwrap_err().status(), 401, "{wrong:?}");
    }
    let encoded_again = serde_json::from_slice::<serde_json::Value>(&body).unwrap().to_string();
    let mut flipped = body.clone();
    flipped[200] ^= 1;
    let lower = String::from_utf8(body.clone()).unwrap().to_lowercase();
    for changed in [encoded_again.as_bytes(), &flipped, lower.as_bytes(), &body[..body.len() - 1], b""] {
        assert_eq!(post(changed, Some(&right)).unwrap_err().status(), 401);
    }
}

#[test]
fn a_signature_is_what_everyone_else_computes() {
    // RFC 4231, test case 2.
    let known = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(sign("Jefe", b"what do ya want for nothing?"), known);
}

#[test]
fn what_is_signed_and_still_not_a_webhook_is_refused_so_that_it_comes_again() {
    let body = fixture(Channel::WhatsApp, "text");
    let deep = "[".repeat(100_000);
    for broken in [&body[..body.len() / 2], b"", b"null", b"{}", b"\xff\xfe", b"{\"entry\":7}", deep.as_bytes()] {
        assert_eq!(signed(broken).unwrap_err().status(), 400);
    }
    assert_eq!(signed(&vec![b' '; LIMIT_BYTES + 1]).unwrap_err().status(), 413);
}

#[test]
fn metas_question_is_answered_only_with_the_right_token() {
    let ask = |token: &str, mode: &str| {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = [pair("hub.mode", mode), pair("hub.verify_token", token), pair("hub.challenge", "1158201444")];
        let request = Request { method: "GET", path: "", query: &query, headers: &BTreeMap::new(), body: b"" };
        receive(&demo(Channel::WhatsApp), &request, NOW)
    };
    assert_eq!(ask("demo-whatsapp-verify", "subscribe"), Ok(Received::Challenge(Answer::text("1158201444"))));
    for (token, mode) in
        [("wrong", "subscribe"), ("", "subscribe"), ("DEMO-WHATSAPP-VERIFY", "subscribe"), ("demo-whatsapp-verify", "")]
    {
        assert_eq!(ask(token, mode).unwrap_err().status(), 403);
    }
    let request = Request { method: "DELETE", path: "", query: &[], headers: &BTreeMap::new(), body: b"" };
    assert_eq!(receive(&demo(Channel::WhatsApp), &request, NOW).unwrap_err().status(), 405);
}

#[test]
fn an_inbox_without_its_secret_takes_nothing() {
    let body = fixture(Channel::WhatsApp, "text");
    let headers = BTreeMap::from([("x-hub-signature-256".to_owned(), sign("", &body))]);
    let request = Request { method: "POST", path: "", query: &[], headers: &headers, body: &body };
    assert_eq!(receive(&Settings::default(), &request, NOW).unwrap_err().status(), 503);
}

fn rendered(to: &str, text: &str) -> Vec<(Call, serde_json::Value)> {
    let message =
        Outgoing { api_base: "https://graph.facebook.com/v23.0/", to, text, reference: "cnv_1/7/1", token: None };
    let calls = render(&demo(Channel::WhatsApp), &message).unwrap_or_else(|error| panic!("{error}"));
    calls.into_iter().map(|call| (call.clone(), serde_json::from_slice(&call.body).unwrap())).collect()
}

#[test]
fn a_reply_is_one_call_as_graph_wants_it() {
    let [(call, body)] = &rendered("16505551234", "Yes 🙂")[..] else { panic!() };
    assert_eq!((call.method, call.url.as_str()), ("POST", "https://graph.facebook.com/v23.0/106540352242922/messages"));
    assert!(call.headers.contains(&("authorization", "Bearer demo-whatsapp-token".to_owned())));
    assert_eq!(
        body,
        &json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "16505551234",
        "type": "text", "text": {"body": "Yes 🙂", "preview_url": false}, "biz_opaque_callback_data": "cnv_1/7/1"})
    );
    let [(_, body)] = &rendered("US.13491208655302741918", "Yes")[..] else { panic!() };
    assert!(body.get("to").is_none() && body["recipient"] == "US.13491208655302741918");
}

#[test]
fn a_long_reply_is_several_calls_each_with_its_own_reference() {
    let text = "All work and no play makes Jack a dull boy. ".repeat(200);
    let calls = rendered("16505551234", &text);
    let pieces: Vec<_> = calls.iter().map(|(_, body)| body["text"]["body"].as_str().unwrap()).collect();
    assert_eq!(pieces.concat(), text);
    assert!(pieces.iter().all(|piece| piece.chars().count() <= 4_096));
    assert_eq!(calls[2].1["biz_opaque_callback_data"], "cnv_1/7/1#3");
    assert!(rendered("16505551234", " \n ").is_empty());
}

proptest! {
    #[test]
    fn nothing_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_unverified(&body, "1", NOW);
    }

    #[test]
    fn nor_does_a_webhook_with_anything_replaced(which in 0usize..60, at in any::<prop::sample::Index>(), with in "(null|7|\"x\"|\\[\\]|\\{\\}|true|-1e400)") {
        let all = fixtures(Channel::WhatsApp);
        let text = String::from_utf8(all[which % all.len()].1.clone()).unwrap();
        let values: Vec<_> = text.match_indices(": ").map(|(start, _)| start + 2).collect();
        if let Some(start) = values.get(at.index(values.len().max(1))) {
            let end = text[*start..].find([',', '\n']).map_or(text.len(), |end| start + end);
            let changed = format!("{}{with}{}", &text[..*start], &text[end..]);
            let _ = read_unverified(changed.as_bytes(), "106540352242922", NOW);
        }
    }
}
