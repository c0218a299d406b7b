//! A channel's API that answers as it is told to: well by default, and badly as often as a test asks for it.
//!
//! Speaks just enough HTTP/1.1 for one request a connection; that lets it hang, and break off at any byte.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::{VirtualClock, eventually};

/// How a call is answered instead of well.
#[derive(Clone, Debug)]
pub enum Fault {
    /// With this status, `Retry-After` and body.
    Status(u16, Option<u64>, Value),
    /// Not at all.
    Hang,
    /// By closing the connection after the request was read.
    Close,
    /// By closing the connection within the answer.
    CloseMidway,
}

/// A call that came.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub raw: String,
    /// The body as JSON.
    pub body: Value,
    /// When, by the host's clock.
    pub at_ms: i64,
    /// Whether it was answered well.
    pub taken: bool,
    /// The id the platform gave the message.
    pub id: String,
}

impl Call {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The words sent, wherever the channel puts them.
    #[must_use]
    pub fn text(&self) -> &str {
        self.body["text"]["body"].as_str().or_else(|| self.body["text"]["content"].as_str()).unwrap_or_default()
    }

    fn is_for_a_token(&self) -> bool {
        self.path.starts_with("/cgi-bin/stable_token") || self.path.starts_with("/cgi-bin/token")
    }
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    faults: VecDeque<Fault>,
    token_faults: VecDeque<Fault>,
    token: String,
}

/// The platform. Dropping it ends it.
pub struct Platform {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: AbortHandle,
}

impl Platform {
    /// A platform on a port of its own.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(clock: &VirtualClock) -> Self {
        Self::on(clock, 0).await
    }

    /// A platform on this port.
    ///
    /// # Panics
    /// When the port is taken.
    pub async fn on(clock: &VirtualClock, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("there is a free port");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { token: "token-1".to_owned(), ..State::default() }));
        let (shared, clock) = (Arc::clone(&state), clock.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared), clock.clone()));
            }
        });
        Self { address, state, serving: serving.abort_handle() }
    }

    /// Its address, for an inbox's `api_base`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers the next message so; several are taken in order.
    pub fn fail(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// Answers the next call for a token so.
    pub fn fail_token(&self, fault: Fault) {
        self.lock().token_faults.push_back(fault);
    }

    /// Gives out this access token from now on; no other is taken any more.
    pub fn change_token(&self, token: &str) {
        token.clone_into(&mut self.lock().token);
    }

    /// The calls that bore a message.
    #[must_use]
    pub fn messages(&self) -> Vec<Call> {
        self.lock().calls.iter().filter(|call| !call.is_for_a_token()).cloned().collect()
    }

    /// The calls that asked for a token.
    #[must_use]
    pub fn token_calls(&self) -> Vec<Call> {
        self.lock().calls.iter().filter(|call| call.is_for_a_token()).cloned().collect()
    }

    /// How often these words were taken.
    #[must_use]
    pub fn taken(&self, text: &str) -> usize {
        self.messages().iter().filter(|call| call.taken && call.text() == text).count()
    }

    /// Waits until these words have come; gives the first call that bore them.
    pub async fn got(&self, text: &str) -> Call {
        self.came(text, 1).await.remove(0)
    }

    /// Waits until these words have come so often.
    pub async fn came(&self, text: &str, times: usize) -> Vec<Call> {
        eventually(&format!("the platform to be sent `{text}` {times} times"), async || {
            let calls: Vec<Call> = self.messages().into_iter().filter(|call| call.text() == text).collect();
            (calls.len() >= times).then_some(calls)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, clock: VirtualClock) {
    let Some(mut call) = read(&mut stream).await else { return };
    call.at_ms = clock.ms();
    let (fault, answer) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let for_token = call.is_for_a_token();
        let fault = if for_token { state.token_faults.pop_front() } else { state.faults.pop_front() };
        call.id = format!("wamid.{}", state.calls.len());
        let stale =
            call.path.contains("access_token=") && !call.path.ends_with(&format!("access_token={}", state.token));
        call.taken = fault.is_none() && !stale;
        let answer = if for_token {
            json!({"access_token": state.token, "expires_in": 7200})
        } else if stale {
            json!({"errcode": 42001, "errmsg": "access_token expired"})
        } else if call.path.starts_with("/cgi-bin/") {
            json!({"errcode": 0, "errmsg": "ok"})
        } else {
            json!({"messaging_product": "whatsapp", "messages": [{"id": call.id}]})
        };
        state.calls.push(call);
        (fault, answer)
    };
    let _ = match fault {
        None => write(&mut stream, 200, None, &answer).await,
        Some(Fault::Status(status, retry_after, body)) => write(&mut stream, status, retry_after, &body).await,
        Some(Fault::Hang) => {
            // Until the caller gives up.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(drop)
        }
        Some(Fault::Close) => Ok(()),
        Some(Fault::CloseMidway) => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n{\"mess")
                .await
        }
    };
}

async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let raw = String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned();
    let body = serde_json::from_str(&raw).unwrap_or(Value::Null);
    Some(Call { method, path, headers, raw, body, at_ms: 0, taken: false, id: String::new() })
}

async fn write(stream: &mut TcpStream, status: u16, retry_after: Option<u64>, body: &Value) -> std::io::Result<()> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let retry = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{retry}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
