//! `flowtrail sign-in`: creates another sign-in link for the console of a running server.

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use shared::auth::{self, NewToken, Role};
use shared::model::Timestamp;

use super::{open_existing, operator};
use crate::cli::SignInArgs;
use crate::data_folder::{DataFolder, Holder};
use crate::demo;
use crate::sign_in::{LINKS_PATH, LinkView};
use crate::terminal::{self, Failure};

/// How long the token is valid with which a link is requested from a server on another
/// table, in milliseconds.
const TOKEN_MS: i64 = 60_000;

/// The maximum size of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Runs `flowtrail sign-in`.
///
/// # Errors
/// No server is running there, or the server refuses the request.
pub async fn run_sign_in(args: &SignInArgs) -> Result<(), Failure> {
    let (address, token) = match args.table.endpoint_url {
        Some(_) => (
            format!("http://127.0.0.1:{}", args.port),
            create_short_token(args).await?,
        ),
        None => find_server(args).await?,
    };
    let link = request_link(&address, &token).await?;
    terminal::print(link.url);
    eprintln!("The link works once, within ten minutes.");
    Ok(())
}

/// Returns the address of the server that uses the folder, and the folder's admin token.
async fn find_server(args: &SignInArgs) -> Result<(String, String), Failure> {
    let folder = &args.table.data;
    let not_running = || {
        Failure(format!(
            "No server is running on the folder {}. Start one with flowtrail serve, which prints a \
             link, or name its folder with --data.",
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

/// Creates a short-lived token for the request. Requires write access to the table.
async fn create_short_token(args: &SignInArgs) -> Result<String, Failure> {
    let table = open_existing(&args.table).await?;
    let end = Timestamp::now().milliseconds() + TOKEN_MS;
    let new = NewToken {
        role: Role::Admin.into(),
        name: Some("flowtrail sign-in".to_owned()),
        flows: None,
        expires_at: Timestamp::from_milliseconds(end),
    };
    let caller = operator(demo::team_id());
    let (_, secret) = auth::create_token(&table.store, &caller, &new).await?;
    Ok(secret.reveal().to_owned())
}

async fn request_link(address: &str, token: &str) -> Result<LinkView, Failure> {
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure(format!(
            "The server at {address} did not answer ({error}). If its API is on another port, name \
             the port with --port."
        ))
    };
    let request = Request::post(format!("{address}{LINKS_PATH}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::empty())
        .map_err(|error| unreachable(&error))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = client.request(request).await;
    let answer = answer.map_err(|error| unreachable(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await;
    let body: Bytes = body.map_err(|error| unreachable(&error))?.to_bytes();
    if status != StatusCode::OK {
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = problem["message"].as_str().unwrap_or(status.as_str());
        return Err(Failure(format!(
            "The server refused to create a link: {message}"
        )));
    }
    serde_json::from_slice(&body).map_err(|error| unreachable(&error))
}
