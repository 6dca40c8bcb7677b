// Owns the names of the built-in rules of masking, as docs/masking.md has them: the API has
// no list of them. They are suggestions; any other name is the server's to refuse.

/** In the order of the document: credentials first, then personal data. */
export const RULES = [
  "secret", "bearer-token", "basic-credentials", "url-password", "private-key", "jwt", "aws-secret-key", "azure-sas",
  "telegram-token", "discord-token", "mailchimp-key", "flowtrail-token", "aws-access-key", "aws-session-token",
  "gcp-api-key", "google-oauth", "github-token", "gitlab-token", "slack-token", "slack-webhook", "discord-webhook",
  "stripe-key", "twilio-key", "sendgrid-key", "mailgun-key", "brevo-key", "npm-token", "pypi-token", "rubygems-key",
  "crates-io-token", "docker-token", "digitalocean-token", "shopify-token", "openai-key", "anthropic-key",
  "openrouter-key", "groq-key", "perplexity-key", "xai-key", "replicate-token", "huggingface-token", "new-relic-key",
  "heroku-key", "vault-token", "databricks-token", "atlassian-token", "linear-key", "notion-token", "square-token",
  "paypal-token", "facebook-token", "sentry-token", "grafana-token", "doppler-token", "postman-key",
  "planetscale-token", "pulumi-token", "supabase-key", "tailscale-key", "figma-token", "dynatrace-token",
  "buildkite-token", "circleci-token", "contentful-token", "easypost-key", "typeform-token", "alibaba-key",
  "artifactory-key", "age-key", "launchdarkly-key", "email", "phone", "payment-card", "iban", "national-id",
  "ip-address",
];
