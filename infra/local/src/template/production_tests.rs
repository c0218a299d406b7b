//! The rules that the real `template.yaml` keeps, and the plan it gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Overrides, Template,
    kinds::ResourceKind,
    plan::{Mapping, Plan, Source},
    yaml::{Kind, Node},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn template() -> Template {
    Template::read(&root().join("template.yaml")).unwrap()
}

fn overrides() -> Overrides {
    Overrides::default()
        .with("OidcIssuer", "http://127.0.0.1:8787")
        .with("OidcAudience", "colloquy")
        .with("FirstAdministrator", "admin@colloquy.test")
}

fn plan() -> Plan {
    template().plan(&overrides()).unwrap()
}

const KEYS: &[&str] = &["KEYS_TABLE", "KMS_KEY_ID"];

#[test]
fn each_function_is_the_binary_it_should_be_and_gets_only_the_variables_it_uses() {
    let expected: [(&str, &str, &[&str], bool); 14] = [
        (
            "WebhookWeb",
            "webhook",
            &["CHANNEL", "CONVERSATIONS_TABLE", "DESK_TABLE", "INBOUND_QUEUE_URL", "RECEIPTS_QUEUE_URL"],
            true,
        ),
        ("WebhookWhatsapp", "webhook", &["CHANNEL", "DESK_TABLE", "INBOUND_QUEUE_URL", "RECEIPTS_QUEUE_URL"], true),
        ("WebhookWechat", "webhook", &["CHANNEL", "DESK_TABLE", "INBOUND_QUEUE_URL", "RECEIPTS_QUEUE_URL"], true),
        ("Nlp", "nlp", &["INBOUND_QUEUE_URL", "TURNS_QUEUE_URL"], true),
        (
            "Converse",
            "converse",
            &[
                "CONVERSATIONS_TABLE",
                "DESK_TABLE",
                "OUTBOUND_QUEUE_URL",
                "ROUTING_QUEUE_URL",
                "SOCKETS_ENDPOINT",
                "TIMERS_QUEUE_URL",
                "TURNS_QUEUE_URL",
            ],
            true,
        ),
        (
            "Route",
            "route",
            &[
                "CONVERSATIONS_TABLE",
                "DESK_TABLE",
                "ROUTING_QUEUE_URL",
                "SOCKETS_ENDPOINT",
                "TIMERS_QUEUE_URL",
                "TURNS_QUEUE_URL",
            ],
            true,
        ),
        (
            "Deliver",
            "deliver",
            &[
                "CONVERSATIONS_TABLE",
                "DESK_TABLE",
                "OUTBOUND_QUEUE_URL",
                "RECEIPTS_QUEUE_URL",
                "SANDBOX_URL",
                "SOCKETS_ENDPOINT",
                "TURNS_QUEUE_URL",
            ],
            true,
        ),
        ("Sweep", "sweep", &["DESK_TABLE", "ROUTING_QUEUE_URL", "TIMERS_QUEUE_URL", "TURNS_QUEUE_URL"], true),
        ("Rollup", "rollup", &["INSIGHTS_TABLE"], false),
        (
            "Socket",
            "socket",
            &[
                "CONVERSATIONS_TABLE",
                "DESK_TABLE",
                "INBOUND_QUEUE_URL",
                "RECEIPTS_QUEUE_URL",
                "ROUTING_QUEUE_URL",
                "SOCKETS_ENDPOINT",
                "TURNS_QUEUE_URL",
            ],
            true,
        ),
        (
            "Conversations",
            "conversations",
            &["CONVERSATIONS_TABLE", "DESK_TABLE", "FIRST_ADMINISTRATOR", "TURNS_QUEUE_URL"],
            true,
        ),
        ("Contacts", "contacts", &["CONVERSATIONS_TABLE", "DESK_TABLE", "FIRST_ADMINISTRATOR"], true),
        ("Directory", "directory", &["DESK_TABLE", "FIRST_ADMINISTRATOR", "SOCKETS_ENDPOINT"], true),
        ("Reports", "reports", &["DESK_TABLE", "FIRST_ADMINISTRATOR", "INSIGHTS_TABLE"], true),
    ];
    let plan = plan();
    assert_eq!(plan.functions.len(), expected.len());
    for (name, binary, variables, seals) in expected {
        let function = plan.function(name).unwrap();
        let mut names: Vec<&str> = variables.to_vec();
        names.extend(KEYS.iter().filter(|_| seals));
        names.sort_unstable();
        assert_eq!(function.binary, binary);
        assert_eq!(function.environment.keys().map(String::as_str).collect::<Vec<_>>(), names, "{name}");
    }
}

#[test]
fn variables_hold_what_the_clients_ask_for() {
    let plan = plan();
    let variable = |function: &str, name: &str| plan.function(function).unwrap().environment[name].clone();
    assert_eq!(variable("WebhookWechat", "CHANNEL"), "wechat");
    assert_eq!(variable("Converse", "CONVERSATIONS_TABLE"), "conversations");
    assert_eq!(variable("Nlp", "TURNS_QUEUE_URL"), "https://sqs.us-east-1.amazonaws.com/000000000000/turns.fifo");
    assert_eq!(variable("Nlp", "KMS_KEY_ID"), "alias/colloquy");
    let socket = plan.socket.as_ref().unwrap();
    assert_eq!(variable("Converse", "SOCKETS_ENDPOINT"), socket.endpoint);
    assert_eq!(variable("Directory", "FIRST_ADMINISTRATOR"), "admin@colloquy.test");
    assert_eq!(plan.keys[0].aliases, ["alias/colloquy"]);
    assert_eq!(plan.outputs["SocketUrl"], socket.endpoint.replace("https", "wss"));
    assert_eq!(plan.outputs["OidcIssuer"], "http://127.0.0.1:8787");
}

fn mapping<'p>(plan: &'p Plan, name: &str) -> &'p Mapping {
    plan.mappings.iter().find(|mapping| mapping.name == name).unwrap()
}

#[test]
fn each_step_is_fed_by_its_own_queue() {
    let plan = plan();
    for (name, function, queue, batch) in [
        ("NlpInbound", "Nlp", "inbound.fifo", 10),
        ("ConverseTurns", "Converse", "turns.fifo", 10),
        ("RouteRouting", "Route", "routing.fifo", 10),
        ("DeliverOutbound", "Deliver", "outbound.fifo", 1),
        ("DeliverReceipts", "Deliver", "receipts", 10),
        ("SweepTimers", "Sweep", "timers", 10),
    ] {
        let mapping = mapping(&plan, name);
        assert_eq!(mapping.source, Source::Queue(queue.to_owned()));
        assert_eq!((mapping.function.as_str(), mapping.batch_size), (function, batch));
    }
    assert_eq!(mapping(&plan, "RollupEntries").source, Source::Stream("conversations".to_owned()));
    assert_eq!(plan.mappings.len(), 7);
    assert_eq!(plan.schedules.len(), 1);
    assert_eq!((plan.schedules[0].function.as_str(), plan.schedules[0].rate_s), ("Sweep", 60));
}

#[test]
fn every_route_leads_where_the_design_says_and_only_the_open_ones_are_open() {
    let plan = plan();
    let http = plan.http.unwrap();
    let routes: BTreeSet<_> = http
        .routes
        .iter()
        .map(|route| {
            format!("{} {} {}", route.key, route.function, if route.authorizer.is_some() { "jwt" } else { "open" })
        })
        .collect();
    let mut expected = BTreeSet::from([
        "ANY /v1/visitors WebhookWeb open".to_owned(),
        "ANY /v1/visitors/{proxy+} WebhookWeb open".to_owned(),
        "ANY /webhooks/whatsapp/{inbox} WebhookWhatsapp open".to_owned(),
        "ANY /webhooks/wechat/{inbox} WebhookWechat open".to_owned(),
        "GET /v1/openapi.json Directory open".to_owned(),
        "ANY /v1/me Directory jwt".to_owned(),
        "ANY /v1/tickets Directory jwt".to_owned(),
        "ANY /v1/reports/{proxy+} Reports jwt".to_owned(),
    ]);
    for (path, function) in [
        ("conversations", "Conversations"),
        ("contacts", "Contacts"),
        ("agents", "Directory"),
        ("teams", "Directory"),
        ("queues", "Directory"),
        ("inboxes", "Directory"),
    ] {
        expected.insert(format!("ANY /v1/{path} {function} jwt"));
        expected.insert(format!("ANY /v1/{path}/{{proxy+}} {function} jwt"));
    }
    assert_eq!(routes, expected);
    let authorizer = &http.authorizers["HttpAuthorizer"];
    assert_eq!(authorizer.issuer, "http://127.0.0.1:8787");
    assert_eq!(authorizer.audience, ["colloquy"]);
}

#[test]
fn a_socket_opens_only_for_who_shows_a_ticket() {
    let socket = plan().socket.unwrap();
    assert_eq!((socket.stage.as_str(), socket.selection_expression.as_str()), ("socket", "$request.body.action"));
    let connect = socket.route("$connect").unwrap();
    let authorizer = &socket.authorizers[connect.authorizer.as_deref().unwrap()];
    assert_eq!((authorizer.function.as_str(), connect.function.as_str()), ("Socket", "Socket"));
    assert_eq!(authorizer.identity_source, ["route.request.querystring.ticket"]);
    assert!(socket.route("$disconnect").is_some() && socket.route("$default").is_some());
}

#[test]
fn the_holder_index_is_sparse_and_holds_keys_only() {
    let plan = plan();
    let names: Vec<_> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["conversations", "desk", "keys", "insights"]);
    let conversations = plan.table("conversations").unwrap();
    let index = &conversations.indexes[0];
    assert_eq!((index.name.as_str(), index.projection.as_str()), ("holder", "KEYS_ONLY"));
    assert_eq!((index.key.hash.name.as_str(), index.key.range.as_ref().unwrap().name.as_str()), ("list", "since"));
    assert_eq!(conversations.stream.as_ref().unwrap().view, "NEW_AND_OLD_IMAGES");
}

#[test]
fn every_table_can_be_restored_expires_by_epoch_and_is_sealed_with_our_own_key() {
    let plan = plan();
    for table in &plan.tables {
        assert!(table.point_in_time_recovery, "{}", table.name);
        assert_eq!(table.ttl_attribute.as_deref(), Some("expires"));
        assert_eq!(table.encrypted_with.as_deref(), Some(plan.keys[0].arn.as_str()));
        assert_eq!(table.properties["DeletionProtectionEnabled"], true);
    }
    assert!(plan.keys[0].rotation);
}

#[test]
fn each_queue_has_a_dead_letter_queue_of_its_own_kind() {
    let plan = plan();
    let mut dead = BTreeSet::new();
    for mapping in &plan.mappings {
        let Source::Queue(name) = &mapping.source else { continue };
        let queue = plan.queue(name).unwrap();
        let redrive = queue.redrive.as_ref().unwrap_or_else(|| panic!("{name} has no redrive"));
        let target = plan.queue(&redrive.dead_letter_queue).unwrap();
        assert_eq!(queue.fifo, target.fifo, "{name}");
        assert_eq!(redrive.max_receive_count, if name == "outbound.fifo" { 20 } else { 5 }, "{name}");
        assert!(dead.insert(&redrive.dead_letter_queue), "{name} shares its dead letters");
        // Longer than a transit key lives, a message could never be opened again.
        assert!(queue.retention_s + target.retention_s <= 14 * 86_400, "{name}");
    }
    let lonely: Vec<_> = plan.queues.iter().filter(|queue| queue.redrive.is_none()).map(|queue| &queue.name).collect();
    assert!(lonely.iter().all(|name| dead.contains(*name) || *name == "failures"), "{lonely:?}");
}

#[test]
fn every_fifo_queue_keeps_order_by_thread_alone_and_wants_explicit_deduplication() {
    for queue in plan().queues.iter().filter(|queue| queue.fifo) {
        assert!(queue.throughput_per_group && queue.deduplication_per_group, "{}", queue.name);
        assert!(!queue.content_based_deduplication, "{}", queue.name);
    }
    assert!(plan().queues.iter().all(|queue| queue.managed_encryption));
}

#[test]
fn every_mapping_reports_the_failed_part_of_a_batch() {
    assert!(plan().mappings.iter().all(|mapping| mapping.partial_batch));
}

#[test]
fn a_message_stays_hidden_six_times_as_long_as_its_function_may_take() {
    let plan = plan();
    for mapping in &plan.mappings {
        let Source::Queue(name) = &mapping.source else { continue };
        let queue = plan.queue(name).unwrap();
        let function = plan.function(&mapping.function).unwrap();
        assert!(queue.visibility_timeout_s >= 6 * function.timeout_s, "{name}");
    }
    assert_eq!(plan.queue("turns.fifo").unwrap().visibility_timeout_s, 30);
}

#[test]
fn a_stream_batch_is_retried_a_bounded_number_of_times_and_then_told_of() {
    let plan = plan();
    let rollup = mapping(&plan, "RollupEntries");
    let stream = rollup.stream.as_ref().unwrap();
    assert_eq!((stream.max_retries, stream.bisect, stream.on_failure.as_deref()), (Some(10), true, Some("failures")));
    assert_eq!(rollup.filters[0]["eventName"][0], "INSERT");
    assert_eq!(rollup.filters[0]["dynamodb"]["Keys"]["sk"]["S"][0]["prefix"], "E#");
}

#[test]
fn what_the_clock_starts_and_fails_is_told_of_too() {
    let sweep = plan().function("Sweep").unwrap().asynchronous.clone().unwrap();
    assert_eq!((sweep.max_retries, sweep.on_failure.as_deref()), (0, Some("failures")));
}

#[test]
fn no_policy_allows_everything_or_on_everything() {
    let plan = plan();
    for function in &plan.functions {
        assert!(!function.statements.is_empty(), "{}", function.name);
        for statement in &function.statements {
            assert!(statement.actions.iter().all(|action| !action.contains('*')), "{}: {statement:?}", function.name);
            for resource in &statement.resources {
                let connections = resource.ends_with("/@connections/*") && resource.matches('*').count() == 1;
                assert!(connections || !resource.contains('*'), "{}: {resource}", function.name);
            }
        }
    }
}

#[test]
fn a_function_may_reach_what_its_variables_name_and_nothing_else() {
    let plan = plan();
    for function in &plan.functions {
        let named: BTreeSet<_> = function.environment.values().collect();
        for queue in &plan.queues {
            let may_send = function.allows("sqs:SendMessage", &queue.arn);
            // A queue may be named only so that what comes from it can be opened.
            let fed = Source::Queue(queue.name.clone());
            let fed = plan.mappings.iter().any(|mapping| mapping.function == function.name && mapping.source == fed);
            assert!(may_send || fed || !named.contains(&queue.url), "{} cannot send to {}", function.name, queue.name);
            assert!(!may_send || named.contains(&queue.url), "{} may send to {}", function.name, queue.name);
        }
        for table in &plan.tables {
            let may_read = function.allows("dynamodb:GetItem", &table.arn);
            assert_eq!(may_read, named.contains(&table.name), "{} and {}", function.name, table.name);
        }
        let connection = "arn:aws:execute-api:us-east-1:000000000000:socket-api/socket/POST/@connections/x";
        let may_push = function.allows("execute-api:ManageConnections", connection);
        assert_eq!(may_push, function.environment.contains_key("SOCKETS_ENDPOINT"), "{}", function.name);
    }
    let converse = plan.function("Converse").unwrap();
    assert!(!converse.allows("sqs:SendMessage", &plan.queue("turns.fifo").unwrap().arn));
    assert!(!converse.allows("dynamodb:DeleteItem", &plan.table("keys").unwrap().arn));
}

#[test]
fn every_function_has_a_log_group_that_ends_and_may_be_called_by_its_api() {
    let template = template();
    let resource = |id: &str| template.document.resource(id).unwrap_or_else(|| panic!("{id} is missing"));
    let targets: BTreeSet<&str> = template
        .document
        .resources
        .iter()
        .filter(|resource| resource.kind == ResourceKind::Permission)
        .filter_map(|resource| reference(resource.properties.get("FunctionName")?))
        .collect();
    for function in template.document.resources.iter().filter(|resource| resource.kind == ResourceKind::Function) {
        let config = function.properties.get("LoggingConfig").and_then(|config| config.get("LogGroup"));
        let group = resource(config.and_then(reference).unwrap_or_else(|| panic!("{} has no logs", function.id)));
        assert_eq!(group.kind, ResourceKind::LogGroup);
        assert_eq!(group.properties.get("RetentionInDays").and_then(reference), Some("LogRetentionDays"));
    }
    let plan = plan();
    let called: BTreeSet<String> =
        plan.http.iter().flat_map(|http| &http.routes).map(|route| route.function.clone()).collect();
    assert!(called.iter().all(|function| targets.contains(function.as_str())));
    assert!(targets.contains("Socket"));
}

/// The name in a `!Ref`.
fn reference(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Call { function, argument } if function == "Ref" => argument.as_text().ok(),
        _ => None,
    }
}

#[test]
fn every_function_has_its_folder_and_every_folder_its_function() {
    let plan = plan();
    let binaries: BTreeSet<_> = plan.functions.iter().map(|function| function.binary.clone()).collect();
    let folders: BTreeSet<_> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(binaries, folders);
}

#[test]
fn the_stack_has_room_for_twenty_channels() {
    let template = template();
    let mut count = template.document.resources.len();
    let functions = template.document.resources.iter().filter(|resource| resource.kind == ResourceKind::Function);
    // Each function brings a role, each event a mapping or a schedule with a role.
    count += functions.count();
    let plan = plan();
    count += plan.mappings.len() + 2 * plan.schedules.len();
    // Function, role, log group, integration, route and permission of each channel to come.
    let channels = plan.functions.iter().filter(|function| function.binary == "webhook").count();
    assert!(count + (20 - channels) * 6 <= 400, "{count}");
}

#[test]
fn a_stack_without_an_issuer_brings_a_cognito_pool_but_not_in_china() {
    let in_region = |region: &str| Overrides {
        region: region.to_owned(),
        parameters: BTreeMap::from([("FirstAdministrator".to_owned(), "a@colloquy.test".to_owned())]),
        ..Overrides::default()
    };
    let issuer = |region: &str| {
        let plan = template().plan(&in_region(region)).unwrap();
        plan.http.unwrap().authorizers["HttpAuthorizer"].issuer.clone()
    };
    assert!(issuer("eu-central-1").starts_with("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_"));
    assert_eq!(issuer("cn-north-1"), "");
}

#[test]
fn nothing_of_one_account_region_or_partition_is_written_into_the_template() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.contains("InChina:")) {
        let hard = ["arn:aws:", "us-east-1", "eu-central-1", "amazonaws.com/", "000000000000"];
        assert!(hard.iter().all(|word| !line.contains(word)), "line {}: {line}", number + 1);
    }
}
