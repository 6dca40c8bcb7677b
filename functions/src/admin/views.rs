//! The JSON of the admin endpoints.

use masking::Settings;
use serde::Serialize;
use shared::masking::MaskingSettings;
use shared::model::Timestamp;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MaskingSettingsView<'a> {
    success: bool,
    settings: &'a Settings,
    updated_at: Option<Timestamp>,
    updated_by: Option<&'a str>,
}

pub(super) fn masking_settings(stored: &MaskingSettings) -> MaskingSettingsView<'_> {
    MaskingSettingsView {
        success: true,
        settings: &stored.settings,
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.as_deref(),
    }
}
