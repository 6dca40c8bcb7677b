//! The table, with reads and writes of single items.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use format::attributes::{PARTITION_KEY, SORT_KEY, text};
use format::keys::key;
use format::model::Item;
use format::{Error, Result};

use crate::condition::Condition;
use crate::expression::Placeholders;
use crate::meter::{Meter, Usage};
use crate::sdk_error::{fails_its_condition, from_sdk};
use crate::write::{self, Attempt, Changed, Update};

/// Values that upper layers keep in memory together with the table, one of each type.
type Companions = Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>;

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    table: Arc<str>,
    meter: Arc<Meter>,
    companions: Arc<Companions>,
}

impl Store {
    /// Creates a store for an existing table.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.into(),
            meter: Arc::default(),
            companions: Arc::default(),
        }
    }

    /// Returns the value of a type that is kept in memory together with the table. All clones of
    /// this store share it, and it is created on first use. Upper layers cache in it what they have
    /// computed from items.
    pub fn companion<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        // A panic during the creation of a value leaves the map unchanged.
        let mut companions = self
            .companions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let companion = companions
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()))
            .clone();
        companion
            .downcast()
            .expect("each value is stored under its own type")
    }

    /// The same store with a new meter that starts at zero.
    pub fn metered(&self) -> Self {
        Self {
            meter: Arc::default(),
            ..self.clone()
        }
    }

    /// The usage by requests of this store and its clones.
    pub fn usage(&self) -> Usage {
        self.meter.usage()
    }

    /// The SDK client, for set-up.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Adds a request to the meter.
    pub(crate) fn count(&self, capacity: Option<&ConsumedCapacity>, items_read: usize) {
        self.meter.add(capacity, items_read);
    }

    /// Reads one item by its keys.
    pub async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, false).await
    }

    /// Reads one item consistently, at twice the price. Use it before a conditional write of the
    /// item.
    pub async fn get_latest(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, true).await
    }

    async fn get_item(&self, pk: &str, sk: &str, consistent: bool) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(self.table())
            .key(PARTITION_KEY, text(pk))
            .key(SORT_KEY, text(sk))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        self.count(answer.consumed_capacity(), 1);
        Ok(answer.item)
    }

    /// Writes one item, replacing an existing one.
    pub async fn put(&self, item: Item) -> Result<()> {
        let answer = self.put_request(item, None)?.send().await;
        self.count(answer.map_err(from_sdk)?.consumed_capacity(), 0);
        Ok(())
    }

    /// Writes one item if the condition holds for the existing one. Returns whether it was written.
    pub async fn put_if(&self, item: Item, condition: Condition) -> Result<bool> {
        let answer = self.put_request(item, Some(condition))?.send().await;
        if fails_its_condition(&answer) {
            return Ok(false);
        }
        self.count(answer.map_err(from_sdk)?.consumed_capacity(), 0);
        Ok(true)
    }

    /// Writes one item if the condition holds for the existing one, and returns the existing one
    /// otherwise.
    pub async fn put_or_read(&self, item: Item, condition: Condition) -> Result<Attempt> {
        let answer = self
            .put_request(item, Some(condition))?
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                self.count(answer.consumed_capacity(), 0);
                return Ok(Attempt::Written);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Attempt::Refused(refused.item.clone()))
            }
            _ => Err(from_sdk(error)),
        }
    }

    fn put_request(
        &self,
        item: Item,
        condition: Option<Condition>,
    ) -> Result<PutItemFluentBuilder> {
        let put = write::put(self.table(), item, condition)?;
        Ok(self
            .client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total))
    }

    /// Changes one item if the update's condition holds. Returns whether it was changed.
    ///
    /// # Errors
    /// Returns [`Error::TooLarge`] if the changed item would be too large, and the errors of
    /// DynamoDB.
    pub async fn update(&self, update: Update) -> Result<bool> {
        let answer = self.update_request(update)?.send().await;
        if fails_its_condition(&answer) {
            return Ok(false);
        }
        let answer = answer.map_err(|error| match error.code() {
            // The update itself is always valid, so the changed item would be too large.
            Some("ValidationException") => Error::TooLarge(error.into()),
            _ => from_sdk(error),
        });
        self.count(answer?.consumed_capacity(), 0);
        Ok(true)
    }

    /// Changes one item if the update's condition holds, and returns the existing one otherwise.
    /// Use it for values from an engine: unlike [`Self::update`], it does not report a value that
    /// DynamoDB refuses as [`Error::TooLarge`].
    pub async fn update_or_read(&self, update: Update) -> Result<Attempt> {
        let answer = self
            .update_request(update)?
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                self.count(answer.consumed_capacity(), 0);
                return Ok(Attempt::Written);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Attempt::Refused(refused.item.clone()))
            }
            _ => Err(from_sdk(error)),
        }
    }

    /// Changes one item if the update's condition holds, and reads it in either case.
    pub async fn update_and_read(&self, update: Update) -> Result<Changed> {
        let answer = self
            .update_request(update)?
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                self.count(answer.consumed_capacity(), 1);
                return Ok(Changed::Yes(answer.attributes.unwrap_or_default()));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Changed::No(refused.item.clone()))
            }
            // The update itself is always valid, so the item has no room, or not the right types.
            _ if error.code() == Some("ValidationException") => Err(Error::TooLarge(error.into())),
            _ => Err(from_sdk(error)),
        }
    }

    fn update_request(&self, update: Update) -> Result<UpdateItemFluentBuilder> {
        let update = update.build(self.table())?;
        Ok(self
            .client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total))
    }

    /// Removes one item if it exists.
    pub async fn delete(&self, pk: &str, sk: &str) -> Result<()> {
        self.delete_item(key(pk, sk), None).await
    }

    /// Removes one item if the condition holds for it. Otherwise the item stays, without an error.
    pub async fn delete_if(&self, pk: &str, sk: &str, condition: Condition) -> Result<()> {
        self.delete_item(key(pk, sk), Some(condition)).await
    }

    async fn delete_item(&self, key: Item, condition: Option<Condition>) -> Result<()> {
        let mut placeholders = Placeholders::default();
        let condition = condition.map(|condition| placeholders.condition(&condition));
        let answer = self
            .client
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key))
            .set_condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        if fails_its_condition(&answer) {
            return Ok(());
        }
        self.count(answer.map_err(from_sdk)?.consumed_capacity(), 0);
        Ok(())
    }
}
