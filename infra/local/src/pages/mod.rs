//! The pages of the demo: the shop at `/shop`, the simulator at `/channels`, and the widget's script at `/widget/…`.
//!
//! The pages are part of this binary; the widget is read from where npm builds it, at each request, since it may be
//! built while we run. No console here: the host serves that itself.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, Response, StatusCode, header},
    response::Redirect,
    routing::get,
};

/// Nothing but ourselves: no inline script or style, no frame, no form to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($path:literal $kind:ident $file:literal,)*) => {
        const ASSETS: &[(&str, &str, &str)] = &[$(($path, $kind, include_str!(concat!("../../pages/", $file))),)*];
    };
}

assets! {
    "/shop" HTML "shop/shop.html",
    "/shop/shop.css" CSS "shop/shop.css",
    "/shop/shop.js" JAVASCRIPT "shop/shop.js",
    "/shop/words.js" JAVASCRIPT "shop/words.js",
    "/shop/goods.svg" SVG "shop/goods.svg",
    "/waiting.css" CSS "waiting.css",
    "/channels" HTML "channels/channels.html",
    "/channels/channels.css" CSS "channels/channels.css",
    "/channels/channels.js" JAVASCRIPT "channels/channels.js",
    "/channels/people.js" JAVASCRIPT "channels/people.js",
    "/channels/phone.js" JAVASCRIPT "channels/phone.js",
    "/channels/words.js" JAVASCRIPT "channels/words.js",
}

/// Serves the pages. `widget` is the folder that holds `widget.js` once npm has built it.
pub fn router(widget: PathBuf) -> Router {
    let mut router = Router::new()
        .route("/widget/{file}", get(widget_file))
        .with_state(Arc::new(widget))
        .route("/shop/", get(|| async { Redirect::permanent("/shop") }))
        .route("/channels/", get(|| async { Redirect::permanent("/channels") }));
    for (path, kind, text) in ASSETS {
        router = router.route(path, get(move || async move { answer(StatusCode::OK, kind, Body::from(*text)) }));
    }
    router
}

async fn widget_file(State(folder): State<Arc<PathBuf>>, Path(file): Path<String>) -> Response<Body> {
    let plain = |status, words: &'static str| answer(status, "text/plain; charset=utf-8", Body::from(words));
    let kind = match file.as_str() {
        "widget.js" => JAVASCRIPT,
        "widget.js.map" => "application/json",
        _ => return plain(StatusCode::NOT_FOUND, "the widget has no such file\n"),
    };
    let read = tokio::task::spawn_blocking(move || std::fs::read(folder.join(file))).await;
    match read {
        Ok(Ok(bytes)) => {
            let mut response = answer(StatusCode::OK, kind, Body::from(bytes));
            // Other sites load this script: it is the one file here that is theirs to use.
            let headers = response.headers_mut();
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            response
        }
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "the widget is not built yet; it needs Node 20 or later\n"),
    }
}

fn answer(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests;
