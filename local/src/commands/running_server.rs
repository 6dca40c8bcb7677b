//! A running server, from which a command requests something that is only in its memory.

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::auth::{self, NewToken, Role};
use shared::model::Timestamp;

use super::{open_existing, operator};
use crate::cli::ServerArgs;
use crate::data_folder::{DataFolder, Holder};
use crate::demo;
use crate::terminal::Failure;

/// The maximum size of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A running server.
pub(super) struct RunningServer {
    address: String,
    token: String,
    client: Client<HttpConnector, Body>,
}

impl RunningServer {
    /// Finds the server of the arguments. For a table of its own, a token with this name is created
    /// that is valid for this time, in milliseconds.
    ///
    /// # Errors
    /// No server is running there, or the table cannot be written.
    pub(super) async fn find(
        args: &ServerArgs,
        token_name: &str,
        token_ms: i64,
    ) -> Result<Self, Failure> {
        let (address, token) = match args.table.endpoint_url {
            Some(_) => (
                format!("http://127.0.0.1:{}", args.port),
                create_token(args, token_name, token_ms).await?,
            ),
            None => find_address(args).await?,
        };
        Ok(Self {
            address,
            token,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// Sends a request without a body. `refused` begins the sentence about a refusal.
    ///
    /// # Errors
    /// The server does not answer, or refuses the request.
    pub(super) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        refused: &str,
    ) -> Result<T, Failure> {
        let address = &self.address;
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure(format!(
                "The server at {address} did not answer ({error}). If its API is on another port, \
                 name the port with --port."
            ))
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{address}{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::empty())
            .map_err(|error| unreachable(&error))?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        let body: Bytes = body.map_err(|error| unreachable(&error))?.to_bytes();
        if status != StatusCode::OK {
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            let message = problem["message"].as_str().unwrap_or(status.as_str());
            return Err(Failure(format!("{refused}: {message}")));
        }
        serde_json::from_slice(&body).map_err(|error| unreachable(&error))
    }
}

/// Returns the address of the server that uses the folder, and the folder's admin token.
async fn find_address(args: &ServerArgs) -> Result<(String, String), Failure> {
    let folder = &args.table.data;
    let not_running = || {
        Failure(format!(
            "No server is running on the folder {}. Start one with flowtrail serve, or name its \
             folder with --data.",
            folder.display()
        ))
    };
    // A command that only looks for a server must not create a folder.
    if !DataFolder::has_database(folder) {
        return Err(not_running());
    }
    let Holder::Server(_) = DataFolder::open(folder).await? else {
        return Err(not_running());
    };
    let address = DataFolder::api_address(folder).ok_or_else(not_running)?;
    let token = DataFolder::admin_token_in(folder).ok_or_else(|| {
        Failure(format!(
            "The file admin-token in {} cannot be read. Run this command as the user who runs \
             flowtrail serve.",
            folder.display()
        ))
    })?;
    Ok((address, token))
}

/// Creates a token for the requests. Requires write access to the table.
async fn create_token(args: &ServerArgs, name: &str, valid_ms: i64) -> Result<String, Failure> {
    let table = open_existing(&args.table).await?;
    let end = Timestamp::now().milliseconds() + valid_ms;
    let new = NewToken {
        role: Role::Admin.into(),
        name: Some(name.to_owned()),
        flows: None,
        expires_at: Timestamp::from_milliseconds(end),
    };
    let caller = operator(demo::team_id());
    let (_, secret) = auth::create_token(&table.store, &caller, &new).await?;
    Ok(secret.reveal().to_owned())
}
