//! `flowtrail sign-in`: creates another sign-in link for the console of a running server.

use axum::http::Method;

use super::running_server::RunningServer;
use crate::cli::ServerArgs;
use crate::sign_in::{LINKS_PATH, LinkView};
use crate::terminal::{self, Failure};

/// How long the token is valid with which a link is requested from a server on another
/// table, in milliseconds.
const TOKEN_MS: i64 = 60_000;

/// Runs `flowtrail sign-in`.
///
/// # Errors
/// No server is running there, or the server refuses the request.
pub async fn run_sign_in(args: &ServerArgs) -> Result<(), Failure> {
    let server = RunningServer::find(args, "flowtrail sign-in", TOKEN_MS).await?;
    let refused = "The server refused to create a link";
    let link: LinkView = server.request(Method::POST, LINKS_PATH, refused).await?;
    terminal::print(link.url);
    eprintln!("The link works once, within ten minutes.");
    Ok(())
}
