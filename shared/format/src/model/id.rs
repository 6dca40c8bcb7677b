//! The types of ids: of executions, teams, flows and others.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The longest id, in characters. A key contains up to four ids, and DynamoDB limits a sort key to
/// 1,024 bytes.
pub const MAX_ID_LENGTH: usize = 128;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -")]
pub struct InvalidId;

impl InvalidId {
    /// The message as a sentence.
    pub fn to_sentence(&self) -> String {
        let message = self.to_string();
        let (first, rest) = message.split_at(1);
        format!("{}{rest}.", first.to_ascii_uppercase())
    }
}

/// Returns whether `text` is an id of the record format: 1 to [`MAX_ID_LENGTH`] characters of
/// `A-Z a-z 0-9 . _ : @ / + = -`. It never contains `#`, which separates the parts of a key.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:@/+=-".contains(&byte))
}

/// The ids of [`is_id`], as a JSON Schema pattern.
pub const ID_PATTERN: &str = "^[A-Za-z0-9._:@/+=-]{1,128}$";

/// Texts without control characters, as a JSON Schema pattern.
pub const NO_CONTROL_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// Defines one type for each kind of id, so that the id of a flow cannot be used as the id of a
/// team.
macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}

id_types! {
    /// The id of one run of a flow.
    ExecutionId,
    /// The id of a tenant. `default` if there is only one.
    TeamId,
    /// The id of a flow's definition.
    FlowId,
    /// The id of one run of a step.
    StepInstanceId,
    /// The id of one run of a parallel branch.
    BranchExecutionId,
    /// The id of a device of runs.
    DeviceId,
    /// The name of a role.
    RoleName,
}

impl RoleName {
    /// Creates a name from a constant, which must be a valid id.
    pub fn known(name: &'static str) -> Self {
        debug_assert!(is_id(name), "{name}");
        Self(name.to_owned())
    }
}
