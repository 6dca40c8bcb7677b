//! Messages, mail, telephony and social networks.

use super::{
    Body, Format, Part, TokenRule, after, at_least, between, exactly, infix, near, near_between,
    part, run, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("telegram-token", "a Telegram bot token: the bot's number, a colon, 35 characters",
        "Telegram Bot API, authorizing your bot; gitleaks `telegram-bot-api-token`", &[
            infix(run(Body::Digits, 8, 10), ":AA", run(Body::Base64Url, 32, 34)),
            Format::Shape(&[part(Body::Digits, 8, 10), Part::Sign(b':'), part(Body::Base64Url, 34, 36)]),
    ]),
    token("mailchimp-key", "a Mailchimp API key: 32 hex digits, `-us`, the data centre's number",
        "Mailchimp Marketing API, quick start; gitleaks `mailchimp-api-key`", &[
            infix(run(Body::LowerHex, 32, 32), "-us", run(Body::Digits, 1, 2)),
    ]),
    token("slack-token", "a Slack token: `xoxb-` and similar prefixes, `xapp-`",
        "Slack documentation, token types; gitleaks `slack-bot-token`", &[
            at_least("xoxb-", Body::Base64Url, 20), at_least("xoxp-", Body::Base64Url, 20),
            at_least("xoxa-", Body::Base64Url, 20), at_least("xoxr-", Body::Base64Url, 20),
            at_least("xoxs-", Body::Base64Url, 20), at_least("xoxo-", Body::Base64Url, 20),
            at_least("xoxc-", Body::Base64Url, 20), at_least("xoxd-", Body::Url, 20),
            at_least("xoxe-", Body::Base64Url, 20), at_least("xoxe.xoxp-", Body::Base64Url, 20),
            at_least("xoxe.xoxb-", Body::Base64Url, 20), at_least("xapp-", Body::Base64Url, 20),
            at_least("xwfp-", Body::Base64Url, 20), near(&["slack"], Body::LowerHex, 32),
    ]),
    token("slack-webhook", "a Slack webhook's path",
        "Slack documentation, incoming webhooks; gitleaks `slack-webhook-url`", &[
            at_least("hooks.slack.com/services/", Body::Path, 36),
            at_least("hooks.slack.com/workflows/", Body::Path, 36),
            at_least("hooks.slack.com/triggers/", Body::Path, 30),
            at_least("hooks.slack-gov.com/services/", Body::Path, 30),
    ]),
    token("discord-webhook", "a Discord webhook's path",
        "Discord developer documentation, webhooks", &[
            at_least("discord.com/api/webhooks/", Body::Path, 60),
            at_least("discordapp.com/api/webhooks/", Body::Path, 60),
            at_least("ptb.discord.com/api/webhooks/", Body::Path, 60),
            at_least("canary.discord.com/api/webhooks/", Body::Path, 60),
    ]),
    token("discord-secret", "a Discord client secret or a user's token",
        "Discord developer documentation, OAuth2; gitleaks `discord-client-secret`", &[
            at_least("mfa.", Body::Base64Url, 80), near(&["discord"], Body::Base64Url, 32),
            near(&["discord"], Body::LowerHex, 64),
    ]),
    token("teams-webhook", "a Microsoft Teams webhook's path",
        "Microsoft Teams documentation, incoming webhooks; gitleaks `microsoft-teams-webhook`", &[
            after("webhookb2/", Body::Url, 60),
            after("outlook.office.com/webhook/", Body::Url, 60),
            after("outlook.office365.com/webhook/", Body::Url, 60),
    ]),
    token("webhook-url", "a webhook's path of a service for messages or automation",
        "the services' documentation; trufflehog `zapierwebhook`, `tineswebhook`", &[
            after("hooks.zapier.com/hooks/catch/", Body::Path, 10),
            after("hooks.zapier.com/hooks/standard/", Body::Path, 10),
            after("eu1.make.com/", Body::LowerNum, 30),
            after("eu2.make.com/", Body::LowerNum, 30),
            after("us1.make.com/", Body::LowerNum, 30),
            after("us2.make.com/", Body::LowerNum, 30),
            after("hook.make.com/", Body::LowerNum, 30),
            after("hook.integromat.com/", Body::LowerNum, 30),
            after("with/key/", Body::Base64Url, 20), after("webhook/", Body::HexDash, 36),
            after("webhook-test/", Body::HexDash, 36), after("webhook.site/", Body::HexDash, 36),
            after("hc-ping.com/", Body::HexDash, 36), after("hooks/", Body::LowerNum, 26),
            after("bot/v2/hook/", Body::HexDash, 30),
            after("webhook/send?key=", Body::HexDash, 30),
            after("robot/send?access_token=", Body::LowerHex, 40),
            after("webhooks/incoming/", Body::Token, 60),
            after("incomingwebhooks/", Body::Url, 40),
            after("hooks/sendMessage/", Body::HexDash, 36),
            after("media.guilded.gg/webhooks/", Body::Path, 60),
            after("webhooks.workato.com/webhooks/rest/", Body::Path, 30),
            after("genericWebhook/", Body::Path, 30),
            after("api.day.app/", Body::Alphanumeric, 20),
            after("tines.com/webhook/", Body::Path, 40),
            after("thingsboard.cloud/api/v1/", Body::Alphanumeric, 20),
            after("events.pagerduty.com/integration/", Body::LowerHex, 32),
            after("alert.victorops.com/integrations/", Body::Path, 40),
            after("automation.codebarrel.io/pro/hooks/", Body::LowerHex, 30),
            after("incoming/hook/", Body::Path, 20),
            after("sctapi.ftqq.com/", Body::Alphanumeric, 20),
            after("api.pushcut.io/", Body::Base64Url, 16),
            after("m.pipedream.net/", Body::Path, 16),
            after("hookdeck.com/e/", Body::Alphanumeric, 16),
            after("hkdk.events/", Body::LowerNum, 12),
            after("maker.ifttt.com/use/", Body::Base64Url, 20),
    ]),
    token("twilio-key", "a Twilio API key: `SK` and 32 hex digits; an auth token beside its name",
        "Twilio documentation, API keys; gitleaks `twilio-api-key`", &[
            exactly("SK", Body::LowerHex, 32), near(&["twilio"], Body::LowerHex, 32),
            near(&["twilio"], Body::Alphanumeric, 32),
    ]),
    token("sendgrid-key", "a SendGrid API key",
        "SendGrid documentation, API keys; gitleaks `sendgrid-api-token`", &[
            at_least("SG.", Body::Dotted, 50),
    ]),
    token("mailgun-key", "a Mailgun API key",
        "Mailgun documentation; gitleaks `mailgun-private-api-token`", &[
            exactly("key-", Body::LowerHex, 32), exactly("pubkey-", Body::LowerHex, 32),
            Format::Shape(&[part(Body::LowerHex, 32, 32), Part::Sign(b'-'), part(Body::LowerHex, 8, 8), Part::Sign(b'-'), part(Body::LowerHex, 8, 8)]),
            near(&["mailgun"], Body::LowerHex, 32),
    ]),
    token("mailchimp-transactional-key", "a Mandrill (Mailchimp Transactional) API key",
        "Mailchimp Transactional API; trufflehog `mandrill`", &[
            exactly("md-", Body::Base64Url, 22), near(&["mandrill"], Body::Base64Url, 22),
    ]),
    token("brevo-key", "a Brevo API or SMTP key",
        "Brevo documentation; gitleaks `sendinblue-api-token`", &[
            at_least("xkeysib-", Body::Base64Url, 64), at_least("xsmtpsib-", Body::Base64Url, 64),
    ]),
    token("postmark-token", "a Postmark token",
        "Postmark documentation; trufflehog `postmark`", &[
            near(&["postmark"], Body::HexDash, 36),
    ]),
    token("sparkpost-key", "a SparkPost API key",
        "SparkPost documentation; trufflehog `sparkpost`", &[
            near(&["sparkpost"], Body::LowerHex, 40),
    ]),
    token("resend-key", "a Resend API key",
        "Resend documentation; GitHub secret scanning", &[
            between("re_", Body::Word, 30, 36),
    ]),
    token("mailjet-key", "a Mailjet key",
        "Mailjet documentation; trufflehog `mailjetbasicauth`", &[
            near(&["mailjet"], Body::Alphanumeric, 32), near(&["mailjet"], Body::Base64, 88),
    ]),
    token("mailersend-key", "a MailerSend or MailerLite key",
        "the providers' documentation; trufflehog `mailerlite`", &[
            at_least("mlsn.", Body::LowerHex, 60), near(&["mailerlite"], Body::LowerHex, 32),
    ]),
    token("loops-key", "a Loops, Plunk or Customer.io key",
        "the providers' documentation", &[
            exactly("sk_", Body::LowerHex, 48), near(&["loops"], Body::LowerHex, 32),
            near(&["customerio"], Body::Alphanumeric, 20),
            near(&["customerio"], Body::LowerHex, 32),
    ]),
    token("elasticemail-key", "an Elastic Email key",
        "Elastic Email documentation; trufflehog `elasticemail`", &[
            near(&["elasticemail"], Body::UpperNum, 96),
    ]),
    token("klaviyo-key", "a Klaviyo private key",
        "Klaviyo documentation, API keys; trufflehog `klaviyo`", &[
            exactly("pk_", Body::LowerHex, 34), near_between(&["klaviyo"], Body::Word, 37, 44),
    ]),
    token("courier-key", "a Courier API key",
        "Courier documentation; trufflehog `courier`", &[
            exactly("pk_prod_", Body::UpperNum, 28), exactly("pk_test_", Body::UpperNum, 28),
            exactly("dk_prod_", Body::UpperNum, 28),
    ]),
    token("onesignal-key", "a OneSignal, Novu or Knock key",
        "the providers' documentation; trufflehog `onesignal`", &[
            at_least("sk_test_", Body::Base64Url, 40), at_least("os_v2_app_", Body::LowerNum, 40),
            at_least("os_v2_org_", Body::LowerNum, 40), near(&["onesignal"], Body::HexDash, 36),
            near(&["onesignal"], Body::Base64, 48), near(&["novu"], Body::LowerHex, 32),
    ]),
    token("pusher-key", "a Pusher key or secret",
        "Pusher documentation; trufflehog `pusherchannelkey`", &[
            near(&["pusher"], Body::LowerNum, 20),
    ]),
    token("ably-key", "an Ably API key",
        "Ably documentation, API keys", &[
            Format::Shape(&[part(Body::Alphanumeric, 6, 6), Part::Sign(b'.'), part(Body::Alphanumeric, 6, 6), Part::Sign(b':'), part(Body::Base64Url, 16, 60)]),
    ]),
    token("pubnub-key", "a PubNub secret key",
        "PubNub documentation, keys; trufflehog `pubnubsubscriptionkey`", &[
            at_least("sec-c-", Body::Token, 40), exactly("pub-c-", Body::HexDash, 36),
            exactly("sub-c-", Body::HexDash, 36),
    ]),
    token("sendbird-token", "a Sendbird token",
        "Sendbird documentation; gitleaks `sendbird-access-token`", &[
            near(&["sendbird"], Body::LowerHex, 40), near(&["sendbird"], Body::HexDash, 36),
    ]),
    token("stream-key", "a Stream API secret",
        "Stream documentation", &[
            near(&["getstream"], Body::LowerNum, 64),
    ]),
    token("line-token", "a LINE channel access token",
        "LINE Messaging API; GitHub secret scanning; trufflehog `linemessaging`", &[
            near(&["line"], Body::Base64, 172), near(&["line"], Body::Base64, 171),
            near(&["line"], Body::LowerHex, 32), near(&["linenotify"], Body::Alphanumeric, 43),
    ]),
    token("zoom-secret", "a Zoom client secret or token",
        "Zoom documentation, OAuth", &[
            near(&["zoom"], Body::Alphanumeric, 32), near(&["zoom"], Body::Alphanumeric, 36),
    ]),
    token("webex-token", "a Webex token",
        "Webex documentation, bots; trufflehog `webexbot`", &[
            Format::Shape(&[part(Body::Alphanumeric, 64, 64), Part::Sign(b'_'), part(Body::Alphanumeric, 4, 4), Part::Sign(b'_'), part(Body::HexDash, 36, 36)]),
            at_least("Y2lzY29z", Body::Base64, 40), near(&["webex"], Body::LowerHex, 64),
    ]),
    token("intercom-token", "an Intercom access token",
        "Intercom documentation; gitleaks `intercom-api-key`", &[
            at_least("dG9rO", Body::Base64, 50), near(&["intercom"], Body::Token, 60),
    ]),
    token("vonage-secret", "a Vonage or Nexmo API secret",
        "Vonage documentation; trufflehog `nexmoapikey`", &[
            near(&["vonage", "nexmo"], Body::Alphanumeric, 16),
    ]),
    token("plivo-token", "a Plivo auth token",
        "Plivo documentation; trufflehog `plivo`", &[
            near(&["plivo"], Body::Base64Url, 40),
    ]),
    token("telnyx-key", "a Telnyx API key",
        "Telnyx documentation; trufflehog `telnyx`", &[
            between("KEY", Body::Base64Url, 50, 60),
    ]),
    token("messagebird-key", "a MessageBird or Bird API key",
        "MessageBird documentation; gitleaks `messagebird-api-token`", &[
            near(&["messagebird", "bird"], Body::Alphanumeric, 25),
    ]),
    token("sinch-key", "a Sinch, Infobip, Clickatell or Bandwidth key",
        "the providers' documentation; trufflehog `sinchmessage`", &[
            near(&["sinch"], Body::LowerNum, 32),
            near_between(&["infobip"], Body::HexDash, 66, 70),
            near(&["clickatell"], Body::Base64, 24), between("App ", Body::HexDash, 66, 70),
    ]),
    token("ringcentral-key", "a RingCentral, Dialpad or Aircall key",
        "the providers' documentation; trufflehog `ringcentral`", &[
            near(&["ringcentral"], Body::Base64Url, 22),
            near_between(&["dialpad"], Body::Alphanumeric, 60, 88),
            near(&["aircall"], Body::LowerHex, 32),
    ]),
    token("signalwire-key", "a SignalWire token",
        "SignalWire documentation; trufflehog `signalwire`", &[
            exactly("PT", Body::LowerHex, 48), at_least("PSK_", Body::Alphanumeric, 20),
            near(&["signalwire"], Body::Alphanumeric, 50),
    ]),
    token("matrix-token", "a Matrix access token",
        "Synapse, `handlers/auth.py`, access tokens", &[
            at_least("syt_", Body::Word, 30), at_least("mct_", Body::Word, 20),
            at_least("mat_", Body::Word, 20), at_least("syl_", Body::Word, 20),
            at_least("syr_", Body::Word, 20), at_least("syn_", Body::Word, 20),
    ]),
    token("mattermost-token", "a Mattermost token",
        "Mattermost documentation; gitleaks `mattermost-access-token`", &[
            near(&["mattermost", "mm"], Body::LowerNum, 26),
    ]),
    token("rocketchat-token", "a Rocket.Chat token",
        "Rocket.Chat documentation, personal access tokens", &[
            near(&["rocketchat", "rocket"], Body::Base64Url, 43),
    ]),
    token("zulip-key", "a Zulip API key",
        "Zulip documentation, API keys", &[
            near(&["zulip"], Body::Alphanumeric, 32),
    ]),
    token("gotify-token", "a Gotify token",
        "Gotify documentation, push messages", &[
            near(&["gotify"], Body::Dotted, 15), after("push/message?token=", Body::Dotted, 15),
    ]),
    token("ntfy-token", "an ntfy access token",
        "ntfy documentation, access tokens", &[
            exactly("tk_", Body::LowerNum, 29),
    ]),
    token("pushover-token", "a Pushover token",
        "Pushover API", &[
            near(&["pushover"], Body::LowerNum, 30), after("user=u", Body::LowerNum, 29),
    ]),
    token("pushbullet-token", "a Pushbullet token",
        "Pushbullet API; trufflehog `pushbulletapikey`", &[
            exactly("o.", Body::Alphanumeric, 32),
    ]),
    token("twitch-token", "a Twitch token or secret",
        "Twitch documentation; gitleaks `twitch-api-token`", &[
            exactly("oauth:", Body::LowerNum, 30), near(&["twitch"], Body::LowerNum, 30),
            between("live_", Body::Word, 30, 50),
    ]),
    token("viber-token", "a Viber or Kakao token",
        "the providers' documentation", &[
            near(&["viber"], Body::LowerNumDash, 50), near(&["kakao"], Body::LowerHex, 32),
    ]),
    token("facebook-token", "a Facebook, Instagram or Threads access token",
        "Meta documentation, access tokens; gitleaks `facebook-page-access-token`", &[
            at_least("EAA", Body::Alphanumeric, 80), at_least("IGQV", Body::Base64Url, 80),
            at_least("IGAA", Body::Alphanumeric, 80), at_least("THAA", Body::Alphanumeric, 80),
            at_least("IGQW", Body::Base64Url, 80),
            Format::Shape(&[part(Body::Digits, 14, 17), Part::Sign(b'|'), part(Body::Base64Url, 27, 40)]),
            near(&["facebook", "fb", "instagram", "whatsapp"], Body::LowerHex, 32),
    ]),
    token("twitter-token", "an X (Twitter) token or secret",
        "X developer documentation; gitleaks `twitter-bearer-token`", &[
            at_least("AAAAAAAAAAAAAAAAAAAA", Body::Url, 50),
            Format::Shape(&[part(Body::Digits, 15, 19), Part::Sign(b'-'), part(Body::Alphanumeric, 25, 45)]),
            near(&["twitter", "tweepy", "consumer"], Body::Alphanumeric, 25),
            near(&["twitter", "tweepy", "consumer"], Body::Alphanumeric, 50),
            near(&["twitter", "tweepy"], Body::Alphanumeric, 45),
    ]),
    token("linkedin-secret", "a LinkedIn client secret or token",
        "LinkedIn documentation; gitleaks `linkedin-client-secret`", &[
            at_least("WPL_AP", Body::Dotted, 16),
            near_between(&["linkedin"], Body::Base64Url, 150, 390),
            near(&["linkedin"], Body::Alphanumeric, 16),
    ]),
    token("pinterest-token", "a Pinterest token",
        "Pinterest documentation; GitHub secret scanning", &[
            at_least("pina_", Body::UpperNum, 40), at_least("pina_", Body::Word, 40),
            at_least("pinr.", Body::Dotted, 40),
    ]),
    token("reddit-secret", "a Reddit client secret or token",
        "Reddit API", &[
            near_between(&["reddit"], Body::Base64Url, 27, 30),
    ]),
    token("tiktok-token", "a TikTok token",
        "TikTok for developers, tokens", &[
            at_least("act.", Body::Dotted, 40), at_least("rft.", Body::Dotted, 40),
            at_least("clt.", Body::Dotted, 40),
    ]),
    token("flickr-key", "a Flickr, Tumblr, Disqus or VK key",
        "the providers' documentation; gitleaks `flickr-access-token`", &[
            near(&["tumblr"], Body::Alphanumeric, 50), near(&["flickr"], Body::LowerHex, 32),
            near(&["disqus"], Body::Alphanumeric, 64),
            near(&["vk", "vkontakte"], Body::LowerHex, 85),
    ]),
    token("bluesky-password", "a Bluesky app password",
        "Bluesky documentation, app passwords", &[
            near(&["bluesky", "bsky"], Body::LowerNumDash, 19),
    ]),
    token("mastodon-token", "a Mastodon token",
        "Mastodon documentation, tokens", &[
            near(&["mastodon"], Body::Base64Url, 43),
    ]),
    token("spotify-secret", "a Spotify client secret or token",
        "Spotify documentation; trufflehog `spotifykey`", &[
            near(&["spotify", "spotipy"], Body::LowerHex, 32),
            near_between(&["spotify"], Body::Base64Url, 100, 390),
    ]),
    token("apple-key", "an Apple app-specific password",
        "Apple support, app-specific passwords", &[
            near(&["apple", "icloud", "fastlane", "notarytool"], Body::LowerNumDash, 19),
    ]),
];
