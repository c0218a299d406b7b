use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::*;

async fn serve(widget: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(widget)).await });
    address
}

async fn get_page(address: SocketAddr, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("http://{address}{path}")).send().await.unwrap()
}

#[tokio::test]
async fn every_page_comes_with_a_policy_that_forbids_inline_code() {
    let address = serve(PathBuf::from("nowhere")).await;
    for (path, kind, _) in ASSETS {
        let page = get_page(address, path).await;
        assert_eq!((page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()), (200, *kind));
        assert!(!page.headers()["content-security-policy"].to_str().unwrap().contains("unsafe"));
    }
    assert_eq!(get_page(address, "/shop/").await.url().path(), "/shop");
}

#[test]
fn no_page_holds_code_or_style_that_its_policy_would_block() {
    for (path, kind, text) in ASSETS {
        if *kind == HTML {
            for forbidden in ["<style", " style=", " onclick=", " onload=", "javascript:", "http://", "https://"] {
                assert!(!text.contains(forbidden), "{path} contains {forbidden}");
            }
            assert_eq!(text.matches("<script").count(), text.matches("src=\"/").count(), "{path}");
        }
        assert!(!text.contains("innerHTML"), "{path}");
    }
}

#[tokio::test]
async fn the_widget_is_served_once_it_is_built_and_nothing_beside_it() {
    let folder = std::env::temp_dir().join(format!("colloquy-pages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let address = serve(folder.clone()).await;
    assert_eq!(get_page(address, "/widget/widget.js").await.status(), 503);
    std::fs::write(folder.join("widget.js"), "1").unwrap();
    std::fs::write(folder.join("secret.txt"), "1").unwrap();
    let script = get_page(address, "/widget/widget.js").await;
    assert_eq!((script.status().as_u16(), script.text().await.unwrap().as_str()), (200, "1"));
    assert_eq!(get_page(address, "/widget/secret.txt").await.status(), 404);
    assert_eq!(get_page(address, "/widget/..%2Fwidget.js").await.status(), 404);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The names of the words in one catalogue of a `words.js`.
fn named(catalogue: &str) -> Vec<&str> {
    let lines = catalogue.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    lines
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .collect()
}

#[test]
fn every_word_on_the_pages_is_said_in_both_languages() {
    let text = |wanted: &str| ASSETS.iter().find(|(path, _, _)| *path == wanted).map(|(_, _, text)| *text).unwrap();
    for page in ["/shop", "/channels"] {
        let words = text(&format!("{page}/words.js"));
        let (english, rest) = words.split_once("\"zh-CN\": {").unwrap();
        let chinese = rest.split_once("\n  },").unwrap().0;
        assert!(named(english).len() > 20, "{page}");
        assert_eq!(named(english), named(chinese), "{page}");
        for attribute in ["data-word=\"", "data-label=\""] {
            for word in text(page).split(attribute).skip(1).filter_map(|rest| rest.split_once('"')) {
                assert!(named(english).contains(&word.0), "{page} has no word {}", word.0);
            }
        }
    }
}
