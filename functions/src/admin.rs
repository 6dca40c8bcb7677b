//! The admin endpoints: a team's settings, under `/api/settings`.

mod views;

use lambda_http::Request;
use shared::auth::Caller;
use shared::masking;
use shared::store::Store;

use crate::parameters::json_body;
use crate::problem::Problem;
use crate::reply::{self, Reply};

/// `GET /api/settings/masking`: what the team has added to masking, and allowed.
///
/// # Errors
/// Those of [`masking::get_settings`].
pub async fn get_masking_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = masking::get_settings(store, caller).await?;
    reply::json(&views::masking_settings(&settings))
}

/// `PUT /api/settings/masking`: puts other settings in their place.
///
/// # Errors
/// Those of the body and of [`masking::put_settings`].
pub async fn update_masking_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let settings = json_body(request)?.ok_or(Problem::MissingParameter {
        parameter: "body",
        message: "Send the settings as JSON: {} for none.".to_owned(),
    })?;
    let settings = masking::put_settings(store, caller, settings).await?;
    reply::json(&views::masking_settings(&settings))
}
