//! A host in a folder of its own, empty but for the first administrator and one queue.

use std::{path::Path, sync::Arc, time::Duration};

use colloquy_local::{
    host::{FIRST_ADMINISTRATOR, Host, Options},
    seed,
};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Answer, Person, Platform, Recorder, VirtualClock, Visitor, WeChat, WhatsApp, whatsapp::NUMBER};

/// The queue that is there from the start.
const QUEUE: &str = "que_general";
/// The team that serves it.
const TEAM: &str = "tem_support";

/// A running host and what a test needs around it.
pub struct World {
    host: Option<Host>,
    folder: TempDir,
    /// The host's clock.
    pub clock: VirtualClock,
    /// What the host handed to its functions.
    pub recorder: Recorder,
    /// A client for anything.
    pub http: Client,
    /// The first administrator.
    pub admin: Person,
}

impl World {
    /// Starts one.
    ///
    /// # Panics
    /// When the host does not start.
    pub async fn start() -> Self {
        let (clock, recorder) = (VirtualClock::default(), Recorder::default());
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let host = begin(folder.path(), 0, &clock, &recorder).await;
        let http = Client::builder().no_proxy().build().expect("there is an HTTP client");
        let admin = Person::sign_in(&host.url(""), &http, &clock, FIRST_ADMINISTRATOR).await;
        Self { host: Some(host), folder, clock, recorder, http, admin }
    }

    /// The host.
    ///
    /// # Panics
    /// When it was stopped.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.host.as_ref().expect("the host runs")
    }

    /// Its address.
    #[must_use]
    pub fn base(&self) -> String {
        self.host().url("")
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the host and leaves the folder.
    pub async fn stop(&mut self) {
        if let Some(host) = self.host.take() {
            host.shutdown().await;
        }
    }

    /// Stops the host and starts it again on the same folder and port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        let port = self.host().address().port();
        self.stop().await;
        self.host = Some(begin(self.folder.path(), port, &self.clock, &self.recorder).await);
    }

    /// Moves the clock forward; what fell due meanwhile happens now.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.host().engine().clock_moved();
    }

    /// Moves the clock past every cache.
    pub fn forget(&self) {
        self.advance(Duration::from_secs(6));
    }

    /// Does what the schedule does once a minute.
    ///
    /// # Panics
    /// When it fails.
    pub async fn sweep(&self) {
        self.host().invoke("Sweep", json!({})).await.expect("the sweep ends well");
    }

    /// Lets time pass until something is so: the clock moves on by `step` between looks, and the sweep runs.
    pub async fn until<T>(&self, what: &str, step: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..200 {
            for _ in 0..6 {
                if let Some(answer) = ask().await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
            self.advance(step);
            self.sweep().await;
        }
        panic!("let time pass in vain for {what}");
    }

    /// Signs someone in.
    pub async fn sign_in(&self, email: &str) -> Person {
        Person::sign_in(&self.base(), &self.http, &self.clock, email).await
    }

    /// Hires an agent of the support team; `more` overrides what they are.
    ///
    /// # Panics
    /// When the administrator may not.
    pub async fn hire(&self, name: &str, more: Value) -> Person {
        let email = format!("{}@colloquy.test", name.to_lowercase().replace(' ', "."));
        let mut agent = json!({"name": name, "email": email, "role": "agent", "teams": [TEAM], "capacity": 5});
        merge(&mut agent, more);
        let _ = self.admin.post("/v1/agents", agent).await.expect(201);
        self.sign_in(&email).await
    }

    /// Makes an inbox; gives it.
    ///
    /// # Panics
    /// When the administrator may not.
    pub async fn inbox(&self, channel: &str, settings: Value) -> Value {
        let inbox = json!({"channel": channel, "name": format!("Our {channel}"), "settings": settings, "queue": QUEUE});
        self.admin.post("/v1/inboxes", inbox).await.expect(201).body
    }

    /// A platform that answers by the host's clock.
    pub async fn platform(&self) -> Platform {
        Platform::start(&self.clock).await
    }

    /// A WhatsApp inbox whose API is this platform.
    pub async fn whatsapp(&self, platform: &Platform) -> WhatsApp {
        self.whatsapp_with(&platform.url(), "the app secret of whatsapp".replace(' ', "-").as_str()).await
    }

    /// A WhatsApp inbox with this API address and secret.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn whatsapp_with(&self, api_base: &str, secret: &str) -> WhatsApp {
        let settings = json!({
            "phone_number_id": NUMBER, "app_secret": secret, "verify_token": "verify-me",
            "access_token": "whatsapp-access-token", "api_base": api_base,
        });
        let inbox = self.inbox("whatsapp", settings).await;
        WhatsApp {
            inbox: inbox["id"].as_str().unwrap().to_owned(),
            secret: secret.to_owned(),
            url: self.host().url(inbox["webhook"].as_str().unwrap()),
            http: self.http.clone(),
            clock: self.clock.clone(),
        }
    }

    /// A WeChat inbox whose API is this platform, in safe mode when there is a key.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn wechat(&self, platform: &Platform, aes_key: Option<&str>) -> WeChat {
        let mut settings = json!({
            "app_id": "wx5823bf96d3bd56c7", "app_secret": "wechat-app-secret", "token": "wechat-token",
            "api_base": platform.url(),
        });
        if let Some(key) = aes_key {
            settings["encoding_aes_key"] = json!(key);
        }
        let inbox = self.inbox("wechat", settings).await;
        WeChat {
            inbox: inbox["id"].as_str().unwrap().to_owned(),
            app_id: "wx5823bf96d3bd56c7".to_owned(),
            token: "wechat-token".to_owned(),
            aes_key: aes_key.map(str::to_owned),
            url: self.host().url(inbox["webhook"].as_str().unwrap()),
            http: self.http.clone(),
            clock: self.clock.clone(),
        }
    }

    /// A web inbox; gives its id.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn web(&self) -> String {
        let inbox = self.inbox("web", json!({"allowed_origins": ["*"], "identity_secret": "site-secret"})).await;
        inbox["id"].as_str().unwrap().to_owned()
    }

    /// A visitor of a web inbox.
    pub async fn visitor(&self, inbox: &str, name: &str) -> Visitor {
        Visitor::arrive(&self.base(), &self.http, json!({"inbox": inbox, "name": name})).await
    }

    /// Asks without signing in.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.http.get(self.host().url(path))).await
    }

    /// Hands an event to a function again.
    ///
    /// # Panics
    /// When it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Value {
        self.host().invoke(function, event).await.unwrap_or_else(|error| panic!("{function}: {error}"))
    }

    /// Whether nothing is under way: every queue is empty.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let depths = self.host().engine().queues().depths();
        depths
            .iter()
            .filter(|(name, _)| !name.starts_with("timers"))
            .all(|(_, depth)| depth.visible + depth.in_flight + depth.delayed == 0)
    }

    /// Waits until nothing is under way.
    pub async fn quiet(&self) {
        crate::eventually("all queues to be empty", async || self.is_quiet().then_some(())).await;
    }
}

async fn begin(folder: &Path, port: u16, clock: &VirtualClock, recorder: &Recorder) -> Host {
    let clock = clock.clone();
    let options = Options {
        port,
        empty: true,
        clock: Arc::new(move || clock.ms()),
        functions: recorder.starter(),
        ..Options::new(folder)
    };
    Box::pin(Host::start(options, seed::prepare)).await.expect("the host starts")
}

fn merge(value: &mut Value, more: Value) {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
}
