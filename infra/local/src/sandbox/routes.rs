//! The sandbox's addresses: each channel's API below `/sandbox/<channel>/`, what was called, the faults to come, and the
//! customer's side at `/channels/…`.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Method, Response, StatusCode, Uri},
    routing::{any, get, post},
};
use colloquy_domain::Channel;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    calls::Call,
    customer,
    faults::{Fail, Fault, Meets},
    lock,
    reply::{Asked, Reply, dropped, json_response, problem, silence},
    wechat, whatsapp,
};

const LIST_MAX: usize = 1_000;

/// Everything the sandbox answers: `/sandbox/…`, `/channels/send` and `/channels/inboxes`.
pub fn router(state: Sandbox) -> Router {
    Router::new()
        .route("/sandbox/calls", get(list_calls).delete(forget_calls))
        .route("/sandbox/faults", post(order_fault).get(list_faults).delete(forget_faults))
        .route("/sandbox/whatsapp/statuses", post(send_status))
        .route("/sandbox/{channel}/{*path}", any(call))
        .route("/channels/inboxes", get(list_inboxes))
        .route("/channels/send", post(send_as_customer))
        .with_state(state)
}

async fn list_calls(State(sandbox): State<Sandbox>, RawQuery(query): RawQuery) -> Response<Body> {
    let query = pairs(query.as_deref());
    let given = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let after = given("after").map_or(Ok(0), str::parse);
    let limit = given("limit").map_or(Ok(LIST_MAX), str::parse);
    let (Ok(after), Ok(limit)) = (after, limit) else {
        return problem(StatusCode::BAD_REQUEST, "after and limit are numbers");
    };
    let calls = lock(&sandbox.0.calls);
    let items = calls.after(after, given("channel").filter(|channel| !channel.is_empty()), limit);
    let last = items.last().map_or(after, |call| call.id);
    json_response(StatusCode::OK, &json!({"items": items, "last": last, "newest": calls.last()}))
}

async fn forget_calls(State(sandbox): State<Sandbox>) -> StatusCode {
    lock(&sandbox.0.calls).clear();
    StatusCode::NO_CONTENT
}

async fn order_fault(State(sandbox): State<Sandbox>, body: Bytes) -> Response<Body> {
    match parse::<Fault>(&body) {
        Err(refusal) => *refusal,
        Ok(fault) if fault.channel.parse::<Channel>().is_err() => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, "channel is not one the sandbox plays")
        }
        Ok(fault) => {
            let ordered = json!(fault);
            lock(&sandbox.0.faults).order(fault);
            json_response(StatusCode::CREATED, &ordered)
        }
    }
}

async fn list_faults(State(sandbox): State<Sandbox>) -> Response<Body> {
    json_response(StatusCode::OK, &json!({"items": lock(&sandbox.0.faults).pending()}))
}

async fn forget_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    lock(&sandbox.0.faults).clear();
    StatusCode::NO_CONTENT
}

async fn send_status(State(sandbox): State<Sandbox>, body: Bytes) -> Response<Body> {
    match parse::<customer::Status>(&body) {
        Err(refusal) => *refusal,
        Ok(status) => customer::send_status(&sandbox, status).await,
    }
}

async fn list_inboxes(State(sandbox): State<Sandbox>) -> Response<Body> {
    let inboxes = sandbox.inboxes().await;
    // Settings stay here: they hold the secrets the webhooks are signed with.
    let items = inboxes.iter().map(|inbox| {
        // What the channel's API knows the inbox by, so that a page can tell whom a call was for.
        let account = match inbox.channel {
            Channel::WhatsApp => Some(inbox.setting("phone_number_id")),
            Channel::WeChat => Some(inbox.setting("app_id")),
            Channel::Web => None,
        };
        json!({"id": inbox.id, "channel": inbox.channel, "name": inbox.name, "account": account})
    });
    json_response(StatusCode::OK, &json!({"items": items.collect::<Vec<_>>()}))
}

async fn send_as_customer(State(sandbox): State<Sandbox>, body: Bytes) -> Response<Body> {
    match parse::<customer::Written>(&body) {
        Err(refusal) => *refusal,
        Ok(written) => customer::send(&sandbox, written).await,
    }
}

async fn call(
    State(sandbox): State<Sandbox>,
    Path((channel, path)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response<Body> {
    let query = pairs(uri.query());
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let asked =
        Asked { method: method.as_str(), path: &path, query: &query, headers: &headers, body: &body, raw: &raw };
    let (reply, fault) = match channel.parse() {
        Ok(Channel::WhatsApp) => whatsapp_reply(&sandbox, &asked).await,
        Ok(Channel::WeChat) => wechat_reply(&sandbox, &asked).await,
        Ok(Channel::Web) | Err(_) => {
            (Some(Reply::new(404, json!({"error": "the sandbox plays no such channel's API"}))), None)
        }
    };
    lock(&sandbox.0.calls).record(remember(&sandbox, &channel, uri.path(), &asked, reply.as_ref(), fault));
    match (reply, fault) {
        (Some(reply), _) => reply.into_response(),
        (None, Some(Fail::Hang)) => match silence().await {},
        (None, _) => dropped(),
    }
}

async fn whatsapp_reply(sandbox: &Sandbox, asked: &Asked<'_>) -> (Option<Reply>, Option<Fail>) {
    let Some(number) = whatsapp::sends_from(asked) else { return (Some(whatsapp::answer(asked, true)), None) };
    if let Some(fault) = lock(&sandbox.0.faults).next("whatsapp", Meets::Messages) {
        return (whatsapp::fault(&fault), Some(fault.fail));
    }
    let known = sandbox.known_inboxes();
    // An inbox may be new, or its token changed: only today's list refuses.
    let admitted = (!known.is_empty() && whatsapp::admits(asked, number, &known))
        || whatsapp::admits(asked, number, &sandbox.inboxes().await);
    (Some(whatsapp::answer(asked, admitted)), None)
}

async fn wechat_reply(sandbox: &Sandbox, asked: &Asked<'_>) -> (Option<Reply>, Option<Fail>) {
    let meets = match () {
        () if wechat::sends(asked) => Some(Meets::Messages),
        () if wechat::fetches_token(asked) => Some(Meets::Token),
        () => None,
    };
    let fault = meets.and_then(|meets| lock(&sandbox.0.faults).next("wechat", meets));
    if let Some(fault) = fault {
        let reply = wechat::fault(&fault, asked, &mut lock(&sandbox.0.tokens), sandbox.now());
        return (reply, Some(fault.fail));
    }
    let admitted = !wechat::fetches_token(asked) || wechat::admits(asked, &sandbox.inboxes().await);
    let reply = wechat::answer(asked, &mut lock(&sandbox.0.tokens), sandbox.now(), admitted);
    (Some(reply), None)
}

fn remember(
    sandbox: &Sandbox,
    channel: &str,
    path: &str,
    asked: &Asked<'_>,
    reply: Option<&Reply>,
    fault: Option<Fail>,
) -> Call {
    let text = |value: &str| Value::String(value.to_owned());
    let headers = asked.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    Call {
        id: 0,
        channel: channel.to_owned(),
        method: asked.method.to_owned(),
        path: path.to_owned(),
        query: asked.query.iter().map(|(name, value)| (name.clone(), text(value))).collect::<Map<_, _>>(),
        headers: headers.collect(),
        body: asked.body.clone(),
        raw: String::from_utf8_lossy(asked.raw).into_owned(),
        at: sandbox.now(),
        status: reply.map(|reply| reply.status),
        response: reply.map_or(Value::Null, |reply| reply.body.clone()),
        fault: fault.map(Fail::as_str),
    }
}

fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response<Body>>> {
    serde_json::from_slice(body).map_err(|error| Box::new(problem(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())))
}
