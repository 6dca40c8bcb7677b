//! The grants of a function on the table: the policies of its role in the template.

use shared::table::Index;

/// DynamoDB actions that are allowed on some partitions or indexes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The actions, by their names in IAM after `dynamodb:`.
    pub actions: &'static [&'static str],
    /// The partitions or indexes on which they are allowed.
    pub on: Places,
}

/// Partitions or indexes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// The partitions whose keys match these patterns of `dynamodb:LeadingKeys`.
    Partitions(&'static [&'static str]),
    /// The indexes.
    Indexes(&'static [&'static Index]),
}

/// Executions with their steps and payloads.
pub(crate) const RUNS: &str = "EXEC#*";
/// The settings of teams.
pub(crate) const SETTINGS: &str = "SETTINGS#*";
/// SDK tokens.
pub(crate) const TOKENS: &str = "TOKEN#*";
/// The list of SDK tokens.
pub(crate) const TOKEN_LIST: &str = "TOKENS";
/// The audit events of teams.
pub(crate) const AUDIT: &str = "AUDIT#*";
/// Counters of runs.
pub(crate) const COUNTS: &str = "COUNT#*";
/// Counters of durations.
pub(crate) const DURATIONS: &str = "DURATION#*";
/// Entries of the label index.
pub(crate) const LABELS: &str = "LABEL#*";
/// Runs of several traces, by the engine's ids of them.
pub(crate) const RUN_IDS: &str = "RUNID#*";
/// Deletions of flows.
pub(crate) const DELETIONS: &str = "DELETION#*";

pub(crate) const GET: &str = "GetItem";
pub(crate) const PUT: &str = "PutItem";
pub(crate) const UPDATE: &str = "UpdateItem";
pub(crate) const DELETE: &str = "DeleteItem";
pub(crate) const QUERY: &str = "Query";
pub(crate) const BATCH_GET: &str = "BatchGetItem";
pub(crate) const BATCH_WRITE: &str = "BatchWriteItem";

/// Allows each of these actions on each of these partitions.
pub(crate) const fn each(
    actions: &'static [&'static str],
    partitions: &'static [&'static str],
) -> Grant {
    Grant {
        actions,
        on: Places::Partitions(partitions),
    }
}

/// Allows reading single items.
pub(crate) const fn get(partitions: &'static [&'static str]) -> Grant {
    each(&[GET], partitions)
}

/// Allows reading many single items in one request.
pub(crate) const fn batch_get(partitions: &'static [&'static str]) -> Grant {
    each(&[BATCH_GET], partitions)
}

/// Allows writing items.
pub(crate) const fn put(partitions: &'static [&'static str]) -> Grant {
    each(&[PUT], partitions)
}

/// Allows changing items.
pub(crate) const fn update(partitions: &'static [&'static str]) -> Grant {
    each(&[UPDATE], partitions)
}

/// Allows removing items.
pub(crate) const fn delete(partitions: &'static [&'static str]) -> Grant {
    each(&[DELETE], partitions)
}

/// Allows conditions on items in a transaction.
pub(crate) const fn check(partitions: &'static [&'static str]) -> Grant {
    each(&["ConditionCheckItem"], partitions)
}

/// Allows reading ranges of partitions.
pub(crate) const fn query(partitions: &'static [&'static str]) -> Grant {
    each(&[QUERY], partitions)
}

/// Allows reading ranges of indexes.
pub(crate) const fn query_indexes(indexes: &'static [&'static Index]) -> Grant {
    Grant {
        actions: &[QUERY],
        on: Places::Indexes(indexes),
    }
}
