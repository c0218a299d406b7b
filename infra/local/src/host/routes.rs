//! Which route of the HTTP API a request takes: an exact path wins over `{parameter}`, which wins over `{proxy+}`, and
//! `$default` takes the rest; at the same path a named method wins over `ANY`.
//!
//! It deliberately knows no authorizer and no event: it compares paths.

use std::{cmp::Reverse, collections::BTreeMap};

use http::Method;
use percent_encoding::percent_decode_str;

use crate::template::plan::HttpRoute;

/// The routes of an API, ready to be asked.
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Vec<Compiled>,
}

/// The route a request takes.
#[derive(Debug)]
pub(crate) struct Match<'a> {
    /// The route.
    pub(crate) route: &'a HttpRoute,
    /// What its parameters stand for, decoded.
    pub(crate) parameters: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Compiled {
    route: HttpRoute,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    Parameter(String),
    Rest(String),
}

impl Segment {
    fn read(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Rest(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Exact(text.to_owned()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Exact(_) => 0,
            Self::Parameter(_) => 1,
            Self::Rest(_) => 2,
        }
    }
}

impl Routes {
    /// The routes, sorted so that the first that fits is the one that wins.
    #[must_use]
    pub(crate) fn new(routes: &[HttpRoute]) -> Self {
        let mut routes: Vec<Compiled> = routes
            .iter()
            .map(|route| Compiled {
                segments: match route.path.strip_prefix('/') {
                    Some(path) => path.split('/').map(Segment::read).collect(),
                    None => vec![Segment::Rest(String::new())],
                },
                route: route.clone(),
            })
            .collect();
        routes.sort_by_key(|compiled| {
            let ranks: Vec<u8> = compiled.segments.iter().map(Segment::rank).collect();
            (
                compiled.route.path == "$default",
                ranks,
                Reverse(compiled.segments.len()),
                compiled.route.method.is_none(),
            )
        });
        Self { routes }
    }

    /// The route for a method and a path as it came over the wire.
    #[must_use]
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<Match<'_>> {
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.routes.iter().find_map(|compiled| {
            let route = &compiled.route;
            if route.method.as_ref().is_some_and(|wanted| wanted != method) {
                return None;
            }
            if route.path == "$default" {
                return Some(Match { route, parameters: BTreeMap::new() });
            }
            fit(&compiled.segments, &path).map(|parameters| Match { route, parameters })
        })
    }
}

/// What the parameters stand for when `path` fits `segments`. A greedy parameter takes one segment at least.
fn fit(segments: &[Segment], path: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (at, segment) in segments.iter().enumerate() {
        let here = path.get(at)?;
        match segment {
            Segment::Exact(text) if text == here => {}
            Segment::Exact(_) => return None,
            Segment::Parameter(_) if here.is_empty() => return None,
            Segment::Parameter(name) => {
                parameters.insert(name.clone(), decode(here));
            }
            Segment::Rest(name) => {
                let rest = path[at..].join("/");
                if rest.is_empty() {
                    return None;
                }
                parameters.insert(name.clone(), decode(&rest));
                return Some(parameters);
            }
        }
    }
    (path.len() == segments.len()).then_some(parameters)
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Routes {
        let routes: Vec<HttpRoute> = keys
            .iter()
            .map(|key| {
                let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
                HttpRoute {
                    key: (*key).to_owned(),
                    method: (method != "ANY").then(|| method.parse().unwrap()),
                    path: path.to_owned(),
                    function: "F".to_owned(),
                    authorizer: None,
                    timeout_ms: 30_000,
                }
            })
            .collect();
        Routes::new(&routes)
    }

    fn key(routes: &Routes, method: &Method, path: &str) -> Option<String> {
        routes.find(method, path).map(|found| found.route.key.clone())
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let routes = routes(&[
            "$default",
            "ANY /v1/{proxy+}",
            "ANY /v1/agents/{id}",
            "ANY /v1/agents/{proxy+}",
            "ANY /v1/agents/me",
            "GET /v1/agents/me",
        ]);
        assert_eq!(key(&routes, &Method::GET, "/v1/agents/me").unwrap(), "GET /v1/agents/me");
        assert_eq!(key(&routes, &Method::PUT, "/v1/agents/me").unwrap(), "ANY /v1/agents/me");
        assert_eq!(key(&routes, &Method::GET, "/v1/agents/agt_li").unwrap(), "ANY /v1/agents/{id}");
        assert_eq!(key(&routes, &Method::GET, "/v1/agents/agt_li/skills").unwrap(), "ANY /v1/agents/{proxy+}");
        assert_eq!(key(&routes, &Method::GET, "/v1/teams").unwrap(), "ANY /v1/{proxy+}");
        assert_eq!(key(&routes, &Method::GET, "/elsewhere").unwrap(), "$default");
    }

    #[test]
    fn a_greedy_parameter_takes_one_segment_at_least() {
        let routes = routes(&["ANY /v1/contacts/{proxy+}"]);
        assert_eq!(key(&routes, &Method::GET, "/v1/contacts"), None);
        assert_eq!(key(&routes, &Method::GET, "/v1/contacts/"), None);
        assert_eq!(key(&routes, &Method::GET, "/v1/contacts/a/b").as_deref(), Some("ANY /v1/contacts/{proxy+}"));
    }

    #[test]
    fn parameters_are_decoded() {
        let routes = routes(&["ANY /webhooks/whatsapp/{inbox}"]);
        let found = routes.find(&Method::POST, "/webhooks/whatsapp/inb%5Fa").unwrap();
        assert_eq!(found.parameters["inbox"], "inb_a");
        assert!(routes.find(&Method::POST, "/webhooks/whatsapp/").is_none());
    }
}
