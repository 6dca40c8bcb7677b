//! Asking a table as a caller does, through the server's own router.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use functions::app::App;
use http_body_util::BodyExt;
use local::embedded::Embedded;
use local::terminal::Failure;
use shared::auth::{self, Caller, NewToken, Role, Secret, TokenRecord};
use shared::store::{Store, Usage};
use tower::ServiceExt;

use crate::load::{TABLE, TEAM};

/// A request that is measured.
pub struct Work {
    /// What it is.
    pub name: &'static str,
    /// Its path. `{middle}` stands for half of the executions, `{page}` for the
    /// number of the page there.
    pub path: &'static str,
}

/// What is measured.
pub const WORKS: &[Work] = &[
    Work {
        name: "list of a flow by token, 50",
        path: "/flow-executions?flowDefinitionId=flow-07&limit=50",
    },
    Work {
        name: "first page of the team, 50",
        path: "/api/executions/team/default?size=50",
    },
    Work {
        name: "page in the middle, 50",
        path: "/api/executions/team/default?size=50&page={page}",
    },
    Work {
        name: "history, lite, in the middle, 50",
        path: "/api/history/executions?lite=true&limit=50&offset={middle}",
    },
    Work {
        name: "failed sub-flows of a flow, first",
        path: "/api/history/executions?lite=true&limit=50&flowId=flow-07&status=FAILED&executionType=SUBFLOW",
    },
    Work {
        name: "statistics of 30 days",
        path: "/api/history/execution-stats",
    },
    Work {
        name: "statistics of 30 days of a flow",
        path: "/api/history/execution-stats?flowId=flow-07",
    },
];

/// What a request has used.
pub struct Measured {
    pub usage: Usage,
}

/// A table behind the server's router.
pub struct Table {
    router: Router,
    token: String,
    executions: u64,
}

impl Table {
    pub async fn new(embedded: &Embedded, executions: u64) -> Result<Self, Failure> {
        let store = Store::new(embedded.client(), TABLE);
        let token = token(&store).await?;
        Ok(Self {
            router: local::server::router(Arc::new(App::new(store))),
            token,
            executions,
        })
    }

    /// Asks once, and reads the answer to its end.
    pub async fn ask(&self, work: &Work) -> Result<Measured, Failure> {
        let middle = self.executions / 2;
        let path = work
            .path
            .replace("{middle}", &middle.to_string())
            .replace("{page}", &(middle / 50).to_string());
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::empty())
            .map_err(failure)?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(failure)?;
        if !parts.status.is_success() {
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            return Err(Failure(format!("{}: {body}", work.name)));
        }
        let usage = parts.extensions.get().copied().unwrap_or_default();
        Ok(Measured { usage })
    }
}

/// Who makes the tokens.
pub fn operator() -> Result<Caller, Failure> {
    Ok(Caller::operator(TEAM.parse().map_err(failure)?, "bench"))
}

/// A token of a role, with its secret.
pub async fn new_token(store: &Store, role: Role) -> Result<(TokenRecord, Secret), Failure> {
    let new = NewToken {
        role: role.into(),
        name: None,
        flows: None,
        expires_at: None,
    };
    Ok(auth::create_token(store, &operator()?, &new).await?)
}

/// The secret of a token that reads and exports.
pub async fn token(store: &Store) -> Result<String, Failure> {
    let (_, secret) = new_token(store, Role::Operator).await?;
    Ok(secret.reveal().to_owned())
}

/// What ends a measurement, in words.
pub fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

/// A figure of a process's memory, in KB. Only Linux has it.
pub fn memory_kb(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
