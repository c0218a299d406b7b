//! Reads the two APIs: their stages, authorizers, integrations and routes.
//!
//! A deployed stage shows its routes by `AutoDeploy` only; deployments, route responses and integrations other than with a
//! function (`AWS_PROXY`) are refused.

use std::collections::BTreeMap;

use http::Method;

use super::{
    document::Resource,
    error::TemplateError,
    fields::Fields,
    kinds::ResourceKind,
    plan::{Cors, HttpPlan, HttpRoute, JwtAuthorizer, RequestAuthorizer, SocketPlan, SocketRoute},
    scope::Scope,
    storage::fields,
};

/// How long the gateway waits for a function where a template is silent, in milliseconds.
const HTTP_TIMEOUT_MS: u32 = 30_000;
const SOCKET_TIMEOUT_MS: u32 = 29_000;

/// The HTTP API and the WebSocket API, as far as the template has them.
pub(super) fn read(scope: &Scope<'_>) -> Result<(Option<HttpPlan>, Option<SocketPlan>), TemplateError> {
    let (mut http, mut socket) = (None, None);
    for api in scope.resources(ResourceKind::Api)? {
        let taken =
            || TemplateError::new("the template has two APIs of this protocol").at_line(api.line).within(&api.id);
        let mut properties = fields(scope, api)?;
        match properties.required_text("ProtocolType")?.as_str() {
            "HTTP" if http.is_some() => return Err(taken()),
            "WEBSOCKET" if socket.is_some() => return Err(taken()),
            "HTTP" => http = Some(http_api(scope, api, properties).map_err(|error| error.within(&api.id))?),
            "WEBSOCKET" => socket = Some(socket_api(scope, api, properties).map_err(|error| error.within(&api.id))?),
            other => return Err(TemplateError::new(format!("the protocol {other} is not understood")).within(&api.id)),
        }
    }
    Ok((http, socket))
}

fn http_api(scope: &Scope<'_>, api: &Resource, mut properties: Fields) -> Result<HttpPlan, TemplateError> {
    let cors = cors(&mut properties)?;
    properties.ignore(&["Name", "Description", "DisableExecuteApiEndpoint", "Tags"]);
    properties.finish()?;
    let parts = Parts::of(scope, api)?;
    let mut plan = HttpPlan {
        id: scope.reference_to(api)?,
        stage: parts.stage()?,
        endpoint: scope.attribute(api, "ApiEndpoint")?,
        routes: Vec::new(),
        authorizers: BTreeMap::new(),
        cors,
    };
    for (resource, mut fields) in parts.authorizers {
        let read = || {
            fields.only("AuthorizerType", "JWT")?;
            let identity_source = fields.texts("IdentitySource")?;
            let mut jwt = Fields::new("JwtConfiguration", fields.require("JwtConfiguration")?)?;
            let issuer = jwt.required_text("Issuer")?;
            let audience = jwt.texts("Audience")?;
            jwt.finish()?;
            fields.ignore(&["Name"]);
            fields.finish()?;
            Ok(JwtAuthorizer { issuer, audience, identity_source })
        };
        plan.authorizers.insert(resource.id.clone(), inside(resource, read)?);
    }
    let integrations = integrations(scope, parts.integrations, HTTP_TIMEOUT_MS, true)?;
    for (resource, fields) in parts.routes {
        let read = || {
            let route = route(scope, fields, &integrations, "JWT")?;
            let (method, path) = method_and_path(&route.key)?;
            if plan.routes.iter().any(|known| known.key == route.key) {
                return Err(TemplateError::new(format!("the route {} is there twice", route.key)));
            }
            let Route { key, function, authorizer, timeout_ms } = route;
            Ok(HttpRoute { key, method, path, function, authorizer, timeout_ms })
        };
        let route = inside(resource, read)?;
        plan.routes.push(route);
    }
    Ok(plan)
}

fn socket_api(scope: &Scope<'_>, api: &Resource, mut properties: Fields) -> Result<SocketPlan, TemplateError> {
    let selection_expression = properties.required_text("RouteSelectionExpression")?;
    properties.ignore(&["Name", "Description", "DisableExecuteApiEndpoint", "Tags"]);
    properties.finish()?;
    let parts = Parts::of(scope, api)?;
    let id = scope.reference_to(api)?;
    let stage = parts.stage()?;
    let endpoint = format!("https://{id}.execute-api.{}.{}/{stage}", scope.place.region, scope.place.suffix);
    let mut plan =
        SocketPlan { id, stage, selection_expression, endpoint, routes: Vec::new(), authorizers: BTreeMap::new() };
    for (resource, mut fields) in parts.authorizers {
        let read = || {
            fields.only("AuthorizerType", "REQUEST")?;
            let function = function_behind(scope, &fields.required_text("AuthorizerUri")?)?;
            let identity_source = fields.texts("IdentitySource")?;
            fields.ignore(&["Name"]);
            fields.finish()?;
            Ok(RequestAuthorizer { function, identity_source })
        };
        plan.authorizers.insert(resource.id.clone(), inside(resource, read)?);
    }
    let integrations = integrations(scope, parts.integrations, SOCKET_TIMEOUT_MS, false)?;
    for (resource, fields) in parts.routes {
        let read = || {
            let Route { key, function, authorizer, timeout_ms } = route(scope, fields, &integrations, "CUSTOM")?;
            if plan.routes.iter().any(|known| known.key == key) {
                return Err(TemplateError::new(format!("the route {key} is there twice")));
            }
            if authorizer.is_some() && key != "$connect" {
                return Err(TemplateError::new("only the route $connect can have an authorizer"));
            }
            Ok(SocketRoute { key, function, authorizer, timeout_ms })
        };
        let route = inside(resource, read)?;
        plan.routes.push(route);
    }
    Ok(plan)
}

fn inside<T>(resource: &Resource, read: impl FnOnce() -> Result<T, TemplateError>) -> Result<T, TemplateError> {
    read().map_err(|error| error.at_line(resource.line).within(&resource.id))
}

/// What belongs to one API, each with its properties less `ApiId`.
struct Parts<'t> {
    stages: Vec<(&'t Resource, Fields)>,
    authorizers: Vec<(&'t Resource, Fields)>,
    integrations: Vec<(&'t Resource, Fields)>,
    routes: Vec<(&'t Resource, Fields)>,
}

impl<'t> Parts<'t> {
    fn of(scope: &Scope<'t>, api: &Resource) -> Result<Self, TemplateError> {
        let of = |kind| -> Result<Vec<(&'t Resource, Fields)>, TemplateError> {
            let mut found = Vec::new();
            for resource in scope.resources(kind)? {
                let read = || {
                    let mut fields = fields(scope, resource)?;
                    let owner = fields.required_text("ApiId")?;
                    let owner = scope
                        .find(ResourceKind::Api, &owner)?
                        .ok_or_else(|| TemplateError::new(format!("no API of this template is {owner}")))?;
                    Ok((owner.id == api.id).then_some((resource, fields)))
                };
                found.extend(inside(resource, read)?);
            }
            Ok(found)
        };
        let mut stages = of(ResourceKind::Stage)?;
        for (resource, fields) in &mut stages {
            inside(resource, || {
                fields.only("AutoDeploy", "true")?;
                fields.ignore(&["AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description", "Tags"]);
                Ok(())
            })?;
        }
        Ok(Self {
            stages,
            authorizers: of(ResourceKind::Authorizer)?,
            integrations: of(ResourceKind::Integration)?,
            routes: of(ResourceKind::Route)?,
        })
    }

    fn stage(&self) -> Result<String, TemplateError> {
        match self.stages.as_slice() {
            [(resource, fields)] => inside(resource, || {
                let mut fields = fields.clone();
                let stage = fields.required_text("StageName")?;
                fields.finish()?;
                Ok(stage)
            }),
            stages => Err(TemplateError::new(format!("the API has {} stages, not one", stages.len()))),
        }
    }
}

/// What stands behind an integration.
struct Integration {
    function: String,
    timeout_ms: u32,
}

/// Integrations by what a route's `Target` names them.
fn integrations(
    scope: &Scope<'_>,
    resources: Vec<(&Resource, Fields)>,
    usual_timeout_ms: u32,
    http: bool,
) -> Result<BTreeMap<String, Integration>, TemplateError> {
    let mut integrations = BTreeMap::new();
    for (resource, mut fields) in resources {
        let integration = inside(resource, || {
            fields.only("IntegrationType", "AWS_PROXY")?;
            fields.only("IntegrationMethod", "POST")?;
            if http && fields.required_text("PayloadFormatVersion")? != "2.0" {
                return Err(TemplateError::new("PayloadFormatVersion is not understood, only 2.0"));
            }
            let function = function_behind(scope, &fields.required_text("IntegrationUri")?)?;
            let timeout_ms = fields.number_or("TimeoutInMillis", usual_timeout_ms)?;
            fields.ignore(&["Description"]);
            fields.finish()?;
            Ok(Integration { function, timeout_ms })
        })?;
        integrations.insert(format!("integrations/{}", scope.reference_to(resource)?), integration);
    }
    Ok(integrations)
}

/// A route of either API.
struct Route {
    key: String,
    function: String,
    authorizer: Option<String>,
    timeout_ms: u32,
}

fn route(
    scope: &Scope<'_>,
    mut fields: Fields,
    integrations: &BTreeMap<String, Integration>,
    authorized: &str,
) -> Result<Route, TemplateError> {
    let key = fields.required_text("RouteKey")?;
    let target = fields.required_text("Target")?;
    let integration = integrations
        .get(&target)
        .ok_or_else(|| TemplateError::new(format!("the route {key} leads to {target}, which the API does not have")))?;
    let authorizer = match fields.text("AuthorizationType")?.as_deref() {
        None | Some("NONE") => None,
        Some(kind) if kind == authorized => {
            let id = fields.required_text("AuthorizerId")?;
            let authorizer = scope.find(ResourceKind::Authorizer, &id)?;
            Some(authorizer.ok_or_else(|| TemplateError::new(format!("no authorizer is {id}")))?.id.clone())
        }
        Some(other) => return Err(TemplateError::new(format!("AuthorizationType {other} is not understood here"))),
    };
    fields.ignore(&["OperationName"]);
    fields.finish()?;
    Ok(Route { key, function: integration.function.clone(), authorizer, timeout_ms: integration.timeout_ms })
}

/// The logical id of the function that an ARN, or API Gateway's address around one, leads to.
fn function_behind(scope: &Scope<'_>, uri: &str) -> Result<String, TemplateError> {
    let arn = match uri.split_once("/functions/") {
        Some((_, rest)) => rest.strip_suffix("/invocations").unwrap_or(rest),
        None => uri,
    };
    let function = scope.find(ResourceKind::Function, arn)?;
    Ok(function.ok_or_else(|| TemplateError::new(format!("no function of this template is {arn}")))?.id.clone())
}

/// `ANY /v1/me` apart; `$default` has neither.
fn method_and_path(key: &str) -> Result<(Option<Method>, String), TemplateError> {
    if key == "$default" {
        return Ok((None, key.to_owned()));
    }
    let refuse = || TemplateError::new(format!("the route key {key:?} is not a method and a path"));
    let (method, path) = key.split_once(' ').filter(|(_, path)| path.starts_with('/')).ok_or_else(refuse)?;
    let method = match method {
        "ANY" => None,
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => {
            Some(Method::from_bytes(method.as_bytes()).map_err(|_| refuse())?)
        }
        _ => return Err(refuse()),
    };
    Ok((method, path.to_owned()))
}

fn cors(fields: &mut Fields) -> Result<Option<Cors>, TemplateError> {
    let Some(mut nested) = fields.nested("CorsConfiguration")? else { return Ok(None) };
    let cors = Cors {
        origins: nested.texts("AllowOrigins")?,
        methods: nested.texts("AllowMethods")?,
        headers: nested.texts("AllowHeaders")?,
        exposed_headers: nested.texts("ExposeHeaders")?,
        max_age_s: nested.number_or("MaxAge", 0)?,
        credentials: nested.flag("AllowCredentials")?,
    };
    nested.finish()?;
    Ok(Some(cors))
}
