//! What one message holds: its words and its parts, for each type the platform documents.
//!
//! A type that is not listed, or that lacks what it should have, becomes an unsupported part with the type's name.

use colloquy_domain::{Part, PartKind};
use serde_json::Value;

use crate::json;

#[derive(Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) parts: Vec<Part>,
    pub(super) reply_to: Option<String>,
}

/// What a message of this type holds.
pub(super) fn read(kind: &str, message: &Value) -> Content {
    let mut content = body(kind, message);
    content.reply_to = content.reply_to.or_else(|| json::text(message, "/context/id").map(str::to_owned));
    if let Some(advertisement) = message.get("referral") {
        content.parts.extend(link(advertisement));
    }
    content
}

/// What the platform calls something, fit for a label: short and plain.
pub(super) fn label(kind: &str) -> String {
    kind.chars().filter(|char| !char.is_control()).take(40).collect()
}

fn body(kind: &str, message: &Value) -> Content {
    let at = |pointer: &str| json::text(message, pointer);
    let found = match kind {
        "text" => at("/text/body").map(words),
        "image" => media(PartKind::Image, message.get("image")),
        "video" => media(PartKind::Video, message.get("video")),
        "audio" => media(PartKind::Audio, message.get("audio")),
        "document" => media(PartKind::File, message.get("document")),
        "sticker" => media(PartKind::Sticker, message.get("sticker")),
        "location" => location(message.get("location")),
        "contacts" => contacts(json::array(message, "/contacts")),
        "button" => at("/button/text").map(words),
        "interactive" => interactive(message),
        "reaction" => reaction(message),
        "order" => message.get("order").map(order),
        "edit" => edit(message),
        "revoke" => {
            Some(Content { reply_to: at("/revoke/original_message_id").map(str::to_owned), ..unsupported("revoke") })
        }
        "unsupported" => at("/unsupported/type").map(|kind| unsupported(&label(kind))),
        _ => None,
    };
    found.unwrap_or_else(|| unsupported(kind))
}

fn words(text: &str) -> Content {
    Content { text: text.to_owned(), ..Content::default() }
}

fn part(part: Part) -> Content {
    Content { parts: vec![part], ..Content::default() }
}

fn unsupported(kind: &str) -> Content {
    part(Part { label: Some(kind.to_owned()), ..Part::new(PartKind::Unsupported) })
}

fn media(kind: PartKind, media: Option<&Value>) -> Option<Content> {
    let media = media.filter(|media| media.is_object())?;
    let owned = |pointer: &str| json::text(media, pointer).map(str::to_owned);
    let part = Part { media: owned("/id"), mime: owned("/mime_type"), label: owned("/filename"), ..Part::new(kind) };
    Some(Content { text: owned("/caption").unwrap_or_default(), parts: vec![part], reply_to: None })
}

fn location(location: Option<&Value>) -> Option<Content> {
    let location = location?;
    let degrees =
        |name: &str| location.get(name)?.as_f64().or_else(|| location.get(name)?.as_str()?.trim().parse().ok());
    let (latitude, longitude) = (degrees("latitude")?, degrees("longitude")?);
    let label = [json::text(location, "/name"), json::text(location, "/address")];
    let label = label.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Some(part(Part {
        label: (!label.is_empty()).then_some(label),
        place: Some(format!("{latitude},{longitude}")),
        ..Part::new(PartKind::Location)
    }))
}

fn contacts(cards: &[Value]) -> Option<Content> {
    let card = |card: &Value| {
        let name = json::text(card, "/name/formatted_name").or_else(|| json::text(card, "/name/first_name"));
        let phones = json::array(card, "/phones").iter().filter_map(|phone| json::text(phone, "/phone"));
        let label = name.into_iter().chain(phones).collect::<Vec<_>>().join(", ");
        Part { label: (!label.is_empty()).then_some(label), ..Part::new(PartKind::Contact) }
    };
    (!cards.is_empty()).then(|| Content { parts: cards.iter().map(card).collect(), ..Content::default() })
}

/// A tap on a button or list of ours is what the button said; an answered form has a summary at best.
fn interactive(message: &Value) -> Option<Content> {
    let kind = json::text(message, "/interactive/type")?;
    match kind {
        "button_reply" => json::text(message, "/interactive/button_reply/title").map(words),
        "list_reply" => json::text(message, "/interactive/list_reply/title").map(words),
        _ => {
            let summary = json::text(message, &format!("/interactive/{kind}/body")).unwrap_or_default();
            Some(Content { text: summary.to_owned(), ..unsupported(&label(kind)) })
        }
    }
}

/// An emoji set on a message, or taken back: then it has no label.
fn reaction(message: &Value) -> Option<Content> {
    let to = json::text(message, "/reaction/message_id")?.to_owned();
    let emoji = json::text(message, "/reaction/emoji").map(str::to_owned);
    Some(Content { reply_to: Some(to), ..part(Part { label: emoji, ..Part::new(PartKind::Reaction) }) })
}

fn order(order: &Value) -> Content {
    let item = |item: &Value| {
        let plain =
            |name: &str| item.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let product = plain("product_retailer_id").unwrap_or_else(|| "?".to_owned());
        let quantity = plain("quantity").unwrap_or_else(|| "?".to_owned());
        let price = plain("item_price").map(|price| format!(" at {price} {}", plain("currency").unwrap_or_default()));
        format!("{quantity} × {product}{}", price.unwrap_or_default())
    };
    let items = json::array(order, "/product_items").iter().take(100).map(item).collect::<Vec<_>>().join("; ");
    let text = json::text(order, "/text").unwrap_or_default().to_owned();
    Content { text, ..unsupported(&format!("order: {items}")) }
}

/// The new words of a message sent before, as an answer to it.
fn edit(message: &Value) -> Option<Content> {
    let inner = message.pointer("/edit/message")?;
    let kind = json::text(inner, "/type").filter(|kind| *kind != "edit")?;
    let mut content = body(&label(kind), inner);
    content.parts.extend(unsupported("edit").parts);
    content.reply_to = json::text(message, "/edit/original_message_id").map(str::to_owned);
    Some(content)
}

/// The advertisement or post that the customer came from.
fn link(referral: &Value) -> Option<Part> {
    let media = json::text(referral, "/source_url").map(str::to_owned);
    let label = json::text(referral, "/headline").or_else(|| json::text(referral, "/body")).map(str::to_owned);
    (media.is_some() || label.is_some()).then(|| Part { media, label, ..Part::new(PartKind::Link) })
}
