//! Other services.

use super::{
    Body, Format, Part, TokenRule, after, at_least, between, exactly, infix, near, near_between,
    part, run, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("linear-key", "a Linear API key",
        "Linear documentation; gitleaks `linear-api-key`", &[
            exactly("lin_api_", Body::Alphanumeric, 40),
            at_least("lin_oauth_", Body::Alphanumeric, 40),
            at_least("lin_wh_", Body::Alphanumeric, 30), near(&["linear"], Body::LowerHex, 32),
    ]),
    token("notion-token", "a Notion integration's token",
        "Notion documentation; gitleaks `notion-api-token`", &[
            at_least("ntn_", Body::Alphanumeric, 40), exactly("secret_", Body::Alphanumeric, 43),
    ]),
    token("asana-token", "an Asana token",
        "Asana documentation, personal access tokens; trufflehog `asanapersonalaccesstoken`", &[
            Format::Shape(&[part(Body::Digits, 1, 1), Part::Sign(b'/'), part(Body::Digits, 13, 20), Part::Sign(b':'), part(Body::LowerHex, 32, 32)]),
            Format::Shape(&[part(Body::Digits, 1, 1), Part::Sign(b'/'), part(Body::Digits, 13, 20), Part::Sign(b'/'), part(Body::Digits, 13, 20), Part::Sign(b':'), part(Body::LowerHex, 32, 32)]),
            near(&["asana"], Body::LowerHex, 32),
    ]),
    token("airtable-token", "an Airtable token",
        "Airtable documentation; gitleaks `airtable-personnal-access-token`", &[
            between("pat", Body::Dotted, 75, 90), at_least("oaa", Body::Dotted, 100),
            after("airtable.com/workflows/", Body::Path, 30),
            near(&["airtable"], Body::Alphanumeric, 17),
    ]),
    token("figma-token", "a Figma token",
        "Figma developer documentation; trufflehog `figmapersonalaccesstoken`", &[
            at_least("figd_", Body::Base64Url, 38), at_least("figu_", Body::Base64Url, 38),
            at_least("figor_", Body::Base64Url, 38), at_least("figoh_", Body::Base64Url, 38),
            at_least("figur_", Body::Base64Url, 38), at_least("figuh_", Body::Base64Url, 38),
            at_least("figo_", Body::Base64Url, 38), at_least("figp_", Body::Token, 38),
            Format::Shape(&[part(Body::Digits, 4, 6), Part::Sign(b'-'), part(Body::HexDash, 36, 36)]),
    ]),
    token("trello-key", "a Trello key or token",
        "Trello documentation; GitHub secret scanning", &[
            at_least("ATTA", Body::Alphanumeric, 64), near(&["trello"], Body::LowerHex, 32),
            near(&["trello"], Body::LowerHex, 64),
    ]),
    token("clickup-token", "a ClickUp token",
        "ClickUp documentation; trufflehog `clickuppersonaltoken`", &[
            between("pk_", Body::UpperWord, 38, 44),
    ]),
    token("smartsheet-token", "a Smartsheet, Todoist, Toggl or Clockify token",
        "the providers' documentation; trufflehog `smartsheets`", &[
            near(&["smartsheet", "smartsheets"], Body::Alphanumeric, 37),
            near(&["smartsheet", "smartsheets"], Body::Alphanumeric, 26),
            near(&["todoist"], Body::LowerHex, 40), near(&["toggl"], Body::LowerHex, 32),
            near(&["clockify"], Body::Alphanumeric, 48),
    ]),
    token("shortcut-token", "a Shortcut or Coda token",
        "the providers' documentation; trufflehog `shortcut`", &[
            near(&["shortcut", "clubhouse"], Body::HexDash, 36),
            near(&["coda"], Body::HexDash, 36), between("secret_", Body::LowerNum, 30, 50),
    ]),
    token("miro-token", "a Miro token",
        "Miro documentation; trufflehog `miro`", &[
            at_least("eyJtaXJvLm9yaWdpbiI6", Body::Base64Url, 27),
            near(&["miro"], Body::Base64Url, 27),
    ]),
    token("canva-secret", "a Canva secret or token",
        "Canva documentation, authentication; GitHub secret scanning", &[
            at_least("cnvca", Body::Token, 40), at_least("cnvat", Body::Token, 40),
    ]),
    token("adobe-secret", "an Adobe secret or token",
        "Adobe documentation; gitleaks `adobe-client-secret`", &[
            at_least("p8e-", Body::Base64Url, 30), at_least("s8e-", Body::Base64Url, 30),
            near(&["adobe"], Body::LowerHex, 32),
    ]),
    token("frameio-token", "a Frame.io token",
        "Frame.io documentation; gitleaks `frameio-api-token`", &[
            at_least("fio-u-", Body::Token, 60),
    ]),
    token("contentful-token", "a Contentful token",
        "Contentful documentation; gitleaks `contentful-delivery-api-token`", &[
            exactly("CFPAT-", Body::Base64Url, 43), near(&["contentful"], Body::Base64Url, 43),
    ]),
    token("contentstack-token", "a Contentstack, Sanity, ButterCMS, Storyblok or Kontent.ai token",
        "the providers' documentation; trufflehog `sanity`; GitHub secret scanning", &[
            exactly("cs", Body::LowerHex, 40), exactly("sk", Body::Alphanumeric, 79),
            exactly("sk", Body::Alphanumeric, 178), exactly("skI", Body::Alphanumeric, 77),
            near_between(&["contentstack"], Body::LowerHex, 20, 40),
            near_between(&["sanity"], Body::Alphanumeric, 80, 200),
            near(&["buttercms"], Body::LowerHex, 40),
            near(&["storyblok"], Body::Alphanumeric, 24),
            near_between(&["kontent", "kentico"], Body::Dotted, 100, 390),
    ]),
    token("ghost-key", "a Ghost admin key",
        "Ghost documentation, token authentication", &[
            Format::Shape(&[part(Body::LowerHex, 24, 24), Part::Sign(b':'), part(Body::LowerHex, 64, 64)]),
    ]),
    token("wordpress-password", "a WordPress application password",
        "WordPress documentation, application passwords", &[
            Format::Shape(&[part(Body::Alphanumeric, 4, 4), Part::Sign(b' '), part(Body::Alphanumeric, 4, 4), Part::Sign(b' '), part(Body::Alphanumeric, 4, 4), Part::Sign(b' '), part(Body::Alphanumeric, 4, 4), Part::Sign(b' '), part(Body::Alphanumeric, 4, 4), Part::Sign(b' '), part(Body::Alphanumeric, 4, 4)]),
    ]),
    token("webflow-token", "a Webflow token",
        "Webflow documentation; trufflehog `webflow`", &[
            exactly("ws-", Body::LowerHex, 64), near(&["webflow"], Body::LowerHex, 64),
    ]),
    token("discourse-key", "a Discourse API key",
        "Discourse documentation, API", &[
            near(&["discourse"], Body::LowerHex, 64),
    ]),
    token("typeform-token", "a Typeform token",
        "Typeform documentation; gitleaks `typeform-api-token`", &[
            at_least("tfp_", Body::Dotted, 40), near(&["typeform"], Body::Alphanumeric, 44),
    ]),
    token("hubspot-token", "a HubSpot token or key",
        "HubSpot documentation; GitHub secret scanning; trufflehog `hubspot_apikey`", &[
            exactly("pat-na1-", Body::HexDash, 36), exactly("pat-na2-", Body::HexDash, 36),
            exactly("pat-na3-", Body::HexDash, 36), exactly("pat-eu1-", Body::HexDash, 36),
            exactly("pat-ap1-", Body::HexDash, 36), exactly("na1-", Body::HexDash, 36),
            exactly("eu1-", Body::HexDash, 36), exactly("na2-", Body::HexDash, 36),
            near(&["hubspot", "hapikey", "hubapi"], Body::HexDash, 36),
    ]),
    token("salesforce-token", "a Salesforce token",
        "Salesforce documentation; trufflehog `salesforce`", &[
            Format::Shape(&[part(Body::Alphanumeric, 15, 18), Part::Sign(b'!'), part(Body::Dotted, 60, 160)]),
            at_least("5Aep861", Body::Dotted, 60), at_least("3MVG9", Body::DottedToken, 60),
            near(&["salesforce", "sfdc", "sfdx"], Body::UpperNum, 64),
            near_between(&["salesforce", "sfdc", "sfdx"], Body::Alphanumeric, 24, 25),
    ]),
    token("zendesk-token", "a Zendesk token",
        "Zendesk documentation; gitleaks `zendesk-secret-key`", &[
            near(&["zendesk"], Body::Alphanumeric, 40), near(&["zendesk"], Body::LowerHex, 64),
    ]),
    token("freshworks-key", "a Freshdesk or Freshservice key",
        "Freshworks documentation; trufflehog `freshdesk`", &[
            near_between(&["freshdesk", "freshservice", "freshsales", "freshworks", "freshchat"], Body::Base64Url, 19, 22),
    ]),
    token("zoho-token", "a Zoho token",
        "Zoho documentation, OAuth; kingfisher", &[
            exactly("1000.", Body::LowerNumDot, 65),
    ]),
    token("dropbox-token", "a Dropbox token or secret",
        "Dropbox documentation; gitleaks `dropbox-short-lived-api-token`", &[
            at_least("sl.", Body::Dotted, 100),
            infix(run(Body::Base64Url, 11, 11), "AAAAAAAAAA", run(Body::Base64Url, 40, 50)),
            near(&["dropbox"], Body::LowerNum, 15),
    ]),
    token("box-secret", "a Box client secret or token",
        "Box documentation; trufflehog `boxoauth`", &[
            near(&["box", "boxappsettings"], Body::Alphanumeric, 32),
    ]),
    token("okta-token", "an Okta token",
        "Okta documentation; gitleaks `okta-access-token`", &[
            near(&["okta", "ssws"], Body::Base64Url, 42), near(&["okta"], Body::Base64Url, 64),
    ]),
    token("auth0-secret", "an Auth0 secret or token",
        "Auth0 documentation; trufflehog `auth0oauth`", &[
            between("v1.M", Body::Base64Url, 40, 90), near(&["auth0"], Body::Base64Url, 64),
    ]),
    token("onelogin-secret", "a OneLogin or Duo secret",
        "the providers' documentation; trufflehog `onelogin`, `duo`", &[
            near(&["onelogin"], Body::LowerHex, 64),
            near(&["duo", "duosecurity"], Body::Alphanumeric, 40),
    ]),
    token("workos-key", "a WorkOS key",
        "WorkOS documentation; GitHub secret scanning", &[
            at_least("sk_live_", Body::Word, 30), at_least("sk_test_a2V5", Body::Word, 20),
    ]),
    token("clerk-key", "a Clerk secret key",
        "Clerk documentation; GitHub secret scanning", &[
            at_least("sk_live_", Body::Alphanumeric, 40), between("ak_", Body::LowerNum, 30, 40),
    ]),
    token("stytch-secret", "a Stytch secret",
        "the providers' documentation; trufflehog `stytch`", &[
            at_least("secret-live-", Body::Token, 30), at_least("secret-test-", Body::Token, 30),
            near(&["stytch"], Body::Base64, 48),
    ]),
    token("hasura-key", "a Hasura or Directus secret",
        "the providers' documentation; trufflehog `hasura`", &[
            near(&["hasura"], Body::Alphanumeric, 64), near(&["directus"], Body::Base64Url, 32),
    ]),
    token("algolia-key", "an Algolia key",
        "Algolia documentation; gitleaks `algolia-api-key`", &[
            near(&["algolia", "docsearch"], Body::LowerHex, 32),
            near(&["algolia", "docsearch"], Body::Alphanumeric, 32),
    ]),
    token("meilisearch-key", "a Meilisearch, Typesense or Elastic App Search key",
        "the providers' documentation; GitHub secret scanning", &[
            exactly("private-", Body::LowerNum, 24), exactly("search-", Body::LowerNum, 24),
            near(&["meilisearch", "meili"], Body::LowerHex, 64),
            near(&["typesense"], Body::Alphanumeric, 32),
    ]),
    token("mapbox-token", "a Mapbox secret token",
        "Mapbox documentation, access tokens; GitHub secret scanning", &[
            at_least("sk.eyJ", Body::Dotted, 60), at_least("tk.eyJ", Body::Dotted, 60),
    ]),
    token("maps-key", "a key of HERE, TomTom, MapTiler, LocationIQ or MapQuest",
        "the providers' documentation; trufflehog `tomtom`", &[
            near(&["hereapi", "heremaps"], Body::Base64Url, 43),
            near(&["tomtom"], Body::Alphanumeric, 32),
            near(&["maptiler"], Body::Alphanumeric, 20), exactly("pk.", Body::LowerHex, 32),
            near(&["mapquest"], Body::Alphanumeric, 32),
            near(&["openweather", "openweathermap", "owm", "pyowm", "appid"], Body::LowerHex, 32),
            near(&["geoapify", "geocode", "opencage"], Body::LowerHex, 32),
            near_between(&["radar"], Body::Word, 40, 60),
            exactly("prj_live_sk_", Body::LowerHex, 40),
            exactly("prj_test_sk_", Body::LowerHex, 40), at_least("AAPK", Body::Base64Url, 60),
            at_least("AAPT", Body::Dotted, 60),
    ]),
    token("maxmind-key", "a MaxMind licence key",
        "MaxMind documentation; gitleaks `maxmind-license-key`", &[
            infix(run(Body::Word, 36, 36), "_mmk", run(Body::Word, 0, 0)),
            near(&["maxmind"], Body::Alphanumeric, 16),
    ]),
    token("docusign-key", "a DocuSign, PandaDoc or Dropbox Sign key",
        "the providers' documentation; trufflehog `pandadoc`", &[
            near(&["docusign"], Body::HexDash, 36), near(&["pandadoc"], Body::Alphanumeric, 40),
            near(&["hellosign", "dropboxsign"], Body::LowerHex, 64),
    ]),
    token("bitly-token", "a Bitly, Rebrandly or Short.io key",
        "the providers' documentation; trufflehog `bitlyaccesstoken`", &[
            near(&["bitly"], Body::LowerHex, 40), near(&["rebrandly"], Body::LowerHex, 32),
            exactly("dub_", Body::Alphanumeric, 24),
    ]),
    token("calcom-key", "a Cal.com key",
        "Cal.com documentation, API keys; trufflehog `calendlyapikey`", &[
            exactly("cal_live_", Body::LowerHex, 32), exactly("cal_test_", Body::LowerHex, 32),
            exactly("cal_", Body::LowerHex, 32),
    ]),
    token("n8n-key", "an n8n, Pipedream or Workato key",
        "the providers' documentation; trufflehog `pipedream`", &[
            at_least("n8n_api_", Body::Dotted, 40), at_least("pd_", Body::Alphanumeric, 30),
            at_least("wrkaus-", Body::Dotted, 30), at_least("wrkeu-", Body::Dotted, 30),
            at_least("wrkus-", Body::Dotted, 30), near(&["pipedream"], Body::LowerHex, 32),
    ]),
    token("retool-key", "a Retool key",
        "the providers' documentation", &[
            at_least("retool_", Body::Word, 24), at_least("retool_wk_", Body::Word, 24),
    ]),
    token("rapidapi-key", "a RapidAPI key",
        "RapidAPI documentation; gitleaks `rapidapi-access-token`", &[
            near(&["rapidapi"], Body::Base64Url, 50),
    ]),
    token("adafruit-key", "an Adafruit IO key",
        "Adafruit IO documentation; trufflehog `adafruitio`", &[
            exactly("aio_", Body::Alphanumeric, 28),
    ]),
    token("iot-token", "a token of Ubidots, Blynk, Particle or ThingSpeak",
        "the providers' documentation; trufflehog `ubidots`", &[
            exactly("BBFF-", Body::Alphanumeric, 30), exactly("BBUS-", Body::Alphanumeric, 30),
            exactly("oa2-client-id_", Body::Base64Url, 32),
            near(&["particle"], Body::LowerHex, 40), near(&["blynk"], Body::Base64Url, 32),
            near(&["thingspeak"], Body::UpperNum, 16),
    ]),
    token("switchbot-token", "a SwitchBot or Tuya token",
        "the providers' documentation", &[
            near(&["switchbot"], Body::LowerHex, 96), near(&["tuya"], Body::LowerHex, 32),
    ]),
    token("truenas-key", "a TrueNAS API key",
        "TrueNAS documentation; kingfisher", &[
            Format::Shape(&[part(Body::Digits, 1, 4), Part::Sign(b'-'), part(Body::Alphanumeric, 64, 64)]),
    ]),
    token("proxmox-token", "a Proxmox token or Portainer token",
        "Proxmox VE documentation, API tokens; trufflehog `portainertoken`", &[
            at_least("ptr_", Body::Token, 20), after("PVEAPIToken=", Body::Proxmox, 40),
            after("PBSAPIToken=", Body::Proxmox, 40),
    ]),
    token("beamer-token", "a Beamer or Canny key",
        "the providers' documentation; gitleaks `beamer-api-token`", &[
            between("b_", Body::Token, 44, 46), near(&["canny"], Body::HexDash, 36),
    ]),
    token("finnhub-key", "a financial or news data key",
        "the providers' documentation; gitleaks `finnhub-access-token`", &[
            near(&["finnhub"], Body::LowerNum, 20), near(&["polygonio"], Body::Alphanumeric, 32),
            near(&["newsapi"], Body::LowerHex, 32), near(&["nytimes"], Body::Alphanumeric, 32),
            near(&["tiingo"], Body::LowerHex, 40), near(&["alphavantage"], Body::UpperNum, 16),
    ]),
    token("yelp-key", "a Yelp, Foursquare or Uber key",
        "the providers' documentation; trufflehog `yelp`", &[
            at_least("fsq3", Body::Base64, 40), near(&["yelp"], Body::Base64Url, 128),
            near(&["foursquare"], Body::UpperNum, 48), near(&["uber"], Body::Token, 40),
    ]),
    token("samsara-key", "a Samsara or Onfleet key",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("samsara_api_", Body::Alphanumeric, 20),
            near(&["onfleet"], Body::LowerHex, 32),
    ]),
    token("bamboohr-key", "a BambooHR, Gusto or Lattice key",
        "the providers' documentation", &[
            near(&["bamboohr"], Body::LowerHex, 40), near(&["gusto"], Body::Base64Url, 43),
            at_least("lattice_", Body::Alphanumeric, 20),
    ]),
    token("persona-key", "a Persona, Onfido or Sumsub key",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("persona_production_", Body::Word, 24),
            at_least("persona_sandbox_", Body::Word, 24), at_least("api_live.", Body::Dotted, 20),
            at_least("api_live_eu.", Body::Dotted, 20),
            at_least("api_live_us.", Body::Dotted, 20),
            at_least("api_live_ca.", Body::Dotted, 20),
            at_least("api_sandbox.", Body::Dotted, 20), at_least("sbx:", Body::Dotted, 50),
            at_least("prd:", Body::Dotted, 50),
    ]),
    token("nightfall-key", "a Nightfall or Evervault key",
        "the providers' documentation; trufflehog `nightfall`", &[
            exactly("NF-", Body::Alphanumeric, 32), at_least("ev:", Body::Alphanumeric, 60),
    ]),
    token("close-key", "a Close, Pipedrive or Attio key",
        "the providers' documentation; trufflehog `closecrm`", &[
            exactly("api_", Body::AlphanumericDot, 45), near(&["pipedrive"], Body::LowerHex, 40),
            near(&["attio"], Body::Alphanumeric, 64),
    ]),
    token("census-key", "a Census, Hightouch or RudderStack key",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("secret-token:census_", Body::Word, 20),
            near(&["hightouch"], Body::HexDash, 36),
            near(&["rudderstack"], Body::Alphanumeric, 27),
    ]),
    token("metabase-key", "a Metabase, Tableau or Looker key",
        "the providers' documentation; trufflehog `metabase`, `tableau`", &[
            at_least("mb_", Body::Base64, 40),
            infix(run(Body::Base64, 20, 22), "==:", run(Body::Base64, 32, 32)),
            near(&["metabase"], Body::HexDash, 36), near(&["looker"], Body::Alphanumeric, 24),
    ]),
    token("ionic-token", "an Ionic token",
        "Ionic documentation; kingfisher", &[
            exactly("ion_", Body::LowerNum, 42),
    ]),
    token("expo-token", "an Expo token",
        "Expo documentation, access tokens", &[
            exactly("ExponentPushToken[", Body::Base64Url, 22),
            near(&["expo"], Body::Base64Url, 40),
    ]),
    token("appcenter-token", "an App Center token",
        "App Center documentation", &[
            near(&["appcenter"], Body::LowerHex, 40),
    ]),
    token("keygen-token", "a Keygen token",
        "the providers' documentation; GitHub secret scanning", &[
            at_least("activ-", Body::Alphanumeric, 30), exactly("prod-", Body::LowerHex, 64),
            at_least("admin-", Body::Alphanumeric, 30), exactly("user-", Body::LowerHex, 64),
            exactly("key-", Body::LowerHex, 64),
    ]),
    token("lichess-token", "a Lichess token",
        "Lichess API; GitHub secret scanning", &[
            exactly("lip_", Body::Alphanumeric, 20), at_least("lio_", Body::Alphanumeric, 20),
    ]),
    token("riot-key", "a Riot, Roblox or Steam key",
        "the providers' documentation; GitHub secret scanning", &[
            exactly("RGAPI-", Body::HexDash, 36), at_least("rbx-", Body::Base64Url, 40),
            after("ROBLOSECURITY=_", Body::Url, 100), near(&["steam"], Body::UpperNum, 32),
    ]),
    token("bunq-key", "a bunq key",
        "the providers' documentation", &[
            near(&["bunq"], Body::LowerHex, 64),
    ]),
    token("thinkific-key", "a Thinkific key",
        "the providers' documentation", &[
            near(&["thinkific"], Body::LowerHex, 32),
    ]),
    token("fleetbase-key", "a Fleetbase key",
        "trufflehog `fleetbase`", &[
            exactly("flb_live_", Body::Alphanumeric, 20),
    ]),
    token("bannerbear-key", "a Bannerbear key",
        "the providers' documentation; trufflehog `bannerbear`", &[
            exactly("bb_pr_", Body::LowerHex, 30), exactly("bb_ma_", Body::LowerHex, 30),
            near(&["bannerbear"], Body::Alphanumeric, 24),
    ]),
    token("imagekit-key", "an ImageKit or Uploadcare key",
        "the providers' documentation; trufflehog `imagekit`", &[
            between("private_", Body::Token, 27, 28), near(&["imagekit"], Body::Token, 36),
            near(&["uploadcare"], Body::LowerHex, 20),
    ]),
    token("mux-secret", "a Mux, Wistia or Vimeo token",
        "the providers' documentation; trufflehog `mux`", &[
            near(&["mux"], Body::Token, 75), near(&["wistia"], Body::LowerHex, 64),
            near(&["vimeo"], Body::LowerHex, 32),
    ]),
    token("scrapfly-key", "a key of a scraping service",
        "the services' documentation; trufflehog `scrapfly`", &[
            exactly("scp-live-", Body::LowerHex, 32), exactly("scp-test-", Body::LowerHex, 32),
            at_least("brd.", Body::Dotted, 20), near(&["scrapingbee"], Body::UpperNum, 80),
            near(&["zenrows"], Body::LowerHex, 40), near(&["scraperapi"], Body::LowerHex, 32),
    ]),
    token("dfuse-key", "a dfuse key",
        "trufflehog `dfuse`", &[
            exactly("web_", Body::LowerHex, 32),
    ]),
    token("nylas-key", "a Nylas key",
        "Nylas documentation; trufflehog `nylas`", &[
            at_least("nyk_v0_", Body::Alphanumeric, 30), near(&["nylas"], Body::Alphanumeric, 30),
    ]),
];
