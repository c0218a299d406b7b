//! The console's files, read from where npm puts them, under a strict content security policy.
//!
//! It deliberately holds no file in memory, so that a build shows at once.

use std::path::{Component, Path, PathBuf};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::{builds::Build, http_event::plain};

/// Scripts, styles and connections from this host alone; shown in no one's frame.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the console.
#[derive(Debug, Clone)]
pub(super) struct Console {
    files: PathBuf,
    build: Build,
}

impl Console {
    pub(super) fn new(files: PathBuf, build: Build) -> Self {
        Self { files, build }
    }

    /// The file at a path; the console itself for a page it draws, since it routes its own pages.
    pub(super) async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return plain(StatusCode::NOT_FOUND, "Not Found");
        }
        let Some(name) = relative(uri.path()) else { return plain(StatusCode::NOT_FOUND, "Not Found") };
        if !name.as_os_str().is_empty()
            && let Some(found) = self.file(&name).await
        {
            return found;
        }
        if !is_page(uri.path(), headers) {
            return plain(StatusCode::NOT_FOUND, "Not Found");
        }
        match self.file(Path::new("index.html")).await {
            Some(found) => found,
            None => secure(waiting_page(&self.build)),
        }
    }

    async fn file(&self, name: &Path) -> Option<Response> {
        let content = tokio::fs::read(self.files.join(name)).await.ok()?;
        let kind = kind(name.extension().and_then(|extension| extension.to_str()).unwrap_or_default());
        // Vite names what is in `assets` by its content.
        let lasting = name.starts_with("assets");
        let caching = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching)];
        Some(secure((headers, Body::from(content)).into_response()))
    }
}

/// A path below the console's folder; nothing that could leave it.
fn relative(path: &str) -> Option<PathBuf> {
    let path = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?;
    let path = PathBuf::from(path.as_ref());
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

/// Whether a browser asks for one of the console's own pages.
fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let api = ["/v1/", "/webhooks/", "/local/", "/sandbox/"].iter().any(|prefix| path.starts_with(prefix));
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    path == "/" || (!api && accepts.contains("text/html"))
}

fn kind(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// What stands at `/` while there is no console.
fn waiting_page(build: &Build) -> Response {
    // It comes back by itself when there is something to come; what has failed is not asked for all the time.
    let (state, again_s) = (build.state(), if build.runs() { 2 } else { 30 });
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"refresh\" content=\"{again_s}\">\
         <title>Colloquy</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/waiting.css\">\
         <main><h1>Colloquy</h1><p role=\"status\">{}</p>\
         <p>Everything else answers already: <a href=\"/shop\">the demo shop</a>, \
         <a href=\"/channels\">the channels</a>, <a href=\"/v1/openapi.json\">the API</a>.</p></main></html>",
        escape(&state)
    );
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, page).into_response()
}

/// What npm said, as text in a page.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn secure(mut response: Response) -> Response {
    let headers: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(console: &Console, path: &str, accept: &str) -> (u16, HeaderMap) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        let answer = console.answer(&Method::GET, &path.parse().unwrap(), &headers).await;
        (answer.status().as_u16(), answer.headers().clone())
    }

    fn console() -> (tempfile::TempDir, Console) {
        let files = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(files.path().join("dist/assets")).unwrap();
        std::fs::write(files.path().join("secret"), "no").unwrap();
        std::fs::write(files.path().join("dist/assets/a.js"), "1").unwrap();
        let console = Console::new(files.path().join("dist"), Build::default());
        (files, console)
    }

    #[tokio::test]
    async fn a_file_has_its_kind_and_a_strict_policy() {
        let (_files, console) = console();
        let (status, headers) = get(&console, "/assets/a.js", "*/*").await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "text/javascript; charset=utf-8"));
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    }

    #[tokio::test]
    async fn nothing_outside_the_consoles_folder_is_served() {
        let (_files, console) = console();
        for path in ["/../secret", "/%2e%2e/secret", "/assets/../../secret", "//etc/passwd", "/%2Fetc/passwd"] {
            assert_eq!(get(&console, path, "*/*").await.0, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn while_there_is_no_console_a_page_says_so_and_the_api_is_not_taken_for_one() {
        let (files, console) = console();
        assert_eq!(get(&console, "/", "text/html").await.0, 503);
        std::fs::write(files.path().join("dist/index.html"), "<!doctype html>").unwrap();
        assert_eq!(get(&console, "/", "*/*").await.0, 200);
        assert_eq!(get(&console, "/conversations/cnv_1", "text/html").await.0, 200);
        assert_eq!(get(&console, "/v1/nothing", "text/html").await.0, 404);
        assert_eq!(get(&console, "/missing.js", "*/*").await.0, 404);
    }
}
