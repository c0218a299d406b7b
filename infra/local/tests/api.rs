//! The REST API from outside: what its description says is there and nothing else is, and bad input is told apart.
//!
//! Every documented path and method is answered by the functions behind `template.yaml`, every other method on those
//! paths is 405 with the right ones, and no route is left out. What commands do is told in `tests/stories`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use colloquy_local::{
    host::{Host, Options},
    seed,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

struct Api {
    host: Host,
    client: Client,
    token: String,
    description: Value,
    /// What stands for each parameter of a path.
    sample: BTreeMap<String, String>,
}

impl Api {
    /// An empty host with one inbox of each channel that has a webhook.
    async fn start(data: &std::path::Path) -> Self {
        let options = Options { empty: true, ..Options::new(data) };
        let host = Box::pin(Host::start(options, seed::prepare)).await.unwrap();
        let client = Client::new();
        let login = client.post(host.url("/local/login")).json(&json!({"agent": "admin@colloquy.test"}));
        let login: Value = login.send().await.unwrap().json().await.unwrap();
        let description = client.get(host.url("/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
        let sample = [
            ("conversation", "cnv_none"),
            ("message", "1"),
            ("turn", "trn_none"),
            ("contact", "cnt_none"),
            ("agent", "agt_none"),
            ("team", "tem_none"),
            ("queue", "que_none"),
            ("inbox", "inb_none"),
            ("visitor", "vis_none"),
        ];
        let sample = sample.map(|(name, id)| (name.to_owned(), id.to_owned())).into();
        Self { host, client, token: login["token"].as_str().unwrap().to_owned(), description, sample }
    }

    async fn inbox(&self, channel: &str, settings: Value) -> String {
        let body = json!({"channel": channel, "settings": settings});
        let made = self.client.post(self.host.url("/v1/inboxes")).bearer_auth(&self.token).json(&body).send();
        let made: Value = made.await.unwrap().json().await.unwrap();
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// Each documented path with its methods.
    fn paths(&self) -> Vec<(String, BTreeSet<String>)> {
        let paths = self.description["paths"].as_object().unwrap();
        let methods = |path: &Value| {
            let named = METHODS.iter().filter(|method| path.get(method.to_lowercase()).is_some());
            named.map(|method| (*method).to_owned()).collect()
        };
        paths.iter().map(|(path, value)| (path.clone(), methods(value))).collect()
    }

    async fn ask(&self, method: &str, path: &str) -> (u16, Option<String>, Value) {
        let mut path = path.to_owned();
        for (name, id) in &self.sample {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let method: Method = method.parse().unwrap();
        let request = self.client.request(method, self.host.url(&path)).bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        let allow = answer.headers().get("allow").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), allow, answer.json().await.unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_described_is_there_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let mut api = Box::pin(Api::start(data.path())).await;
    let whatsapp = json!({
        "phone_number_id": "106540352242922", "app_secret": "an-app-secret", "verify_token": "a-verify-token",
        "access_token": "an-access-token",
    });
    let wechat = json!({"app_id": "wx5823bf96d3bd56c7", "app_secret": "an-app-secret", "token": "aSignedToken"});
    let inboxes = [("whatsapp", api.inbox("whatsapp", whatsapp).await), ("wechat", api.inbox("wechat", wechat).await)];
    let paths = api.paths();
    for (path, methods) in &paths {
        let inbox = inboxes.iter().find(|(channel, _)| path.contains(channel));
        let inbox = inbox.map_or_else(|| "inb_none".to_owned(), |(_, inbox)| inbox.clone());
        api.sample.insert("inbox".to_owned(), inbox);
        for method in METHODS {
            let (status, allow, body) = api.ask(method, path).await;
            let nothing = body["detail"] == "there is nothing at this path" || body["message"] == "Not Found";
            if methods.contains(method) {
                assert!(status != 405 && status < 500 && !nothing, "{method} {path}: {status} {body}");
            } else if path == "/v1/openapi.json" {
                // The gateway's own: the template has this route for one method only.
                assert_eq!(status, 404, "{method} {path}");
            } else {
                let named: BTreeSet<String> = allow.unwrap_or_default().split(", ").map(str::to_owned).collect();
                assert_eq!((status, &named), (405, methods), "{method} {path}: {body}");
            }
        }
    }
    api.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_template_is_described() {
    let data = tempfile::tempdir().unwrap();
    let api = Box::pin(Api::start(data.path())).await;
    let documented: Vec<String> = api.paths().into_iter().map(|(path, _)| path).collect();
    for route in api.host.plan().http.iter().flat_map(|http| &http.routes) {
        let found = match route.path.strip_suffix("{proxy+}") {
            Some(below) => documented.iter().any(|path| path.starts_with(below)),
            None => documented.contains(&route.path),
        };
        // Contacts are not listed yet: the route is there for what comes.
        assert!(found || route.path == "/v1/contacts", "{} is not described", route.key);
    }
    api.host.shutdown().await;
}

/// Method, path, body; the status and code of the answer, and words its detail must have.
const BAD: [(&str, &str, &str, u16, &str, &str); 26] = [
    ("GET", "/v1/nothing/here", "", 404, "", ""),
    ("GET", "/v1/agents/agt_none", "", 404, "not_found", "agent"),
    ("GET", "/v1/agents/%F0%9F%98%80", "", 404, "not_found", "agent"),
    ("GET", "/v1/conversations/cnv_none", "", 404, "not_found", "conversation"),
    ("GET", "/v1/conversations?holder=everyone", "", 422, "invalid", "holder `everyone`"),
    ("GET", "/v1/conversations?status=done", "", 422, "invalid", "status `done`"),
    ("GET", "/v1/conversations?cursor=99999999999999999999.x", "", 422, "invalid", "cursor"),
    ("GET", "/v1/reports/overview?from=2026-13-01", "", 422, "invalid", "from `2026-13-01`"),
    ("GET", "/v1/reports/overview?from=2001-01-01", "", 422, "invalid", "at most 100"),
    ("GET", "/v1/reports/overview?by=mood", "", 422, "invalid", "by `mood`"),
    ("POST", "/v1/agents", "{", 400, "malformed", "not JSON"),
    ("POST", "/v1/agents", "[]", 422, "invalid", "not a JSON object"),
    ("POST", "/v1/agents", "", 422, "invalid", "name is empty"),
    ("POST", "/v1/agents", r#"{"name":"\u0000","email":"a@b.c"}"#, 422, "invalid", "name has control characters"),
    ("POST", "/v1/agents", r#"{"name":"A","email":"a b@c.d"}"#, 422, "invalid", "email"),
    ("POST", "/v1/agents", r#"{"name":"A","email":"a@b.c","capacity":1e30}"#, 422, "invalid", "capacity:"),
    ("POST", "/v1/agents", r#"{"name":"A","email":"a@b.c","role":"god"}"#, 422, "invalid", "role:"),
    ("POST", "/v1/agents", r#"{"name":"A","email":"a@b.c","teams":["tem_none"]}"#, 422, "invalid", "tem_none"),
    ("POST", "/v1/queues", r#"{"name":"Q","offer_seconds":4}"#, 422, "invalid", "offer_seconds"),
    ("POST", "/v1/inboxes", r#"{"channel":"pigeon"}"#, 422, "invalid", "`pigeon`"),
    ("POST", "/v1/inboxes", r#"{"channel":"whatsapp"}"#, 422, "invalid", "phone_number_id"),
    ("DELETE", "/v1/teams/tem_support", "", 409, "conflict", "in use by the queue"),
    ("POST", "/v1/visitors", "\u{fe0f}", 400, "malformed", "not JSON"),
    ("POST", "/v1/visitors", "{}", 422, "invalid", "inbox"),
    ("POST", "/v1/visitors/vis_x/messages", "{}", 401, "unauthenticated", "visitor's token"),
    ("POST", "/webhooks/whatsapp/inb_none", "{}", 404, "not_found", "whatsapp inbox"),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_apart_and_named() {
    let data = tempfile::tempdir().unwrap();
    let api = Box::pin(Api::start(data.path())).await;
    for (method, path, body, status, code, words) in BAD {
        let request = api.client.request(method.parse().unwrap(), api.host.url(path)).body(body);
        let answer = request.bearer_auth(&api.token).send().await.unwrap();
        let (found, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(found, status, "{method} {path} {body}: {text}");
        assert_eq!(problem["code"].as_str().unwrap_or_default(), code, "{method} {path} {body}: {text}");
        assert!(problem["detail"].as_str().unwrap_or_default().contains(words), "{method} {path} {body}: {text}");
    }
    api.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_cannot_remove_themselves_and_whoever_was_removed_can_be_invited_again() {
    let data = tempfile::tempdir().unwrap();
    let api = Box::pin(Api::start(data.path())).await;
    let me = api.ask("GET", "/v1/me").await.2;
    let (status, _, problem) = api.ask("DELETE", &format!("/v1/agents/{}", me["id"].as_str().unwrap())).await;
    assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
    for _ in 0..2 {
        let invited = api.client.post(api.host.url("/v1/agents")).bearer_auth(&api.token);
        let invited = invited.json(&json!({"name": "Kim", "email": "kim@colloquy.test"})).send().await.unwrap();
        assert_eq!(invited.status().as_u16(), 201);
        let kim: Value = invited.json().await.unwrap();
        let (status, ..) = api.ask("DELETE", &format!("/v1/agents/{}", kim["id"].as_str().unwrap())).await;
        assert_eq!(status, 204);
    }
    api.host.shutdown().await;
}
