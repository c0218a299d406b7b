//! The channels' APIs, played by the test: takes messages, now and then refuses one for its rate, and remembers all.
//!
//! It lives in the test's process, so that it survives what is done to the one under test.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::Problem;

/// One message the API took.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When it came.
    pub at: Instant,
    /// To whom.
    pub to: String,
    /// What it says.
    pub text: String,
    /// Our reference of it, where the platform carries one.
    pub reference: Option<String>,
    /// The platform's id of it.
    pub id: String,
}

/// How the API behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Every so many calls one is refused for its rate; 0 for none.
    pub refuse_each: u64,
    /// The longest time between taking a message and saying so, in milliseconds; each call takes another.
    pub slow_ms: u64,
}

/// The API. Clones are the same one.
#[derive(Clone)]
pub struct Platform {
    inner: Arc<Inner>,
    base: Arc<str>,
}

struct Inner {
    taken: Mutex<Vec<Sent>>,
    news: mpsc::UnboundedSender<Sent>,
    asked: AtomicU64,
    manners: Manners,
}

impl Platform {
    /// Starts the API; what it takes also comes out of the receiver.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(manners: Manners) -> Result<(Self, mpsc::UnboundedReceiver<Sent>), Problem> {
        let (news, receiver) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner { taken: Mutex::default(), news, asked: AtomicU64::new(0), manners });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base = format!("http://{}", listener.local_addr()?).into();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((Self { inner, base }, receiver))
    }

    /// Its address.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Everything it took, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Sent> {
        self.inner.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, uri: Uri, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = |at: &str| asked.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whatsapp = uri.path().ends_with("/messages");
    if uri.path().ends_with("/cgi-bin/stable_token") {
        return json(&json!({"access_token": "wechat-access", "expires_in": 7200}));
    }
    if !whatsapp && !uri.path().ends_with("/message/custom/send") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let number = inner.asked.fetch_add(1, Ordering::Relaxed) + 1;
    let Manners { refuse_each, slow_ms } = inner.manners;
    if refuse_each > 0 && number.is_multiple_of(refuse_each) {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "{}").into_response();
    }
    let sent = Sent {
        at: Instant::now(),
        to: if whatsapp { text("/to") } else { text("/touser") },
        text: if whatsapp { text("/text/body") } else { text("/text/content") },
        reference: whatsapp.then(|| text("/biz_opaque_callback_data")),
        id: format!("wamid.{number}"),
    };
    inner.taken.lock().unwrap_or_else(PoisonError::into_inner).push(sent.clone());
    // Nobody may listen.
    let _ = inner.news.send(sent.clone());
    if slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(number * 37 % slow_ms)).await;
    }
    json(&if whatsapp {
        json!({"messaging_product": "whatsapp", "contacts": [], "messages": [{"id": sent.id}]})
    } else {
        json!({"errcode": 0, "errmsg": "ok"})
    })
}

fn json(answer: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
