//! One DynamoDB table: the handful of calls everything here is made of.
//!
//! No key is spelled and nothing is sealed here.

mod item;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        put_item::PutItemError,
        query::builders::QueryFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use colloquy_domain::Timestamp;

pub(crate) use self::item::{Attributes, Item, b, bytes, is_expired, n, number, optional, parsed, s, set, text};
use crate::{Clients, StoreError, keys::ItemKey};

/// How many items one batch may get.
const BATCH: usize = 100;
/// How often a batch asks again for what was left out.
const ROUNDS: usize = 5;

/// What a conditional write did.
pub(crate) enum Written {
    /// It is there now.
    Now,
    /// The condition did not hold; the item as it is, empty when there is none.
    Kept(Item),
}

/// One table.
#[derive(Clone)]
pub(crate) struct Table {
    clients: Clients,
    name: String,
}

impl Table {
    pub(crate) fn new(clients: &Clients, name: impl Into<String>) -> Self {
        Self { clients: clients.clone(), name: name.into() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clients.now()
    }

    pub(crate) const fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Reads one item, as of now.
    pub(crate) async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        let sent =
            self.clients.dynamo.get_item().table_name(&self.name).set_key(Some(key.item())).consistent_read(true);
        Ok(sent.send().await.map_err(|error| StoreError::of("GetItem", &error))?.item)
    }

    /// Reads many items, as of now, in no order; those that are not there are left out.
    pub(crate) async fn get_all(&self, keys: &[ItemKey]) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let mut wanted: Vec<Item> = batch.iter().map(ItemKey::item).collect();
            for _ in 0..ROUNDS {
                let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let keys = keys.map_err(|_| StoreError::Invalid("BatchGetItem: no keys".to_owned()))?;
                let sent = self.clients.dynamo.batch_get_item().request_items(&self.name, keys);
                let answer = sent.send().await.map_err(|error| StoreError::of("BatchGetItem", &error))?;
                items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
                let left = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
                wanted = left.flat_map(|left| left.keys).collect();
                if wanted.is_empty() {
                    break;
                }
            }
            if !wanted.is_empty() {
                return Err(StoreError::Unavailable("BatchGetItem: items left out".to_owned()));
            }
        }
        Ok(items)
    }

    /// Writes an item, whatever was there.
    pub(crate) async fn put(&self, key: &ItemKey, attributes: Item) -> Result<(), StoreError> {
        let sent = self.clients.dynamo.put_item().table_name(&self.name).set_item(Some(key.with(attributes)));
        sent.send().await.map(drop).map_err(|error| StoreError::of("PutItem", &error))
    }

    /// Writes an item if there is none with its key; one round trip either way.
    pub(crate) async fn put_new(&self, key: &ItemKey, attributes: Item) -> Result<Written, StoreError> {
        self.put_if(key, attributes, "attribute_not_exists(pk)", Item::new()).await
    }

    /// Writes an item if `condition` holds of what is there.
    pub(crate) async fn put_if(
        &self,
        key: &ItemKey,
        attributes: Item,
        condition: &str,
        values: Item,
    ) -> Result<Written, StoreError> {
        let sent = self.clients.dynamo.put_item().table_name(&self.name).set_item(Some(key.with(attributes)));
        let sent = sent.condition_expression(condition).set_expression_attribute_values(some(values));
        let sent = sent.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match sent.send().await {
            Ok(_) => Ok(Written::Now),
            Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
                let PutItemError::ConditionalCheckFailedException(failed) = context.into_err() else {
                    return Err(StoreError::Conflict);
                };
                Ok(Written::Kept(failed.item.unwrap_or_default()))
            }
            Err(error) => Err(StoreError::of("PutItem", &error)),
        }
    }

    /// An update of this item, to be completed and given to [`Table::run`].
    pub(crate) fn update(&self, key: &ItemKey, expression: &str) -> UpdateItemFluentBuilder {
        let sent = self.clients.dynamo.update_item().table_name(&self.name).set_key(Some(key.item()));
        sent.update_expression(expression)
    }

    /// Carries out an update.
    pub(crate) async fn run(&self, update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
        let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(Written::Now),
            Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
                let UpdateItemError::ConditionalCheckFailedException(failed) = context.into_err() else {
                    return Err(StoreError::Conflict);
                };
                Ok(Written::Kept(failed.item.unwrap_or_default()))
            }
            Err(error) => Err(StoreError::of("UpdateItem", &error)),
        }
    }

    /// Removes an item, if it is there.
    pub(crate) async fn delete(&self, key: &ItemKey) -> Result<(), StoreError> {
        let sent = self.clients.dynamo.delete_item().table_name(&self.name).set_key(Some(key.item()));
        sent.send().await.map(drop).map_err(|error| StoreError::of("DeleteItem", &error))
    }

    /// Removes an item and says what it was; nothing when it was not there.
    pub(crate) async fn take(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        let sent = self.clients.dynamo.delete_item().table_name(&self.name).set_key(Some(key.item()));
        let answer = sent.return_values(ReturnValue::AllOld).send().await;
        Ok(answer.map_err(|error| StoreError::of("DeleteItem", &error))?.attributes)
    }

    /// Removes an item if an attribute of it has this value. Whether it had.
    pub(crate) async fn delete_if(
        &self,
        key: &ItemKey,
        attribute: &str,
        value: AttributeValue,
    ) -> Result<bool, StoreError> {
        let sent = self.clients.dynamo.delete_item().table_name(&self.name).set_key(Some(key.item()));
        let sent = sent
            .condition_expression("#attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value);
        match sent.send().await.map_err(|error| StoreError::of("DeleteItem", &error)) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A query of one partition's items whose sort keys begin with `prefix`, as of now.
    pub(crate) fn query(&self, pk: &str, prefix: &str) -> QueryFluentBuilder {
        let sent = self.clients.dynamo.query().table_name(&self.name).consistent_read(true);
        let sent = sent.expression_attribute_values(":pk", s(pk));
        if prefix.is_empty() {
            return sent.key_condition_expression("pk = :pk");
        }
        sent.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", s(prefix))
    }

    /// A query of one partition's items whose sort keys lie from `first` to `last`, as of now.
    pub(crate) fn query_between(&self, pk: &str, first: &str, last: &str) -> QueryFluentBuilder {
        let sent = self.clients.dynamo.query().table_name(&self.name).consistent_read(true);
        sent.key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":first", s(first))
            .expression_attribute_values(":last", s(last))
    }

    /// A query of an index by its hash key.
    pub(crate) fn query_index(&self, index: &str, attribute: &str, value: &str) -> QueryFluentBuilder {
        let sent = self.clients.dynamo.query().table_name(&self.name).index_name(index);
        sent.key_condition_expression("#hash = :hash")
            .expression_attribute_names("#hash", attribute)
            .expression_attribute_values(":hash", s(value))
    }
}

/// One page of a query, and where the next begins.
pub(crate) async fn page(query: QueryFluentBuilder) -> Result<(Vec<Item>, Option<Item>), StoreError> {
    let answer = query.send().await.map_err(|error| StoreError::of("Query", &error))?;
    Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
}

/// Every page of a query, until at least `enough` items are there.
pub(crate) async fn pages(query: QueryFluentBuilder, enough: usize) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut from = None;
    loop {
        let (more, next) = page(query.clone().set_exclusive_start_key(from)).await?;
        items.extend(more);
        if next.is_none() || items.len() >= enough {
            return Ok(items);
        }
        from = next;
    }
}

impl ItemKey {
    fn item(&self) -> Item {
        self.with(Item::with_capacity(2))
    }

    fn with(&self, attributes: Item) -> Item {
        attributes.and("pk", s(&self.pk)).and("sk", s(&self.sk))
    }
}

fn some(values: Item) -> Option<Item> {
    (!values.is_empty()).then_some(values)
}
