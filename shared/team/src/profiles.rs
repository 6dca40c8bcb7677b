//! Trace profiles: what the spans of an instrumentation mean. A team adds its own profiles to the
//! ones that Flowtrail has.
//!
//! This module defines what a profile is, and keeps those of a team. The crate `bridges` has the
//! built-in profiles, in the same format, and applies both to spans.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use format::model::{StepStatus, TeamId};
use format::{Error, Result, keys};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::audit::Action;
use crate::auth::Caller;
use crate::settings::{self, Compile, Expected, RuleChange, SettingsKind, TeamSettings};
pub use pattern::{Pattern, Template};

mod pattern;

/// The most profiles of a team.
pub const MAX_PROFILES: usize = 50;

/// The most rules for the spans of a profile.
pub const MAX_SPAN_RULES: usize = 100;

/// The most entries of each other list of a profile, and the most attributes in a condition.
pub const MAX_ENTRIES: usize = 20;

/// The most entries of all lists of all profiles of a team. The time for a span is proportional to
/// them. The built-in profiles have fewer than 300.
pub const MAX_ENTRIES_OF_ALL: usize = 1_000;

/// The longest name, pattern or template, in characters.
pub const MAX_TEXT_LENGTH: usize = 256;

/// The largest profiles of a team, in bytes of JSON. An item is limited to 400 KB.
pub const MAX_BYTES: usize = 100_000;

/// What the spans of one instrumentation mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The instrumentation's name for people, unique in the team.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_TEXT_LENGTH)))]
    pub instrumentation: String,
    /// The names of its instrumentation scopes. The profile is for a span that has one of its
    /// scopes, attributes or names.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Pattern>,
    /// Attributes that only this instrumentation sets. A span with one of them matches, whatever
    /// its scope.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The names that only its spans have, whatever their scope.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Pattern>,
    /// The labels of the run, each with the attributes that may contain its value.
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = text_schema())))]
    #[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = texts_schema())))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Vec<String>>,
    /// The attributes that may contain a step's input; the first one that exists is used.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<PayloadAttribute>,
    /// The attributes that may contain a step's output.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<PayloadAttribute>,
    /// The attributes that may contain the error of a span that has no exception.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Where the number of earlier attempts is.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retries: Vec<Retries>,
    /// The attributes with the engine's id of the run. Traces with the same id are one run.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// The attributes with what a model call has used.
    #[serde(default, skip_serializing_if = "UsageAttributes::is_empty")]
    pub usage: UsageAttributes,
    /// What its kinds of spans mean.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_SPAN_RULES)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<SpanRule>,
}

/// An attribute that may contain a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct PayloadAttribute {
    /// The attribute's name.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_TEXT_LENGTH)))]
    pub attribute: String,
    /// The attribute that contains the payload's media type.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_TEXT_LENGTH)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Whether a text that is a JSON object or array is parsed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_json: bool,
}

/// The attributes with what a model call has used: for each, the first one that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct UsageAttributes {
    /// The attributes with the model's name.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// The attributes with the number of tokens that the model has read.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_tokens: Vec<String>,
    /// The attributes with the number of tokens that the model has written.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = MAX_TEXT_LENGTH))))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_tokens: Vec<String>,
}

impl UsageAttributes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the number of earlier attempts of a step is: in an attribute that numbers the attempts,
/// or in the number of events that are added for failed attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = [
    {"required": ["attribute", "first"], "not": {"required": ["hasLast"]}},
    {"required": ["events"], "not": {"required": ["first"]}},
])))]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// The attribute that numbers the attempts.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_TEXT_LENGTH)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The number of the first attempt in this attribute. It is required with `attribute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The name of the events, of which one is added for each failed attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Pattern>,
    /// Whether the last attempt of a failed step has an event too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_last: bool,
}

/// What some spans of an instrumentation mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct SpanRule {
    /// The spans that the rule is for.
    pub when: SpanCondition,
    /// Whether the span is the run of its trace.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_run: bool,
    /// Whether the outcome of the last of these spans is the outcome of a run whose root has
    /// ended before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decides: bool,
    /// The id of the run's flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<Template>,
    /// The name of the run's flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_name: Option<Template>,
    /// The step's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Template>,
    /// The step's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_name: Option<Template>,
    /// The step's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_type: Option<Template>,
    /// The status of the step, which has ended. Without it, the span's own status decides.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<format::schema::EndedStepStatus>")
    )]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
}

/// The spans that a rule is for: those that match everything in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct SpanCondition {
    /// The span's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Pattern>,
    /// The values of some attributes of the span or of its resource.
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = MAX_ENTRIES)))]
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = text_schema())))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Pattern>,
}

/// The schema of a text of a profile.
#[cfg(feature = "schema")]
fn text_schema() -> serde_json::Value {
    serde_json::json!({"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH})
}

/// The schema of a list of texts of a profile.
#[cfg(feature = "schema")]
fn texts_schema() -> serde_json::Value {
    serde_json::json!({"type": "array", "maxItems": MAX_ENTRIES, "items": text_schema()})
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Profile {
    /// The whole profile, because any change of it matters.
    fn describe(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| self.instrumentation.clone())
    }
}

/// Checks the members of one profile, and counts the entries of its lists.
struct Check {
    /// The path of the profile.
    path: String,
    entries: usize,
}

impl Check {
    fn refuse<T>(&self, member: &str, reason: impl Into<String>) -> Result<T> {
        let member = format!("{}{member}", self.path);
        Err(Error::invalid_member(member, reason.into()))
    }

    fn text(&self, member: &str, text: &str) -> Result<()> {
        match text.chars().count() {
            1..=MAX_TEXT_LENGTH => Ok(()),
            _ => {
                let reason = format!("Use 1 to {MAX_TEXT_LENGTH} characters.");
                self.refuse(member, reason)
            }
        }
    }

    fn pattern(&self, member: &str, pattern: &Pattern) -> Result<()> {
        self.text(member, pattern.as_str())?;
        match pattern.problem() {
            Some(problem) => self.refuse(member, problem),
            None => Ok(()),
        }
    }

    fn template(&self, member: &str, template: &Template) -> Result<()> {
        self.text(member, template.as_str())?;
        match template.problem() {
            Some(problem) => self.refuse(member, problem),
            None => Ok(()),
        }
    }

    fn length(&mut self, member: &str, length: usize, most: usize) -> Result<()> {
        self.entries += length;
        match length <= most {
            true => Ok(()),
            false => self.refuse(member, format!("Define at most {most} entries.")),
        }
    }

    fn list<T>(
        &mut self,
        member: &str,
        list: &[T],
        check: impl Fn(&Self, &str, &T) -> Result<()>,
    ) -> Result<()> {
        self.length(member, list.len(), MAX_ENTRIES)?;
        let mut entries = list.iter().enumerate();
        entries
            .try_for_each(|(position, entry)| check(self, &format!("{member}[{position}]"), entry))
    }

    fn texts(&mut self, member: &str, texts: &[String]) -> Result<()> {
        self.list(member, texts, |check, member, text| {
            check.text(member, text)
        })
    }

    fn profile(&mut self, profile: &Profile) -> Result<()> {
        self.text(".instrumentation", &profile.instrumentation)?;
        if profile.scopes.is_empty() && profile.attributes.is_empty() && profile.names.is_empty() {
            return self.refuse(
                "",
                "Name at least one scope, attribute or name of its spans.",
            );
        }
        self.list(".scopes", &profile.scopes, Self::pattern)?;
        self.texts(".attributes", &profile.attributes)?;
        self.list(".names", &profile.names, Self::pattern)?;
        self.length(".labels", profile.labels.len(), MAX_ENTRIES)?;
        for (label, attributes) in &profile.labels {
            let member = format!(".labels.{label}");
            self.text(&member, label)?;
            self.texts(&member, attributes)?;
        }
        self.list(".input", &profile.input, Self::payload)?;
        self.list(".output", &profile.output, Self::payload)?;
        self.texts(".errors", &profile.errors)?;
        self.list(".retries", &profile.retries, Self::retries)?;
        self.texts(".runs", &profile.runs)?;
        self.texts(".usage.model", &profile.usage.model)?;
        self.texts(".usage.inputTokens", &profile.usage.input_tokens)?;
        self.texts(".usage.outputTokens", &profile.usage.output_tokens)?;
        self.length(".spans", profile.spans.len(), MAX_SPAN_RULES)?;
        let mut rules = profile.spans.iter().enumerate();
        rules.try_for_each(|(position, rule)| self.rule(&format!(".spans[{position}]"), rule))
    }

    fn payload(&self, member: &str, payload: &PayloadAttribute) -> Result<()> {
        self.text(&format!("{member}.attribute"), &payload.attribute)?;
        match &payload.media_type {
            Some(media_type) => self.text(&format!("{member}.mediaType"), media_type),
            None => Ok(()),
        }
    }

    fn retries(&self, member: &str, retries: &Retries) -> Result<()> {
        match (&retries.attribute, retries.first, &retries.events) {
            (Some(attribute), Some(_), None) if !retries.has_last => {
                self.text(&format!("{member}.attribute"), attribute)
            }
            (None, None, Some(events)) => self.pattern(&format!("{member}.events"), events),
            _ => self.refuse(
                member,
                "Send either attribute and first, or events and optionally hasLast.",
            ),
        }
    }

    fn rule(&mut self, member: &str, rule: &SpanRule) -> Result<()> {
        let when = &rule.when;
        if let Some(name) = &when.name {
            self.pattern(&format!("{member}.when.name"), name)?;
        }
        let attributes = format!("{member}.when.attributes");
        self.length(&attributes, when.attributes.len(), MAX_ENTRIES)?;
        for (attribute, pattern) in &when.attributes {
            let attributes = format!("{attributes}.{attribute}");
            self.text(&attributes, attribute)?;
            self.pattern(&attributes, pattern)?;
        }
        for (name, template) in [
            ("flowId", &rule.flow_id),
            ("flowName", &rule.flow_name),
            ("stepId", &rule.step_id),
            ("stepName", &rule.step_name),
            ("stepType", &rule.step_type),
        ] {
            if let Some(template) = template {
                self.entries += 1;
                self.template(&format!("{member}.{name}"), template)?;
            }
        }
        match rule.status {
            Some(StepStatus::Pending | StepStatus::Running) => self.refuse(
                &format!("{member}.status"),
                "Use a status of a step that has ended: COMPLETED, FAILED, CANCELLED or SKIPPED.",
            ),
            _ => Ok(()),
        }
    }
}

impl SettingsKind for Vec<Profile> {
    const SORT_KEY: &'static str = keys::PROFILES;
    const FALLBACK: &'static str = "only the built-in profiles apply to the team's traces";

    fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::invalid_member("profiles", reason));
        if self.len() > MAX_PROFILES {
            return refuse(format!("Define at most {MAX_PROFILES} profiles."));
        }
        let bytes = serde_json::to_vec(self).map_err(Error::internal)?;
        if bytes.len() > MAX_BYTES {
            return refuse(format!(
                "Send profiles of at most {MAX_BYTES} bytes of JSON."
            ));
        }
        let (mut entries, mut positions) = (0, HashMap::new());
        for (position, profile) in self.iter().enumerate() {
            let mut check = Check {
                path: format!("profiles[{position}]"),
                entries: 0,
            };
            check.profile(profile)?;
            entries += check.entries;
            if let Some(other) = positions.insert(&profile.instrumentation, position) {
                let reason = format!("Use another name: profiles[{other}] has this one.");
                return check.refuse(".instrumentation", reason);
            }
        }
        if entries > MAX_ENTRIES_OF_ALL {
            return refuse(format!(
                "Define at most {MAX_ENTRIES_OF_ALL} entries in the lists of all profiles."
            ));
        }
        Ok(())
    }
}

/// A team's profiles, and who set them.
pub type ProfileSettings = TeamSettings<Vec<Profile>>;

/// Reads the profiles of the caller's team.
///
/// # Errors
/// Returns [`format::Error::Forbidden`] if the caller is limited to some of the team's flows, and
/// an error if the table cannot be read.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<ProfileSettings> {
    caller.require_whole_team("Settings")?;
    settings::read(store, &caller.team_id).await
}

/// Replaces the profiles of the caller's team. They apply to spans that arrive from now on.
///
/// # Errors
/// Returns [`format::Error::InvalidMember`]; [`format::Error::Conflict`] if the stored profiles are
/// not the expected ones; [`format::Error::Forbidden`] if the caller is limited to some of the
/// team's flows; and an error if the table cannot be read or written.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    profiles: Vec<Profile>,
    expected: Expected,
) -> Result<ProfileSettings> {
    let change = RuleChange {
        action: Action::ProfilesChanged,
        target: "profiles",
        added: "profilesAdded",
        removed: "profilesRemoved",
    };
    settings::replace_rules(store, caller, profiles, expected, change, Profile::describe).await
}

/// The profiles of a team, in the order in which they decide.
pub type TeamProfiles = Arc<[Profile]>;

impl Compile for Vec<Profile> {
    type Compiled = TeamProfiles;

    fn compile(&self) -> TeamProfiles {
        self.as_slice().into()
    }
}

/// Returns the profiles of a team, at most [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED)
/// old.
///
/// # Errors
/// Returns an error if the table cannot be read.
pub async fn profiles_of(store: &Store, team_id: &TeamId) -> Result<TeamProfiles> {
    settings::read_compiled::<Vec<Profile>>(store, team_id).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn profiles(value: Value) -> Vec<Profile> {
        serde_json::from_value(value).expect("profiles")
    }

    /// The member that is refused, and the reason.
    fn refused(profile: Value) -> (String, String) {
        match profiles(json!([profile])).check() {
            Err(Error::InvalidMember(invalid)) => (invalid.member, invalid.reason),
            other => panic!("{other:?}"),
        }
    }

    fn rule(members: Value) -> Value {
        json!({"instrumentation": "a", "scopes": ["a"], "spans": [members]})
    }

    #[test]
    fn an_invalid_member_of_a_profile_is_named() {
        let long = "x".repeat(MAX_TEXT_LENGTH + 1);
        let many = vec!["x"; MAX_ENTRIES + 1];
        let rules = vec![json!({"when": {}}); MAX_SPAN_RULES + 1];
        let base = |name: &str, value: Value| {
            let mut profile = json!({"instrumentation": "a", "scopes": ["a"]});
            profile[name] = value;
            profile
        };
        for (profile, member) in [
            (base("instrumentation", json!("")), ".instrumentation"),
            (json!({"instrumentation": "a"}), ""),
            (base("scopes", json!(["a", "a*b*"])), ".scopes[1]"),
            (base("names", json!([""])), ".names[0]"),
            (base("attributes", json!([long])), ".attributes[0]"),
            (base("errors", json!(many)), ".errors"),
            (base("labels", json!({"a": [""]})), ".labels.a[0]"),
            (base("runs", json!([""])), ".runs[0]"),
            (
                base("usage", json!({"inputTokens": [""]})),
                ".usage.inputTokens[0]",
            ),
            (
                base("input", json!([{"attribute": ""}])),
                ".input[0].attribute",
            ),
            (
                base("output", json!([{"attribute": "a", "mediaType": ""}])),
                ".output[0].mediaType",
            ),
            (base("retries", json!([{"attribute": "a"}])), ".retries[0]"),
            (
                base(
                    "retries",
                    json!([{"attribute": "a", "first": 1, "hasLast": true}]),
                ),
                ".retries[0]",
            ),
            (
                base("retries", json!([{"events": "**"}])),
                ".retries[0].events",
            ),
            (base("spans", json!(rules)), ".spans"),
            (rule(json!({"when": {"name": "**"}})), ".spans[0].when.name"),
            (
                rule(json!({"when": {"attributes": {"a.b": "**"}}})),
                ".spans[0].when.attributes.a.b",
            ),
            (
                rule(json!({"when": {}, "flowId": "{a"})),
                ".spans[0].flowId",
            ),
            (
                rule(json!({"when": {}, "stepName": "a}"})),
                ".spans[0].stepName",
            ),
            (
                rule(json!({"when": {}, "stepType": "{}"})),
                ".spans[0].stepType",
            ),
            (
                rule(json!({"when": {}, "status": "RUNNING"})),
                ".spans[0].status",
            ),
        ] {
            let (refused, _) = refused(profile.clone());
            assert_eq!(refused, format!("profiles[0]{member}"), "{profile}");
        }
    }

    #[test]
    fn names_of_instrumentations_are_unique() {
        let one = json!({"instrumentation": "a", "scopes": ["a"]});
        let refused = profiles(json!([one, one])).check();
        let Err(Error::InvalidMember(invalid)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(invalid.member, "profiles[1].instrumentation");
        assert!(invalid.reason.contains("profiles[0]"), "{}", invalid.reason);
    }

    #[test]
    fn the_size_of_all_profiles_is_limited() {
        let is_valid = |count: usize, profile: &dyn Fn(usize) -> Value| {
            let all: Vec<_> = (0..count).map(profile).collect();
            profiles(json!(all)).check().is_ok()
        };
        let small = |number| json!({"instrumentation": format!("{number}"), "scopes": ["a"]});
        assert!(is_valid(MAX_PROFILES, &small));
        assert!(!is_valid(MAX_PROFILES + 1, &small));
        // 20 scopes and 80 rules are 100 entries.
        let rules = vec![json!({"when": {}}); 80];
        let rules = |number| {
            let name = format!("{number}");
            json!({"instrumentation": name, "scopes": vec!["a"; 20], "spans": rules})
        };
        assert!(is_valid(10, &rules));
        assert!(!is_valid(11, &rules));
        // 19 scopes of 256 characters are about 5 KB.
        let scope = "x".repeat(MAX_TEXT_LENGTH);
        let large =
            |number| json!({"instrumentation": format!("{number}"), "scopes": vec![&scope; 19]});
        assert!(is_valid(20, &large));
        assert!(!is_valid(21, &large));
    }
}
