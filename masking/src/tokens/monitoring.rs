//! Monitoring, logs, analytics and security.

use super::{
    Body, TokenRule, after, at_least, between, exactly, infix, near, near_between, run, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("datadog-key", "a Datadog API or application key",
        "Datadog documentation, API keys; gitleaks `datadog-access-token`", &[
            exactly("ddapp_", Body::Alphanumeric, 34), at_least("ddpat_", Body::Word, 30),
            near(&["datadog", "dd", "ddog"], Body::LowerHex, 32),
            near(&["datadog", "dd", "ddog"], Body::LowerHex, 40),
            near(&["datadog", "dd"], Body::Alphanumeric, 40),
            after("v1/input/", Body::LowerHex, 32),
    ]),
    token("new-relic-key", "a New Relic key",
        "New Relic documentation, API keys; gitleaks `new-relic-user-api-key`", &[
            exactly("NRAK-", Body::Alphanumeric, 27), between("NRII-", Body::Base64Url, 25, 40),
            between("NRIQ-", Body::Base64Url, 25, 40), exactly("NRJS-", Body::LowerHex, 19),
            exactly("NRBR-", Body::LowerHex, 19), exactly("NRRA-", Body::LowerHex, 42),
            exactly("NRAA-", Body::LowerHex, 27),
            infix(run(Body::Alphanumeric, 32, 36), "NRAL", run(Body::Alphanumeric, 0, 0)),
            infix(run(Body::Alphanumeric, 40, 44), "-NRMA", run(Body::Alphanumeric, 0, 0)),
            near(&["newrelic", "nr"], Body::LowerHex, 40),
            near(&["newrelic"], Body::Alphanumeric, 64),
    ]),
    token("grafana-token", "a Grafana token",
        "Grafana documentation, service accounts; gitleaks `grafana-service-account-token`", &[
            at_least("glsa_", Body::Word, 32), at_least("glc_", Body::Base64, 32),
            at_least("eyJrIjoi", Body::Base64, 60),
    ]),
    token("sentry-token", "a Sentry token",
        "Sentry documentation, auth tokens; gitleaks `sentry-org-token`", &[
            at_least("sntrys_", Body::Token, 60), exactly("sntryu_", Body::LowerHex, 64),
            at_least("sntrya_", Body::Word, 40), at_least("sntryi_", Body::Word, 40),
            near(&["sentry"], Body::LowerHex, 64), near(&["sentry"], Body::LowerHex, 32),
    ]),
    token("honeycomb-key", "a Honeycomb key",
        "Honeycomb documentation; GitHub secret scanning; trufflehog `honeycomb`", &[
            at_least("hcaik_", Body::LowerNum, 30), at_least("hcalk_", Body::LowerNum, 30),
            at_least("hcamk_", Body::LowerNum, 30), at_least("hcbik_", Body::LowerNum, 30),
            at_least("hcxik_", Body::LowerNum, 30), at_least("hcxlk_", Body::LowerNum, 30),
            at_least("hcxmk_", Body::LowerNum, 30), at_least("hcamk_", Body::Word, 30),
            near(&["honeycomb", "honeycombteam"], Body::LowerHex, 32),
            near(&["honeycomb"], Body::Alphanumeric, 22),
    ]),
    token("dynatrace-token", "a Dynatrace token",
        "Dynatrace documentation, tokens; gitleaks `dynatrace-api-token`", &[
            at_least("dt0", Body::Dotted, 80),
    ]),
    token("rollbar-token", "a Rollbar token",
        "Rollbar documentation, access tokens", &[
            near(&["rollbar"], Body::LowerHex, 32), near(&["rollbar"], Body::LowerHex, 128),
    ]),
    token("bugsnag-key", "a Bugsnag, Airbrake or Raygun key",
        "the providers' documentation; trufflehog `bugsnag`", &[
            near(&["bugsnag"], Body::LowerHex, 32), near(&["bugsnag"], Body::HexDash, 36),
            near_between(&["airbrake"], Body::LowerHex, 32, 40),
            near_between(&["raygun"], Body::Alphanumeric, 22, 64),
            near_between(&["honeybadger"], Body::LowerHex, 16, 40),
            at_least("hbp_", Body::Alphanumeric, 30),
    ]),
    token("pagerduty-key", "a PagerDuty key",
        "PagerDuty documentation; trufflehog `pagerdutyapikey`", &[
            exactly("u+", Body::Token, 18),
            near(&["pagerduty", "pd", "routingkey"], Body::LowerHex, 32),
            near(&["pagerduty", "pd"], Body::Base64Url, 20),
    ]),
    token("opsgenie-key", "an Opsgenie key",
        "Opsgenie documentation; trufflehog `opsgenie`", &[
            near(&["opsgenie", "geniekey"], Body::HexDash, 36),
    ]),
    token("splunk-token", "a Splunk token",
        "Splunk documentation, HTTP event collector; trufflehog `splunkobservabilitytoken`", &[
            at_least("splunkd_", Body::Token, 30),
            near(&["splunk", "hec", "sfx", "signalfx"], Body::HexDash, 36),
            near(&["splunk", "sfx", "signalfx"], Body::Base64Url, 22),
    ]),
    token("sumologic-key", "a Sumo Logic key or collector URL",
        "Sumo Logic documentation; gitleaks `sumologic-access-token`", &[
            after("receiver/v1/http/", Body::Token, 40),
            near(&["sumo", "sumologic"], Body::Alphanumeric, 64),
    ]),
    token("loggly-token", "a Logz.io, Loggly, Papertrail or Logentries token",
        "the providers' documentation; trufflehog `logzio`, `loggly`", &[
            after("loggly.com/inputs/", Body::HexDash, 36),
            after("loggly.com/bulk/", Body::HexDash, 36),
            near(&["logz", "logzio"], Body::Alphanumeric, 32),
            near(&["logz", "logzio", "loggly", "logentries", "logdna", "mezmo"], Body::HexDash, 36),
            near(&["papertrail"], Body::Alphanumeric, 20),
            near(&["logdna", "mezmo"], Body::LowerHex, 32),
    ]),
    token("solarwinds-key", "a SolarWinds or AppOptics token",
        "SolarWinds documentation; trufflehog `solarwindsobservability`", &[
            near(&["solarwinds", "appoptics"], Body::Base64Url, 71),
            near(&["solarwinds", "appoptics", "librato"], Body::LowerHex, 64),
    ]),
    token("betterstack-token", "a Better Stack or Logtail token",
        "Better Stack documentation; trufflehog `betterstack`", &[
            near(&["betterstack", "logtail", "betteruptime"], Body::Alphanumeric, 24),
    ]),
    token("axiom-token", "an Axiom token",
        "Axiom documentation, tokens; GitHub secret scanning", &[
            exactly("xaat-", Body::HexDash, 36), exactly("xapt-", Body::HexDash, 36),
            exactly("xait-", Body::HexDash, 36),
    ]),
    token("coralogix-key", "a Coralogix key",
        "Coralogix documentation, API keys", &[
            at_least("cxtp_", Body::Alphanumeric, 28), at_least("cxup_", Body::Alphanumeric, 28),
            at_least("cxth_", Body::Alphanumeric, 28), near(&["coralogix"], Body::HexDash, 36),
    ]),
    token("rootly-key", "a Rootly API key",
        "Rootly documentation; trufflehog `rootly`", &[
            at_least("rootly_", Body::LowerHex, 40),
    ]),
    token("incident-io-key", "an incident.io or FireHydrant key",
        "the providers' documentation; GitHub secret scanning", &[
            exactly("inc_", Body::LowerHex, 64), exactly("fhb-", Body::LowerHex, 32),
            at_least("fhb_", Body::Alphanumeric, 30),
    ]),
    token("healthchecks-key", "a Healthchecks.io or Cronitor key",
        "the providers' documentation", &[
            near(&["healthchecks"], Body::Base64Url, 32), near(&["cronitor"], Body::LowerHex, 32),
    ]),
    token("uptimerobot-key", "an UptimeRobot, Pingdom or StatusCake key",
        "the providers' documentation; trufflehog `uptimerobot`", &[
            near_between(&["uptimerobot"], Body::Alphanumeric, 16, 40),
            near(&["uptimerobot"], Body::Base64Url, 34), near(&["pingdom"], Body::Base64Url, 86),
            near(&["statuscake"], Body::Alphanumeric, 20),
            near(&["statuspage"], Body::HexDash, 36),
            near(&["statuspal"], Body::Alphanumeric, 32),
    ]),
    token("posthog-key", "a PostHog personal key",
        "PostHog documentation, API; trufflehog `posthog`", &[
            at_least("phx_", Body::Alphanumeric, 40), at_least("phs_", Body::Alphanumeric, 40),
            at_least("pha_", Body::Alphanumeric, 40), at_least("phr_", Body::Alphanumeric, 40),
    ]),
    token("mixpanel-secret", "a Mixpanel secret",
        "Mixpanel documentation; trufflehog `mixpanel`", &[
            near(&["mixpanel"], Body::LowerHex, 32),
    ]),
    token("amplitude-key", "an Amplitude key",
        "Amplitude documentation; trufflehog `amplitudeapikey`", &[
            near(&["amplitude"], Body::LowerHex, 32),
    ]),
    token("segment-key", "a Segment token or write key",
        "Segment documentation; GitHub secret scanning; trufflehog `segmentapikey`", &[
            exactly("sgp_", Body::Alphanumeric, 64),
            near(&["segment", "analyticsjs"], Body::Alphanumeric, 32),
            near(&["segment"], Body::Dotted, 87),
    ]),
    token("fullstory-key", "a FullStory key",
        "FullStory documentation; trufflehog `fullstory`", &[
            at_least("na1.", Body::Base64, 60), at_least("eu1.", Body::Base64, 60),
            near(&["fullstory"], Body::Base64, 88),
    ]),
    token("logrocket-key", "a LogRocket key",
        "the providers' documentation", &[
            near_between(&["logrocket"], Body::Alphanumeric, 16, 60),
    ]),
    token("optimizely-key", "an Optimizely token",
        "Optimizely documentation; trufflehog `optimizely`", &[
            at_least("2:", Body::Base64Url, 50), near(&["optimizely"], Body::Base64Url, 54),
    ]),
    token("thousandeyes-key", "a ThousandEyes token",
        "ThousandEyes documentation; trufflehog `thousandeyes`", &[
            near(&["thousandeyes"], Body::Alphanumeric, 32),
            near(&["thousandeyes"], Body::HexDash, 36),
    ]),
    token("lightstep-key", "a Lightstep or Cribl token",
        "the providers' documentation", &[
            near_between(&["lightstep"], Body::Base64, 80, 120),
            near(&["cribl"], Body::Alphanumeric, 32),
    ]),
    token("signoz-key", "a SigNoz or HyperDX key",
        "the providers' documentation", &[
            near(&["signoz"], Body::HexDash, 36), near(&["signoz"], Body::Base64, 44),
            near(&["hyperdx"], Body::HexDash, 36),
    ]),
    token("jumpcloud-key", "a JumpCloud key",
        "JumpCloud documentation; trufflehog `jumpcloud`", &[
            exactly("jca_", Body::Alphanumeric, 36), near(&["jumpcloud"], Body::Alphanumeric, 40),
    ]),
    token("crowdstrike-key", "a CrowdStrike or SentinelOne key",
        "the providers' documentation", &[
            near(&["crowdstrike", "falcon"], Body::Alphanumeric, 40),
            near(&["crowdstrike", "falcon"], Body::LowerHex, 32),
            near(&["sentinelone"], Body::Alphanumeric, 80),
    ]),
    token("tenable-key", "a Tenable or Rapid7 key",
        "the providers' documentation", &[
            near(&["tenable", "nessus"], Body::LowerHex, 64),
            near(&["rapid7", "insightvm"], Body::HexDash, 36),
    ]),
    token("wiz-key", "a Wiz or Lacework key",
        "the providers' documentation", &[
            near(&["wiz"], Body::Alphanumeric, 53), near(&["wiz"], Body::Alphanumeric, 64),
            at_least("LWINT", Body::LowerHex, 40),
    ]),
    token("shodan-key", "a Shodan, Censys, VirusTotal or other threat intelligence key",
        "the providers' documentation; trufflehog `shodankey`", &[
            at_least("censys_", Body::Word, 24), near(&["shodan"], Body::Alphanumeric, 32),
            near(&["censys"], Body::Alphanumeric, 32),
            near(&["virustotal", "vt"], Body::LowerHex, 64),
            near(&["securitytrails"], Body::Alphanumeric, 32),
            near(&["urlscan"], Body::HexDash, 36), near(&["abuseipdb"], Body::LowerNum, 80),
            near(&["greynoise"], Body::Alphanumeric, 64),
            near(&["alienvault", "otx"], Body::LowerNum, 64),
            near(&["hunter"], Body::LowerHex, 40),
    ]),
    token("meraki-key", "a Cisco Meraki key",
        "Cisco Meraki documentation; gitleaks `cisco-meraki-api-key`", &[
            near(&["meraki"], Body::LowerHex, 40),
    ]),
];
