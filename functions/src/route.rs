//! The type of an endpoint. [`crate::routes`] declares all endpoints, and `exchange`
//! answers their requests.

use std::sync::LazyLock;

use http::Method;
use lambda_http::Request;
use shared::auth::{Caller, Permission};
use shared::store::Store;

use crate::grant::Grant;
use crate::openapi::parameter::ParameterDescription;
use crate::problem::Problem;
use crate::reply::Reply;

pub use crate::exchange::{ANSWERED_WITHIN, RequestId, request_id};

/// The future that a handler returns.
pub type Answering<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

/// A function that answers the request of a caller with the route's permission.
pub type Handler = for<'a> fn(&'a Store, &'a Caller, &'a Request) -> Answering<'a>;

/// How a Lambda function sends its response to API Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// Buffered, so at most 6 MB: for responses whose limit is well below.
    Buffered,
    /// As a stream, so at most 200 MB.
    Streamed,
}

/// The time at which a caller must have the permission of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// When it was authenticated, up to 60 seconds ago
    /// ([`REMEMBERED_SECONDS`](shared::auth::REMEMBERED_SECONDS)): for reading.
    Remembered,
    /// Now: for writing, and for exports. It costs one strongly consistent read of the caller's
    /// token, and a second one if the team itself has defined the role.
    /// [`auth::require_current`](shared::auth::require_current) has the rule.
    Current,
}

/// The largest body of an endpoint that does not set its own limit, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// An endpoint.
#[derive(Debug)]
pub struct Route {
    /// The name of the route, of its binary, of its sample event and, in camel
    /// case, of its function in `template.yaml`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path in API Gateway's notation, with its parameters in braces.
    pub path: &'static str,
    /// The permission that a caller must have. `None` if every caller may use the endpoint.
    pub permission: Option<Permission>,
    /// The time at which the caller must have the permission.
    pub authority: Authority,
    /// How a Lambda function sends the response.
    pub transfer: Transfer,
    /// The largest accepted body, in bytes.
    pub max_body_bytes: usize,
    /// The parameters in its path, query and headers.
    pub(crate) parameters: LazyLock<Vec<ParameterDescription>>,
    /// The memory of its function in megabytes, if it differs from the default.
    pub memory_mb: Option<u32>,
    /// The timeout of its function in seconds, if it differs from the default.
    pub timeout_seconds: Option<u32>,
    /// The handler.
    pub handler: Handler,
    /// The grants of its function on the table.
    pub grants: &'static [Grant],
}

/// The options of a route, in addition to its path and its handler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) permission: Option<Permission>,
    pub(crate) authority: Authority,
    pub(crate) transfer: Transfer,
    pub(crate) max_body_bytes: usize,
    pub(crate) memory_mb: Option<u32>,
    pub(crate) timeout_seconds: Option<u32>,
}

/// The options of a route for every authenticated caller.
pub(crate) const fn anyone() -> Options {
    Options {
        permission: None,
        authority: Authority::Remembered,
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        memory_mb: None,
        timeout_seconds: None,
    }
}

/// The options of a route for callers that had a permission when they were authenticated:
/// [`Authority::Remembered`].
pub(crate) const fn remembered(permission: Permission) -> Options {
    Options {
        permission: Some(permission),
        ..anyone()
    }
}

/// The options of a route for callers that have a permission now: [`Authority::Current`].
pub(crate) const fn current(permission: Permission) -> Options {
    Options {
        authority: Authority::Current,
        ..remembered(permission)
    }
}

impl Options {
    /// Streams the response.
    pub(crate) const fn streamed(mut self) -> Self {
        self.transfer = Transfer::Streamed;
        self
    }

    /// Sets the largest accepted body.
    pub(crate) const fn body_up_to(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Sets the memory of its function. Lambda scales the processor with it.
    pub(crate) const fn memory(mut self, megabytes: u32) -> Self {
        self.memory_mb = Some(megabytes);
        self
    }

    /// Sets the timeout of its function.
    pub(crate) const fn timeout(mut self, seconds: u32) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }
}
