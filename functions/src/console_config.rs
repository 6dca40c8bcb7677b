//! The console's `config.json`: the limits that its forms check and its texts mention, and the
//! names that its lists show. They are the values that the API enforces, so the console needs no
//! copies.

use masking::{MAX_ENTRIES, RuleInfo};
use serde_json::{Value, json};
use shared::audit::{self, Action};
use shared::auth::{
    MAX_ROLES, MAX_TOKEN_NAME_LENGTH, Permission, REMEMBERED_SECONDS, REVOKED_KEPT_SECONDS,
    SignInSettings,
};
use shared::label::MAX_LABEL_LENGTH;
use shared::labels::MAX_SEARCHED_LABELS;
use shared::model::PageSize;
use shared::operations::MAX_REASON_LENGTH;
use shared::settings::{MAX_RULES, SETTINGS_REMEMBERED};
use shared::{retention, stalled};

use crate::parameters::MAX_DAYS;

const DAY_SECONDS: i64 = 24 * 3_600;

/// The configuration that the console reads before it shows a page. It has `oidc` if users sign in
/// with an identity provider.
pub(crate) fn config(sign_in: Option<&SignInSettings>) -> Value {
    let mut config = json!({
        "limits": limits(),
        "permissions": Permission::ALL.map(Permission::as_str),
        "auditActions": Action::ALL.map(Action::as_str),
        "maskingRules": masking::rules().map(|RuleInfo { name, .. }| name).collect::<Vec<_>>(),
    });
    if let Some(settings) = sign_in {
        config["oidc"] = json!({
            "issuer": settings.issuer,
            "clientId": settings.client_id,
            "scopes": settings.scopes,
            "tokenUrl": settings.token_url,
        });
    }
    config
}

/// The limits of the API. Each name ends with its unit, unless it is a number of entries.
fn limits() -> Value {
    json!({
        "auditDays": audit::KEPT_SECONDS / DAY_SECONDS,
        "cancelReasonLength": MAX_REASON_LENGTH,
        "labelBytes": MAX_LABEL_LENGTH,
        "maskingEntries": MAX_ENTRIES,
        "pageSize": PageSize::MAX,
        "retentionDays": retention::MAX_DAYS,
        "revokedTokenDays": REVOKED_KEPT_SECONDS / DAY_SECONDS,
        "roles": MAX_ROLES,
        "rules": MAX_RULES,
        "searchedLabels": MAX_SEARCHED_LABELS,
        // After how long every process applies changed settings.
        "settingsPropagationSeconds": SETTINGS_REMEMBERED.as_secs(),
        "stalledMinSeconds": stalled::MIN_SECONDS,
        "stalledMaxSeconds": stalled::MAX_SECONDS,
        "statisticsDays": MAX_DAYS,
        "tokenNameLength": MAX_TOKEN_NAME_LENGTH,
        // After how long every process applies changed roles and revoked tokens.
        "tokenPropagationSeconds": REMEMBERED_SECONDS,
    })
}
