//! DynamoDB's operations: from a request's JSON to dynoxide and back, counted in the ledger.
//!
//! It deliberately runs on the caller's thread: a call takes some hundred microseconds, less than handing it over.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use dynoxide::{DynoxideError, actions, types::ConsumedCapacity};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Tables,
    request::{Named, fingerprint, join, parse, split},
    spec::TableSpec,
    table::{Open, Table, ready},
};
use crate::engine::{REGION, http::Answer, ledger::Unit};

const JSON: &str = "application/x-amz-json-1.0";

/// How long a transaction's token is remembered, as AWS documents.
const TOKEN_MS: i64 = 10 * 60 * 1000;

/// The tokens of a table's transactions, with when each is forgotten, oldest first.
#[derive(Default)]
pub(super) struct Tokens {
    known: HashMap<String, Token>,
    order: VecDeque<(i64, String)>,
}

struct Token {
    fingerprint: u64,
    answer: String,
}

impl Tokens {
    /// The answer already given to this token.
    fn find(&mut self, token: &str, fingerprint: u64, now_ms: i64) -> Result<Option<String>, DynoxideError> {
        while self.order.front().is_some_and(|(until_ms, _)| *until_ms <= now_ms) {
            if let Some((_, forgotten)) = self.order.pop_front() {
                self.known.remove(&forgotten);
            }
        }
        match self.known.get(token) {
            Some(known) if known.fingerprint != fingerprint => {
                let message = "the token was used for another request".to_owned();
                Err(DynoxideError::IdempotentParameterMismatchException(message))
            }
            known => Ok(known.map(|known| known.answer.clone())),
        }
    }

    fn remember(&mut self, token: &str, fingerprint: u64, answer: &str, now_ms: i64) {
        self.known.insert(token.to_owned(), Token { fingerprint, answer: answer.to_owned() });
        self.order.push_back((now_ms + TOKEN_MS, token.to_owned()));
    }
}

/// What a call answers, and how many units it is billed.
type Outcome = Result<(String, f64), DynoxideError>;

/// Capacity as an answer reports it, for one table or for several.
trait Capacity {
    fn units(&self) -> f64;
}

impl Capacity for Option<ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.as_ref().map_or(0.0, |capacity| capacity.capacity_units)
    }
}

impl Capacity for Option<Vec<ConsumedCapacity>> {
    fn units(&self) -> f64 {
        self.iter().flatten().map(|capacity| capacity.capacity_units).sum()
    }
}

/// Runs an action with its capacity reported, for the ledger, and reports it on only to who asked.
macro_rules! billed {
    ($open:expr, $body:expr, $module:ident, $request:ident) => {{
        let mut request: actions::$module::$request = parse($body)?;
        let asked = request.return_consumed_capacity.as_deref().is_some_and(|mode| mode != "NONE");
        if !asked {
            request.return_consumed_capacity = Some("TOTAL".to_owned());
        }
        let mut response = ready(actions::$module::execute(&$open.storage, request))?;
        let units = response.consumed_capacity.units();
        if !asked {
            response.consumed_capacity = None;
        }
        Ok((write(&response)?, units))
    }};
}

/// Runs an action AWS does not bill.
macro_rules! free {
    ($open:expr, $body:expr, $module:ident) => {{
        let response = ready(actions::$module::execute(&$open.storage, parse($body)?))?;
        Ok((local_region(&write(&response)?), 0.0))
    }};
}

impl Tables {
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Answer {
        match self.run(operation, body) {
            Ok(answer) => Answer::json(JSON, 200, answer),
            Err(error) => Answer::json(JSON, error.status_code(), error.to_json()),
        }
    }

    fn run(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        match operation {
            "ListTables" => Ok(json!({ "TableNames": self.names() }).to_string()),
            "CreateTable" => self.create_from_request(body),
            "ListStreams" => self.list_streams(body),
            _ => self.run_on_tables(operation, body),
        }
    }

    fn run_on_tables(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let named = Named::read(body)?;
        let names = named.tables();
        let tables = names.iter().map(|name| self.required(name)).collect::<Result<Vec<_>, _>>()?;
        match (operation, tables.as_slice()) {
            (_, []) => Err(DynoxideError::ValidationException(format!("{operation} names no table"))),
            (_, [table]) => self.run_on_table(table, operation, body, &named),
            ("BatchGetItem", _) => self.run_batch(operation, &split(body, 100)?, &named),
            ("BatchWriteItem", _) => self.run_batch(operation, &split(body, 25)?, &named),
            _ => {
                let names = names.join("`, `");
                let message = format!("the embedded engine has no transaction over several tables (`{names}`)");
                Err(DynoxideError::ValidationException(message))
            }
        }
    }

    fn run_batch(&self, operation: &str, parts: &[(String, Vec<u8>)], named: &Named) -> Result<String, DynoxideError> {
        let part = |(name, body): &(String, Vec<u8>)| self.run_on_table(&self.required(name)?, operation, body, named);
        join(&parts.iter().map(part).collect::<Result<Vec<_>, _>>()?)
    }

    fn run_on_table(
        &self,
        table: &Arc<Table>,
        operation: &str,
        body: &[u8],
        named: &Named,
    ) -> Result<String, DynoxideError> {
        let outcome = {
            let mut open = table.lock();
            match &named.client_request_token {
                Some(token) if operation == "TransactWriteItems" => self.run_once(&mut open, token, body),
                _ => execute(&open, operation, body),
            }
        };
        let unit = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems" => Unit::WriteRequestUnit,
            "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems" => Unit::ReadRequestUnit,
            _ => Unit::Free,
        };
        let units = match &outcome {
            Ok((_, units)) => *units,
            // A write that fails its condition is billed all the same: at least a unit, two in a transaction.
            Err(DynoxideError::ConditionalCheckFailedException(..)) => 1.0,
            Err(DynoxideError::TransactionCanceledException(_, reasons)) => {
                f64::from(u32::try_from(reasons.len().max(named.parts())).unwrap_or(u32::MAX)) * 2.0
            }
            Err(_) => 0.0,
        };
        self.inner.ledger.count("dynamodb", operation, &table.name, unit, units);
        if outcome.is_ok() && unit == Unit::WriteRequestUnit {
            table.mark_changed();
        }
        outcome.map(|(answer, _)| answer)
    }

    /// A transaction whose token was answered within ten minutes is answered the same, and not carried out again.
    fn run_once(&self, open: &mut Open, token: &str, body: &[u8]) -> Outcome {
        let fingerprint = fingerprint(body)?;
        let now_ms = (self.inner.clock)();
        if let Some(answer) = open.tokens.find(token, fingerprint, now_ms)? {
            return Ok((answer, 0.0));
        }
        let (answer, units) = execute(open, "TransactWriteItems", body)?;
        open.tokens.remember(token, fingerprint, &answer, now_ms);
        Ok((answer, units))
    }

    fn create_from_request(&self, body: &[u8]) -> Result<String, DynoxideError> {
        let spec: TableSpec = parse(body)?;
        let name = spec.table_name.clone();
        if self.find(&name).is_some() {
            return Err(DynoxideError::ResourceInUseException(format!("Table already exists: {name}")));
        }
        self.create(&spec).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
        let described = self.run("DescribeTable", json!({ "TableName": name }).to_string().as_bytes())?;
        let described: Value = parse(described.as_bytes())?;
        Ok(json!({ "TableDescription": described["Table"] }).to_string())
    }

    fn list_streams(&self, body: &[u8]) -> Result<String, DynoxideError> {
        let named = Named::read(body)?.tables();
        let tables = match named.first() {
            Some(name) => vec![self.required(name)?],
            None => self.all(),
        };
        let list = |table: Arc<Table>| execute(&table.lock(), "ListStreams", body).map(|(answer, _)| answer);
        join(&tables.into_iter().map(list).collect::<Result<Vec<_>, _>>()?)
    }
}

fn execute(open: &Open, operation: &str, body: &[u8]) -> Outcome {
    match operation {
        "PutItem" => billed!(open, body, put_item, PutItemRequest),
        "GetItem" => billed!(open, body, get_item, GetItemRequest),
        "UpdateItem" => billed!(open, body, update_item, UpdateItemRequest),
        "DeleteItem" => billed!(open, body, delete_item, DeleteItemRequest),
        "Query" => billed!(open, body, query, QueryRequest),
        "Scan" => billed!(open, body, scan, ScanRequest),
        "BatchGetItem" => billed!(open, body, batch_get_item, BatchGetItemRequest),
        "BatchWriteItem" => billed!(open, body, batch_write_item, BatchWriteItemRequest),
        "TransactWriteItems" => billed!(open, body, transact_write_items, TransactWriteItemsRequest),
        "TransactGetItems" => billed!(open, body, transact_get_items, TransactGetItemsRequest),
        "DescribeTable" => {
            let phases = actions::vector_lifecycle::VectorIndexLifecycle::new();
            let response = ready(actions::describe_table::execute(&open.storage, parse(body)?, &phases))?;
            Ok((local_region(&write(&response)?), 0.0))
        }
        "DescribeTimeToLive" => free!(open, body, describe_time_to_live),
        "UpdateTimeToLive" => free!(open, body, update_time_to_live),
        "ListStreams" => free!(open, body, list_streams),
        "DescribeStream" => free!(open, body, describe_stream),
        "GetShardIterator" => free!(open, body, get_shard_iterator),
        "GetRecords" => free!(open, body, get_records),
        other => Err(DynoxideError::ValidationException(format!("the embedded engine does not answer {other}"))),
    }
}

fn write(response: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// dynoxide is in a region of its own; the engine's resources are all in one.
fn local_region(answer: &str) -> String {
    answer
        .replace(":dynoxide:", &format!(":{REGION}:"))
        .replace("\"awsRegion\":\"dynoxide\"", &format!("\"awsRegion\":\"{REGION}\""))
}
