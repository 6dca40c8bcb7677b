//! Credentials with a known prefix, followed by a run of characters of one alphabet and of a
//! known length.
//!
//! Each check has a constant cost: it compares the prefix and counts the run. A run that is too
//! short costs only its length, and a run that is long enough is masked and not read again.

use std::sync::LazyLock;

use crate::rules::RuleInfo;
use crate::text::Text;

/// A rule that finds credentials with known prefixes.
#[derive(Debug)]
pub(crate) struct TokenRule {
    pub(crate) info: RuleInfo,
    formats: &'static [Format],
}

/// A prefix, and the characters after it.
#[derive(Debug)]
struct Format {
    prefix: &'static str,
    body: Body,
    least: usize,
    most: usize,
}

/// The class of the characters after the prefix.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// `A` to `Z` and `2` to `7`, as in AWS ids.
    Base32,
    LowerHex,
    Hex,
    /// The characters of a UUID.
    HexDash,
    Alphanumeric,
    /// Letters, digits, underscores.
    Word,
    Base64Url,
    /// Base64url with dots between its parts.
    Dotted,
    /// Base64 with padding.
    Base64,
    /// Base64 and base64url.
    Token,
    /// The parts of a URL's path.
    Path,
    /// Letters and digits with `$` between the parts.
    Dollar,
}

impl Body {
    fn contains(self, byte: u8) -> bool {
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::LowerHex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::HexDash => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Token => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
            }
            Self::Path => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/'),
            Self::Dollar => byte.is_ascii_alphanumeric() || byte == b'$',
        }
    }
}

const fn token(
    name: &'static str,
    finds: &'static str,
    source: &'static str,
    formats: &'static [Format],
) -> TokenRule {
    TokenRule {
        info: RuleInfo {
            name,
            finds,
            source,
        },
        formats,
    }
}

const fn between(prefix: &'static str, body: Body, least: usize, most: usize) -> Format {
    Format {
        prefix,
        body,
        least,
        most,
    }
}

const fn exactly(prefix: &'static str, body: Body, length: usize) -> Format {
    between(prefix, body, length, length)
}

/// A format without a maximum length: some providers have made their tokens longer in the
/// past, so the whole run belongs to the token.
const fn at_least(prefix: &'static str, body: Body, least: usize) -> Format {
    between(prefix, body, least, usize::MAX)
}

/// All known formats, by rule.
#[rustfmt::skip]
pub(crate) const TOKENS: &[TokenRule] = &[
    token("flowtrail-token", "a Flowtrail token: `sdk_…`", "Flowtrail, `shared/team/src/auth.rs`", &[exactly("sdk_", Body::Base64Url, 64),]),
    token("aws-access-key", "an AWS access key id", "AWS IAM guide, unique identifiers; gitleaks `aws-access-token`", &[exactly("AKIA", Body::Base32, 16), exactly("ASIA", Body::Base32, 16), exactly("ABIA", Body::Base32, 16), exactly("ACCA", Body::Base32, 16),]),
    token("aws-session-token", "a session token of AWS STS", "AWS STS API, Credentials; trufflehog `awssessionkeys`", &[at_least("IQoJb3JpZ2luX2", Body::Base64, 80), at_least("FwoGZXIvYXdz", Body::Base64, 80), at_least("FQoGZXIvYXdz", Body::Base64, 80),]),
    token("gcp-api-key", "a Google API key", "Google Cloud documentation, API keys; gitleaks `gcp-api-key`", &[exactly("AIza", Body::Base64Url, 35),]),
    token("google-oauth", "a Google OAuth access token, refresh token or client secret", "Google Identity documentation; trufflehog `googleoauth2`", &[at_least("ya29.", Body::Base64Url, 30), at_least("1//0", Body::Base64Url, 30), exactly("GOCSPX-", Body::Base64Url, 28),]),
    token("github-token", "a GitHub token: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`", "GitHub documentation, about authentication; gitleaks `github-pat`", &[at_least("github_pat_", Body::Word, 40), at_least("ghp_", Body::Alphanumeric, 30), at_least("gho_", Body::Alphanumeric, 30), at_least("ghu_", Body::Alphanumeric, 30), at_least("ghs_", Body::Alphanumeric, 30), at_least("ghr_", Body::Alphanumeric, 30),]),
    token("gitlab-token", "a GitLab token: `glpat-` and similar prefixes", "GitLab documentation, token overview; gitleaks `gitlab-pat`", &[at_least("glpat-", Body::Dotted, 20), at_least("gldt-", Body::Dotted, 20), at_least("glrt-", Body::Dotted, 20), at_least("glptt-", Body::Dotted, 20), at_least("glcbt-", Body::Dotted, 20), at_least("glft-", Body::Dotted, 20), at_least("glimt-", Body::Dotted, 20), at_least("glagent-", Body::Dotted, 20), at_least("gloas-", Body::Dotted, 20), at_least("glsoat-", Body::Dotted, 20), at_least("glffct-", Body::Dotted, 20),]),
    token("slack-token", "a Slack token: `xoxb-` and similar prefixes, `xapp-`", "Slack documentation, token types; gitleaks `slack-bot-token`", &[at_least("xoxb-", Body::Base64Url, 20), at_least("xoxp-", Body::Base64Url, 20), at_least("xoxa-", Body::Base64Url, 20), at_least("xoxr-", Body::Base64Url, 20), at_least("xoxs-", Body::Base64Url, 20), at_least("xoxo-", Body::Base64Url, 20), at_least("xoxc-", Body::Base64Url, 20), at_least("xoxd-", Body::Base64Url, 20), at_least("xoxe-", Body::Base64Url, 20), at_least("xoxe.xoxp-", Body::Base64Url, 20), at_least("xoxe.xoxb-", Body::Base64Url, 20), at_least("xapp-", Body::Base64Url, 20),]),
    token("slack-webhook", "a Slack webhook's path", "Slack documentation, incoming webhooks; gitleaks `slack-webhook-url`", &[at_least("hooks.slack.com/services/", Body::Path, 36), at_least("hooks.slack.com/workflows/", Body::Path, 36), at_least("hooks.slack.com/triggers/", Body::Path, 30),]),
    token("discord-webhook", "a Discord webhook's path", "Discord developer documentation, webhooks", &[at_least("discord.com/api/webhooks/", Body::Path, 60), at_least("discordapp.com/api/webhooks/", Body::Path, 60),]),
    token("stripe-key", "a Stripe secret key, restricted key or webhook secret", "Stripe documentation, API keys; gitleaks `stripe-access-token`", &[at_least("sk_live_", Body::Alphanumeric, 16), at_least("sk_test_", Body::Alphanumeric, 16), at_least("sk_prod_", Body::Alphanumeric, 16), at_least("rk_live_", Body::Alphanumeric, 16), at_least("rk_test_", Body::Alphanumeric, 16), at_least("rk_prod_", Body::Alphanumeric, 16), at_least("sk_org_live_", Body::Alphanumeric, 16), at_least("sk_org_test_", Body::Alphanumeric, 16), at_least("whsec_", Body::Base64, 24),]),
    token("twilio-key", "a Twilio API key: `SK` and 32 hex digits", "Twilio documentation, API keys; gitleaks `twilio-api-key`", &[exactly("SK", Body::LowerHex, 32),]),
    token("sendgrid-key", "a SendGrid API key", "SendGrid documentation, API keys; gitleaks `sendgrid-api-token`", &[at_least("SG.", Body::Dotted, 50),]),
    token("mailgun-key", "a Mailgun API key", "Mailgun documentation; gitleaks `mailgun-private-api-token`", &[exactly("key-", Body::LowerHex, 32),]),
    token("brevo-key", "a Brevo API or SMTP key", "Brevo documentation; gitleaks `sendinblue-api-token`", &[at_least("xkeysib-", Body::Base64Url, 64), at_least("xsmtpsib-", Body::Base64Url, 64),]),
    token("npm-token", "an npm access token", "npm documentation, access tokens; gitleaks `npm-access-token`", &[exactly("npm_", Body::Alphanumeric, 36),]),
    token("pypi-token", "a PyPI upload token", "PyPI help; gitleaks `pypi-upload-token`", &[at_least("pypi-AgE", Body::Base64Url, 50),]),
    token("rubygems-key", "a RubyGems API key", "RubyGems guides; gitleaks `rubygems-api-token`", &[exactly("rubygems_", Body::LowerHex, 48),]),
    token("crates-io-token", "a crates.io token", "crates.io, `src/util/token.rs`", &[exactly("cio", Body::Alphanumeric, 32),]),
    token("docker-token", "a Docker Hub token", "Docker documentation, access tokens", &[at_least("dckr_pat_", Body::Base64Url, 20), at_least("dckr_oat_", Body::Base64Url, 20),]),
    token("digitalocean-token", "a DigitalOcean token", "DigitalOcean API; gitleaks `digitalocean-pat`", &[exactly("dop_v1_", Body::LowerHex, 64), exactly("doo_v1_", Body::LowerHex, 64), exactly("dor_v1_", Body::LowerHex, 64),]),
    token("shopify-token", "a Shopify token", "Shopify documentation, access tokens; gitleaks `shopify-access-token`", &[exactly("shpat_", Body::Hex, 32), exactly("shpca_", Body::Hex, 32), exactly("shppa_", Body::Hex, 32), exactly("shpss_", Body::Hex, 32),]),
    token("openai-key", "an OpenAI API key", "OpenAI documentation, API keys; gitleaks `openai-api-key`", &[at_least("sk-proj-", Body::Base64Url, 40), at_least("sk-svcacct-", Body::Base64Url, 40), at_least("sk-admin-", Body::Base64Url, 40), at_least("sk-", Body::Alphanumeric, 40),]),
    token("anthropic-key", "an Anthropic API key", "Anthropic documentation, API keys; gitleaks `anthropic-api-key`", &[at_least("sk-ant-", Body::Base64Url, 40),]),
    token("openrouter-key", "an OpenRouter API key", "OpenRouter documentation", &[exactly("sk-or-v1-", Body::LowerHex, 64),]),
    token("groq-key", "a Groq API key", "Groq documentation; trufflehog `groq`", &[at_least("gsk_", Body::Alphanumeric, 48),]),
    token("perplexity-key", "a Perplexity API key", "Perplexity documentation; gitleaks `perplexity-api-key`", &[at_least("pplx-", Body::Alphanumeric, 40),]),
    token("xai-key", "an xAI API key", "xAI documentation", &[at_least("xai-", Body::Alphanumeric, 70),]),
    token("replicate-token", "a Replicate token", "Replicate documentation", &[exactly("r8_", Body::Alphanumeric, 37),]),
    token("huggingface-token", "a Hugging Face token", "Hugging Face documentation, user access tokens; gitleaks `huggingface-access-token`", &[at_least("hf_", Body::Alphanumeric, 34), exactly("api_org_", Body::Alphanumeric, 34),]),
    token("new-relic-key", "a New Relic key", "New Relic documentation, API keys; gitleaks `new-relic-user-api-key`", &[exactly("NRAK-", Body::Alphanumeric, 27), exactly("NRII-", Body::Base64Url, 32), exactly("NRJS-", Body::LowerHex, 19),]),
    token("heroku-key", "a Heroku API key", "Heroku documentation; gitleaks `heroku-api-key-v2`", &[at_least("HRKU-", Body::Base64Url, 36),]),
    token("vault-token", "a HashiCorp Vault token", "Vault documentation, tokens; gitleaks `vault-service-token`", &[at_least("hvs.", Body::Base64Url, 24), at_least("hvb.", Body::Base64Url, 24), at_least("hvr.", Body::Base64Url, 24),]),
    token("databricks-token", "a Databricks token", "Databricks documentation; gitleaks `databricks-api-token`", &[exactly("dapi", Body::LowerHex, 32),]),
    token("atlassian-token", "an Atlassian or Bitbucket token", "Atlassian documentation, API tokens; gitleaks `atlassian-api-token`", &[at_least("ATATT3", Body::Token, 24), at_least("ATCTT3", Body::Token, 24), at_least("ATSTT3", Body::Token, 24), at_least("ATBB", Body::Token, 24),]),
    token("linear-key", "a Linear API key", "Linear documentation; gitleaks `linear-api-key`", &[exactly("lin_api_", Body::Alphanumeric, 40), at_least("lin_oauth_", Body::Alphanumeric, 40),]),
    token("notion-token", "a Notion integration's token", "Notion documentation; gitleaks `notion-api-token`", &[at_least("ntn_", Body::Alphanumeric, 40), exactly("secret_", Body::Alphanumeric, 43),]),
    token("square-token", "a Square token or secret", "Square documentation, access tokens; gitleaks `square-access-token`", &[at_least("sq0atp-", Body::Base64Url, 22), at_least("sq0csp-", Body::Base64Url, 43), exactly("EAAA", Body::Base64Url, 60),]),
    token("paypal-token", "a PayPal or Braintree access token", "Braintree documentation; detect-secrets", &[at_least("access_token$production$", Body::Dollar, 40), at_least("access_token$sandbox$", Body::Dollar, 40),]),
    token("facebook-token", "a Facebook access token", "Meta documentation, access tokens; gitleaks `facebook-page-access-token`", &[at_least("EAA", Body::Alphanumeric, 80),]),
    token("sentry-token", "a Sentry token", "Sentry documentation, auth tokens; gitleaks `sentry-org-token`", &[at_least("sntrys_", Body::Token, 60), exactly("sntryu_", Body::LowerHex, 64),]),
    token("grafana-token", "a Grafana token", "Grafana documentation, service accounts; gitleaks `grafana-service-account-token`", &[at_least("glsa_", Body::Word, 32), at_least("glc_", Body::Base64, 32), at_least("eyJrIjoi", Body::Base64, 60),]),
    token("doppler-token", "a Doppler token", "Doppler documentation; gitleaks `doppler-api-token`", &[at_least("dp.pt.", Body::Dotted, 40), at_least("dp.st.", Body::Dotted, 40), at_least("dp.ct.", Body::Dotted, 40), at_least("dp.sa.", Body::Dotted, 40), at_least("dp.scim.", Body::Dotted, 40), at_least("dp.audit.", Body::Dotted, 40),]),
    token("postman-key", "a Postman API key", "Postman documentation; gitleaks `postman-api-token`", &[exactly("PMAK-", Body::Base64Url, 59),]),
    token("planetscale-token", "a PlanetScale token or password", "PlanetScale documentation; gitleaks `planetscale-api-token`", &[at_least("pscale_tkn_", Body::Dotted, 32), at_least("pscale_pw_", Body::Dotted, 32), at_least("pscale_oauth_", Body::Dotted, 32),]),
    token("pulumi-token", "a Pulumi token", "Pulumi documentation; gitleaks `pulumi-api-token`", &[exactly("pul-", Body::LowerHex, 40),]),
    token("supabase-key", "a Supabase token or secret key", "Supabase documentation, API keys", &[exactly("sbp_", Body::LowerHex, 40), at_least("sb_secret_", Body::Base64Url, 30),]),
    token("tailscale-key", "a Tailscale key", "Tailscale documentation, key prefixes", &[at_least("tskey-auth-", Body::Base64Url, 20), at_least("tskey-api-", Body::Base64Url, 20), at_least("tskey-client-", Body::Base64Url, 20), at_least("tskey-scim-", Body::Base64Url, 20), at_least("tskey-webhook-", Body::Base64Url, 20),]),
    token("figma-token", "a Figma token", "Figma developer documentation", &[at_least("figd_", Body::Base64Url, 38),]),
    token("dynatrace-token", "a Dynatrace token", "Dynatrace documentation, tokens; gitleaks `dynatrace-api-token`", &[at_least("dt0c01.", Body::Dotted, 80), at_least("dt0s01.", Body::Dotted, 80),]),
    token("buildkite-token", "a Buildkite token", "Buildkite documentation", &[exactly("bkua_", Body::LowerHex, 40),]),
    token("circleci-token", "a CircleCI token", "CircleCI documentation", &[at_least("CCIPAT_", Body::Word, 50), at_least("CCIPRJ_", Body::Word, 50),]),
    token("contentful-token", "a Contentful management token", "Contentful documentation", &[exactly("CFPAT-", Body::Base64Url, 43),]),
    token("easypost-key", "an EasyPost key", "EasyPost documentation; gitleaks `easypost-api-token`", &[exactly("EZAK", Body::Alphanumeric, 54), exactly("EZTK", Body::Alphanumeric, 54),]),
    token("typeform-token", "a Typeform token", "Typeform documentation; gitleaks `typeform-api-token`", &[at_least("tfp_", Body::Dotted, 40),]),
    token("alibaba-key", "an Alibaba Cloud access key id", "Alibaba Cloud documentation; gitleaks `alibaba-access-key-id`", &[between("LTAI", Body::Alphanumeric, 16, 26),]),
    token("artifactory-key", "a JFrog Artifactory API key", "JFrog documentation; gitleaks `artifactory-api-key`", &[exactly("AKCp", Body::Alphanumeric, 69),]),
    token("age-key", "an age secret key", "age specification; gitleaks `age-secret-key`", &[exactly("AGE-SECRET-KEY-1", Body::Alphanumeric, 58),]),
    token("launchdarkly-key", "a LaunchDarkly SDK or API key", "LaunchDarkly documentation, keys", &[exactly("sdk-", Body::HexDash, 36),]),
];

/// How many bytes of a run are read to check whether it is random. Only random runs are read to
/// their end, so that no text is read again and again.
const PREVIEW: usize = 128;

/// The formats by the first byte of their prefix, longest prefix first, so that `sk-ant-` is
/// not taken for another `sk-`.
type ByFirstByte = Vec<Vec<(&'static str, &'static Format)>>;

static BY_FIRST_BYTE: LazyLock<ByFirstByte> = LazyLock::new(|| {
    let mut forms = vec![Vec::new(); 256];
    for rule in TOKENS {
        for format in rule.formats {
            let first = format.prefix.as_bytes()[0];
            forms[usize::from(first)].push((rule.info.name, format));
        }
    }
    for forms in &mut forms {
        forms.sort_by_key(|(_, format): &(_, &Format)| std::cmp::Reverse(format.prefix.len()));
    }
    forms
});

/// Finds a credential that begins at the start of a word. Returns its end and the name of its
/// rule, which `is_on` accepts.
pub(crate) fn find(
    text: Text<'_>,
    at: usize,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, &'static str)> {
    let forms = &BY_FIRST_BYTE[usize::from(text.byte(at))];
    let begins = |format: &Format| text.rest(at).starts_with(format.prefix.as_bytes());
    forms
        .iter()
        .filter(|(name, format)| begins(format) && is_on(name))
        .find_map(|(name, format)| Some((find_end(text, at, format)?, *name)))
}

fn find_end(text: Text<'_>, at: usize, format: &Format) -> Option<usize> {
    let start = at + format.prefix.len();
    let run = |most: usize| {
        let bytes = text.rest(start).iter().take(most);
        let length = bytes
            .take_while(|&&byte| format.body.contains(byte))
            .count();
        trim_end(text, start, start + length)
    };
    let preview_end = run(PREVIEW.max(format.least));
    if preview_end - start < format.least || !is_random(&text.rest(start)[..preview_end - start]) {
        return None;
    }
    let end = run(format.most.saturating_add(1));
    let is_whole = end - start <= format.most && !text.byte(end).is_ascii_alphanumeric();
    is_whole.then_some(end)
}

/// Removes a dot or slash at the end, which belongs to the sentence or URL.
fn trim_end(text: Text<'_>, start: usize, end: usize) -> usize {
    let mut end = end;
    while end > start && matches!(text.byte(end - 1), b'.' | b'/') {
        end -= 1;
    }
    end
}

/// Whether a run looks random. A random run of this length contains digits or capitals; words
/// after a prefix such as `sk-proj-` do not.
fn is_random(body: &[u8]) -> bool {
    body.iter()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
