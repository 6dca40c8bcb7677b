//! Clouds, hosting, networks and databases.

use super::{
    Body, Format, Part, TokenRule, after, at_least, between, exactly, infix, near, near_between,
    part, run, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("aws-access-key", "an AWS access key id",
        "AWS IAM guide, unique identifiers; gitleaks `aws-access-token`", &[
            exactly("AKIA", Body::Base32, 16), exactly("ASIA", Body::Base32, 16),
            exactly("ABIA", Body::Base32, 16), exactly("ACCA", Body::Base32, 16),
            exactly("AKIA", Body::UpperNum, 16), exactly("ASIA", Body::UpperNum, 16),
            exactly("A3T", Body::UpperNum, 17),
    ]),
    token("aws-session-token", "a session token of AWS STS",
        "AWS STS API, Credentials; trufflehog `awssessionkeys`", &[
            at_least("IQoJb3JpZ2luX2", Body::Base64, 80),
            at_least("FwoGZXIvYXdz", Body::Base64, 80),
            at_least("FQoGZXIvYXdz", Body::Base64, 80),
    ]),
    token("aws-bedrock-key", "an Amazon Bedrock API key",
        "Amazon Bedrock guide, API keys; gitleaks `aws-amazon-bedrock-api-key-long-lived`", &[
            at_least("ABSK", Body::Base64, 90), at_least("bedrock-api-key-", Body::Token, 60),
    ]),
    token("aws-service-key", "a key of Amazon MWS, AppSync or Login with Amazon",
        "AWS AppSync guide, authorization; Selling Partner API; GitHub secret scanning, Amazon", &[
            exactly("amzn.mws.", Body::HexDash, 36), exactly("da2-", Body::LowerNum, 26),
            exactly("amzn1.oa2-cs.v1.", Body::LowerHex, 64),
            exactly("amzn1.oa2-cs.", Body::LowerHex, 64), at_least("Atza|", Body::Token, 80),
            at_least("Atzr|", Body::Token, 80),
    ]),
    token("gcp-api-key", "a Google API key",
        "Google Cloud documentation, API keys; gitleaks `gcp-api-key`", &[
            exactly("AIza", Body::Base64Url, 35),
    ]),
    token("google-oauth", "a Google OAuth access token, refresh token, authorization code or client secret",
        "Google Identity documentation; trufflehog `googleoauth2`", &[
            at_least("ya29.", Body::Dotted, 30), at_least("1//0", Body::Base64Url, 30),
            at_least("4/0A", Body::Base64Url, 40), exactly("GOCSPX-", Body::Base64Url, 28),
            at_least("EAACEdEose0cBA", Body::Alphanumeric, 20),
    ]),
    token("google-service-key", "a Firebase messaging key, a Google Cloud Storage HMAC key or a Google Chat webhook",
        "Firebase documentation, legacy server keys; Cloud Storage documentation, HMAC keys", &[
            infix(run(Body::Base64Url, 7, 11), ":APA91b", run(Body::Base64Url, 120, 200)),
            between("GOOG1", Body::UpperNum, 20, 60),
            after("chat.googleapis.com/v1/spaces/", Body::Url, 40),
            near(&["recaptcha"], Body::Base64Url, 40),
    ]),
    token("azure-key", "a key of an Azure service, which has a signature inside, or a client secret of Entra ID",
        "Microsoft Purview, credential types; GitHub secret scanning, Azure; gitleaks `azure-ad-client-secret`", &[
            infix(run(Body::Token, 76, 78), "+ASt", run(Body::Token, 6, 8)),
            infix(run(Body::Token, 76, 78), "ACDb", run(Body::Token, 6, 8)),
            infix(run(Body::Base64, 76, 78), "+ABa", run(Body::Base64, 6, 8)),
            infix(run(Body::Base64, 42, 42), "+ACR", run(Body::Base64, 6, 6)),
            infix(run(Body::Base64, 33, 33), "AIoT", run(Body::Base64, 5, 6)),
            infix(run(Body::Base64, 33, 33), "AzEG", run(Body::Base64, 5, 6)),
            infix(run(Body::Base64, 76, 78), "APIM", run(Body::Base64, 6, 8)),
            infix(run(Body::Base64, 76, 78), "+AMC", run(Body::Base64, 6, 8)),
            infix(run(Body::Alphanumeric, 42, 42), "AzSe", run(Body::Alphanumeric, 6, 6)),
            infix(run(Body::Base64Url, 44, 44), "AzFu", run(Body::Base64Url, 6, 10)),
            infix(run(Body::Base64, 33, 33), "AzCa", run(Body::Base64, 5, 6)),
            infix(run(Body::Alphanumeric, 52, 52), "JQQJ99", run(Body::Alphanumeric, 26, 26)),
            infix(run(Body::Alphanumeric, 76, 76), "AZDO", run(Body::Alphanumeric, 4, 4)),
            infix(run(Body::Base64, 33, 35), "+AEh", run(Body::Base64, 5, 6)),
            infix(run(Body::Base64, 33, 35), "+ASb", run(Body::Base64, 5, 6)),
            infix(run(Body::EntraId, 4, 4), "Q~", run(Body::EntraId, 31, 34)),
            near(&["azure", "devops", "ado", "vsts"], Body::LowerNum, 52),
            near(&["azure", "cosmos", "cosmosdb", "accountkey", "sharedaccesskey", "documents"], Body::Base64, 88),
            near(&["sharedaccesskey"], Body::Base64, 44),
            near(&["azure", "aoai", "cognitive"], Body::LowerHex, 32),
            near(&["azure"], Body::Alphanumeric, 52), near(&["azure"], Body::Alphanumeric, 84),
    ]),
    token("azure-token", "a token of Entra ID: a refresh token or an authorization code",
        "Microsoft identity platform, tokens; trufflehog `azure_entra`", &[
            at_least("0.A", Body::Dotted, 150), at_least("1.A", Body::Dotted, 150),
            at_least("M.C5", Body::Dotted, 100), at_least("M.R3", Body::Dotted, 100),
    ]),
    token("alibaba-key", "an Alibaba Cloud access key id or its secret",
        "Alibaba Cloud documentation; gitleaks `alibaba-access-key-id`", &[
            between("LTAI", Body::Alphanumeric, 16, 26),
            near(&["alibaba", "aliyun", "alicloud", "alibabacloud"], Body::Alphanumeric, 30),
    ]),
    token("tencent-key", "a Tencent Cloud secret id or key",
        "Tencent Cloud documentation, access keys; GitHub secret scanning", &[
            exactly("AKID", Body::Alphanumeric, 32), exactly("IKID", Body::Alphanumeric, 32),
            near(&["tencent", "tencentcloud", "qcloud"], Body::Alphanumeric, 32),
    ]),
    token("huawei-key", "a Huawei Cloud access key or its secret",
        "Huawei Cloud documentation, access keys", &[
            near(&["huawei", "huaweicloud", "myhuaweicloud", "obsutil"], Body::Alphanumeric, 40),
            near(&["huawei", "huaweicloud"], Body::UpperNum, 20),
    ]),
    token("baidu-key", "a Baidu AI Cloud key",
        "Baidu AI Cloud documentation, authentication; GitHub secret scanning", &[
            exactly("ALTAK", Body::Alphanumeric, 21), at_least("bce-v3/ALTAK-", Body::Path, 60),
            near(&["baidu", "baiducloud", "qianfan", "bce"], Body::LowerHex, 32),
    ]),
    token("volcengine-key", "a Volcengine access key",
        "Volcengine documentation; GitHub secret scanning", &[
            between("AKLT", Body::Base64, 40, 60), between("AKTP", Body::Base64, 40, 60),
            near_between(&["volcengine", "volc", "volcano"], Body::Base64, 40, 60),
    ]),
    token("yandex-key", "a Yandex Cloud key or token",
        "Yandex Cloud documentation, API keys; gitleaks `yandex-api-key`", &[
            between("AQVN", Body::Base64Url, 35, 38), at_least("t1.", Body::DottedToken, 90),
            at_least("y0_", Body::Base64Url, 40), at_least("y1_", Body::Base64Url, 40),
            at_least("y2_", Body::Base64Url, 40), at_least("y3_", Body::Base64Url, 40),
            at_least("ajeu", Body::Base64Url, 30),
            near(&["yandex", "yc", "ycloud"], Body::Base64Url, 40),
    ]),
    token("ibm-key", "an IBM Cloud API key or an HMAC key of its object storage",
        "IBM Cloud documentation; detect-secrets `ibm_cloud_iam`, `ibm_cos_hmac`", &[
            near(&["ibm", "ibmcloud", "bluemix", "watson", "watsonx", "softlayer"], Body::Base64Url, 44),
            near(&["ibm", "ibmcloud", "cos", "hmac"], Body::LowerHex, 48),
    ]),
    token("digitalocean-token", "a DigitalOcean token",
        "DigitalOcean API; gitleaks `digitalocean-pat`", &[
            exactly("dop_v1_", Body::LowerHex, 64), exactly("doo_v1_", Body::LowerHex, 64),
            exactly("dor_v1_", Body::LowerHex, 64), exactly("dof_v1_", Body::LowerHex, 64),
            exactly("dot_v1_", Body::LowerHex, 64), at_least("doo_v1", Body::Word, 64),
            near(&["digitalocean", "spaces"], Body::Base64, 43),
    ]),
    token("cloudflare-key", "a Cloudflare API key or token, an origin CA key, a tunnel token or a Turnstile secret",
        "Cloudflare documentation, token formats; gitleaks `cloudflare-api-key`", &[
            at_least("cfat_", Body::Alphanumeric, 40), at_least("cfut_", Body::Alphanumeric, 40),
            at_least("cfk_", Body::Alphanumeric, 40), exactly("v1.0-", Body::HexDash, 171),
            at_least("eyJhIjoi", Body::Token, 80), at_least("0x4AAAAA", Body::Base64Url, 24),
            near(&["cloudflare", "cf"], Body::Base64Url, 40),
            near(&["cloudflare", "cf"], Body::LowerHex, 37),
            near(&["cloudflare", "r2", "cloudflarestorage"], Body::LowerHex, 64),
    ]),
    token("fastly-token", "a Fastly API token",
        "Fastly documentation, API tokens; gitleaks `fastly-api-token`", &[
            near(&["fastly"], Body::Base64Url, 32),
    ]),
    token("akamai-key", "an Akamai EdgeGrid credential",
        "Akamai documentation, authentication with EdgeGrid", &[
            near(&["akamai", "edgegrid", "edgerc"], Body::Base64, 44),
    ]),
    token("hetzner-token", "a Hetzner Cloud API token",
        "Hetzner Cloud API, authentication", &[
            near(&["hetzner", "hcloud"], Body::Alphanumeric, 64),
            near(&["hetzner"], Body::Alphanumeric, 32),
    ]),
    token("linode-token", "a Linode or Akamai Cloud API token",
        "Linode API, personal access tokens; GitHub secret scanning", &[
            near(&["linode"], Body::LowerHex, 64),
    ]),
    token("vultr-key", "a Vultr API key",
        "Vultr API; trufflehog `vultrapikey`", &[
            near(&["vultr"], Body::UpperNum, 36),
    ]),
    token("scaleway-key", "a Scaleway secret key",
        "Scaleway documentation, API keys; trufflehog `scalewaykey`", &[
            near(&["scaleway", "scw"], Body::HexDash, 36),
    ]),
    token("ovh-key", "an OVHcloud application secret or consumer key",
        "OVHcloud API, first steps", &[
            near(&["ovh", "ovhcloud"], Body::Alphanumeric, 32),
            near(&["ovh", "ovhcloud"], Body::LowerHex, 32),
    ]),
    token("upcloud-token", "an UpCloud API token",
        "UpCloud documentation, API tokens", &[
            at_least("ucat_", Body::UpperNum, 20), at_least("ucat_", Body::Alphanumeric, 26),
    ]),
    token("exoscale-key", "an Exoscale API key or its secret",
        "Exoscale documentation, IAM keys", &[
            exactly("EXO", Body::LowerHex, 24), near(&["exoscale"], Body::Base64Url, 43),
    ]),
    token("civo-key", "a Civo API key",
        "Civo API, authentication", &[
            near(&["civo"], Body::Alphanumeric, 50),
    ]),
    token("gcore-token", "a Gcore permanent token",
        "Gcore documentation, API tokens", &[
            Format::Shape(&[part(Body::Digits, 1, 7), Part::Sign(b'$'), part(Body::LowerHex, 128, 512)]),
    ]),
    token("backblaze-key", "a Backblaze B2 application key",
        "Backblaze B2 documentation, application keys", &[
            exactly("K00", Body::Token, 28), near(&["backblaze", "b2"], Body::Token, 31),
    ]),
    token("wasabi-key", "a Wasabi secret key",
        "Wasabi documentation, access keys", &[
            near(&["wasabi", "wasabisys"], Body::Base64, 40),
    ]),
    token("storj-grant", "a Storj access grant",
        "Storj documentation, access grants", &[
            near_between(&["storj"], Body::Alphanumeric, 100, 400),
    ]),
    token("minio-key", "a MinIO secret key",
        "MinIO documentation, access keys", &[
            near(&["minio"], Body::Base64, 40),
    ]),
    token("oracle-key", "a customer secret key of Oracle Cloud",
        "Oracle Cloud documentation, credentials", &[
            near(&["oracle", "oci", "oraclecloud"], Body::Base64, 44),
    ]),
    token("openstack-secret", "a secret of an OpenStack application credential",
        "OpenStack Keystone documentation, application credentials", &[
            near(&["openstack", "keystone"], Body::Base64Url, 86),
    ]),
    token("flyio-token", "a Fly.io token",
        "Fly.io documentation, tokens; gitleaks `flyio-access-token`", &[
            at_least("fm2_", Body::Base64List, 80), at_least("fm1r_", Body::Base64List, 80),
            at_least("fm1a_", Body::Base64List, 80), exactly("fo1_", Body::Base64Url, 43),
    ]),
    token("render-key", "a Render API key or deploy hook",
        "Render documentation, API and deploy hooks; trufflehog", &[
            at_least("rnd_", Body::Alphanumeric, 20),
            after("api.render.com/deploy/", Body::Url, 16),
    ]),
    token("railway-token", "a Railway API token",
        "Railway documentation, public API", &[
            near(&["railway"], Body::HexDash, 36),
    ]),
    token("vercel-token", "a Vercel token or deploy hook",
        "Vercel documentation; GitHub secret scanning; trufflehog `vercel`", &[
            at_least("vcp_", Body::Alphanumeric, 30), at_least("vci_", Body::Alphanumeric, 30),
            at_least("vca_", Body::Alphanumeric, 30), at_least("vcr_", Body::Alphanumeric, 30),
            at_least("vck_", Body::Alphanumeric, 30), at_least("vercel_blob_rw_", Body::Word, 30),
            after("api.vercel.com/v1/integrations/deploy/", Body::Path, 20),
            near(&["vercel", "zeit"], Body::Alphanumeric, 24),
    ]),
    token("netlify-token", "a Netlify token or build hook",
        "Netlify documentation; GitHub secret scanning; gitleaks `netlify-access-token`", &[
            at_least("nfp_", Body::Word, 30), at_least("nfo_", Body::Word, 30),
            at_least("nfc_", Body::Word, 30), at_least("nfu_", Body::Word, 30),
            at_least("nfb_", Body::Word, 30), at_least("nfpat_", Body::Word, 30),
            after("api.netlify.com/build_hooks/", Body::LowerHex, 24),
            near_between(&["netlify"], Body::Base64Url, 40, 46),
            near(&["netlify"], Body::LowerHex, 64),
    ]),
    token("heroku-key", "a Heroku API key",
        "Heroku documentation; gitleaks `heroku-api-key-v2`", &[
            at_least("HRKU-", Body::Base64Url, 36), near(&["heroku"], Body::HexDash, 36),
    ]),
    token("scalingo-token", "a Scalingo API token",
        "Scalingo documentation, API; gitleaks `scalingo-api-token`", &[
            at_least("tk-us-", Body::Base64Url, 40), at_least("tk-eu-", Body::Base64Url, 40),
    ]),
    token("koyeb-token", "a Koyeb API token",
        "Koyeb documentation, API", &[
            near(&["koyeb"], Body::Alphanumeric, 64),
    ]),
    token("aiven-token", "an Aiven service password or token",
        "Aiven documentation; GitHub secret scanning; trufflehog `aiven`", &[
            at_least("AVNS_", Body::Base64Url, 19), near(&["aiven"], Body::Base64, 372),
            near_between(&["aiven"], Body::Token, 200, 400),
    ]),
    token("platformsh-token", "a Platform.sh or Upsun API token",
        "Platform.sh documentation, API tokens", &[
            near(&["platformsh", "upsun"], Body::Base64Url, 43),
    ]),
    token("deno-token", "a Deno Deploy token",
        "Deno Deploy documentation; trufflehog `deno`", &[
            at_least("ddp_", Body::Alphanumeric, 30), at_least("ddw_", Body::Alphanumeric, 30),
            at_least("ddo_", Body::Alphanumeric, 30),
    ]),
    token("appwrite-key", "an Appwrite API key",
        "Appwrite documentation, API keys", &[
            at_least("standard_", Body::LowerHex, 128),
    ]),
    token("convex-key", "a Convex deploy key",
        "Convex documentation, deploy keys", &[
            at_least("prod:", Body::Convex, 40),
    ]),
    token("supabase-key", "a Supabase token or secret key",
        "Supabase documentation, API keys; trufflehog `supabasetoken`", &[
            exactly("sbp_", Body::LowerHex, 40), exactly("sbp_", Body::LowerNum, 40),
            at_least("sbp_oauth_", Body::Word, 30), at_least("sb_secret_", Body::Base64Url, 28),
            exactly("sba_", Body::LowerNum, 40),
    ]),
    token("planetscale-token", "a PlanetScale token or password",
        "PlanetScale documentation; gitleaks `planetscale-api-token`", &[
            at_least("pscale_tkn_", Body::Dotted, 32), at_least("pscale_pw_", Body::Dotted, 32),
            at_least("pscale_oauth_", Body::Dotted, 32),
            at_least("pscale_refresh_", Body::Dotted, 32),
    ]),
    token("neon-key", "a Neon API key or database password",
        "Neon documentation, API keys; GitHub secret scanning", &[
            at_least("napi_", Body::LowerNum, 40), at_least("npg_", Body::Alphanumeric, 12),
    ]),
    token("mongodb-secret", "a MongoDB Atlas key or service account secret",
        "MongoDB Atlas documentation, API access; kingfisher", &[
            at_least("mdb_sa_sk_", Body::Base64Url, 30),
            near(&["mongodb", "atlas", "mcli"], Body::HexDash, 36),
    ]),
    token("clickhouse-key", "a ClickHouse Cloud API secret",
        "ClickHouse documentation; gitleaks `clickhouse-cloud-api-secret-key`", &[
            exactly("4b1d", Body::Alphanumeric, 38),
    ]),
    token("databricks-token", "a Databricks token or OAuth secret",
        "Databricks documentation; gitleaks `databricks-api-token`", &[
            between("dapi", Body::HexDash, 32, 34), exactly("dose", Body::LowerHex, 32),
            exactly("dosf", Body::LowerHex, 32), exactly("dkea", Body::LowerHex, 32),
            exactly("dsapi", Body::LowerHex, 32),
    ]),
    token("snowflake-secret", "a Snowflake token",
        "Snowflake documentation, programmatic access tokens", &[
            at_least("ver:1-hint:", Body::Url, 60), at_least("ver:3-hint:", Body::Url, 60),
    ]),
    token("elastic-key", "an Elastic Cloud API key",
        "Elastic documentation, API keys; GitHub secret scanning", &[
            at_least("essu_", Body::Token, 40),
            near_between(&["elastic", "elasticsearch", "elasticcloud"], Body::Base64, 56, 60),
    ]),
    token("confluent-key", "a Confluent Cloud API secret",
        "Confluent documentation, API keys; gitleaks `confluent-secret-key`", &[
            between("cflt", Body::Token, 56, 64),
            near(&["confluent", "ccloud", "kafka"], Body::Base64, 64),
    ]),
    token("upstash-token", "an Upstash token",
        "Upstash documentation, REST API", &[
            near_between(&["upstash"], Body::Token, 52, 110),
            near(&["upstash"], Body::HexDash, 36),
    ]),
    token("turso-token", "a Turso token",
        "Turso documentation, platform API", &[
            near_between(&["turso"], Body::Dotted, 100, 390),
    ]),
    token("fauna-key", "a Fauna secret",
        "Fauna documentation, keys", &[
            exactly("fnA", Body::Base64Url, 37),
    ]),
    token("couchbase-key", "a Couchbase Capella API key",
        "Couchbase Capella documentation, management API", &[
            near_between(&["couchbase", "capella"], Body::Base64, 48, 88),
    ]),
    token("redis-cloud-key", "a Redis Cloud API key",
        "Redis Cloud documentation, REST API keys", &[
            near_between(&["rediscloud", "redislabs"], Body::LowerNum, 48, 52),
    ]),
    token("cloudinary-secret", "a Cloudinary API secret",
        "Cloudinary documentation; trufflehog `cloudinary`", &[
            near(&["cloudinary"], Body::Base64Url, 27),
    ]),
    token("bunny-key", "a bunny.net access key",
        "bunny.net documentation, authentication", &[
            near(&["bunny", "bunnynet", "bunnycdn"], Body::HexDash, 72),
            near(&["bunny", "bunnynet", "bunnycdn"], Body::HexDash, 41),
    ]),
    token("tailscale-key", "a Tailscale key",
        "Tailscale documentation, key prefixes; trufflehog `tailscale`", &[
            at_least("tskey-auth-", Body::Base64Url, 20),
            at_least("tskey-api-", Body::Base64Url, 20),
            at_least("tskey-client-", Body::Base64Url, 20),
            at_least("tskey-scim-", Body::Base64Url, 20),
            at_least("tskey-webhook-", Body::Base64Url, 20),
            at_least("tskey-", Body::Base64Url, 20),
    ]),
    token("netbird-token", "a NetBird token",
        "NetBird documentation, personal access tokens", &[
            exactly("nbp_", Body::Alphanumeric, 36),
    ]),
    token("zerotier-token", "a ZeroTier API token",
        "ZeroTier documentation; trufflehog `zerotier`", &[
            near(&["zerotier"], Body::Alphanumeric, 32),
    ]),
    token("ngrok-token", "an ngrok token or API key",
        "ngrok documentation; GitHub secret scanning; trufflehog `ngrok`", &[
            Format::Shape(&[part(Body::Alphanumeric, 25, 30), Part::Sign(b'_'), part(Body::Alphanumeric, 20, 24)]),
            exactly("cr_", Body::Alphanumeric, 27), exactly("ak_", Body::Alphanumeric, 27),
            near_between(&["ngrok"], Body::Word, 43, 52),
    ]),
    token("defined-networking-key", "a Defined Networking key",
        "Defined Networking documentation; gitleaks `defined-networking-api-token`", &[
            at_least("dnkey-", Body::Base64Url, 60),
    ]),
    token("openvpn-key", "an OpenVPN Cloud API secret",
        "OpenVPN CloudConnexa API; trufflehog `openvpn`", &[
            near_between(&["openvpn", "cloudconnexa"], Body::Base64Url, 64, 100),
    ]),
    token("godaddy-key", "a GoDaddy API key",
        "GoDaddy API; trufflehog `godaddy`", &[
            near_between(&["godaddy"], Body::Word, 35, 37),
            near(&["godaddy"], Body::Alphanumeric, 22),
    ]),
    token("namecheap-key", "a Namecheap API key",
        "Namecheap API", &[
            near(&["namecheap"], Body::LowerHex, 32),
    ]),
    token("gandi-key", "a Gandi API key or token",
        "Gandi API documentation", &[
            near(&["gandi"], Body::Alphanumeric, 24), near(&["gandi"], Body::LowerHex, 40),
    ]),
    token("dnsimple-token", "a DNSimple token",
        "DNSimple documentation, API access tokens", &[
            at_least("dnsimple_a_", Body::Alphanumeric, 30),
            at_least("dnsimple_u_", Body::Alphanumeric, 30),
            at_least("dnsimple_", Body::Word, 30), near(&["dnsimple"], Body::Alphanumeric, 32),
    ]),
    token("porkbun-key", "a Porkbun API key or secret",
        "Porkbun API", &[
            exactly("pk1_", Body::LowerHex, 64), exactly("sk1_", Body::LowerHex, 64),
    ]),
    token("pinata-key", "a Pinata API secret",
        "Pinata documentation; trufflehog `pinata`", &[
            near(&["pinata"], Body::LowerHex, 64), near(&["pinata"], Body::LowerHex, 20),
    ]),
    token("nvidia-key", "an NVIDIA API key",
        "NVIDIA NGC documentation; trufflehog `nvapi`, `ngc`", &[
            at_least("nvapi-", Body::Base64Url, 60),
            near(&["ngc", "nvidia", "nvcr"], Body::Alphanumeric, 84),
            Format::Shape(&[part(Body::LowerNum, 26, 26), Part::Sign(b':'), part(Body::HexDash, 36, 36)]),
    ]),
    token("salad-key", "a SaladCloud API key",
        "SaladCloud documentation; trufflehog `saladcloudapikey`", &[
            at_least("salad_cloud_", Body::Word, 20),
    ]),
    token("runpod-key", "a RunPod API key",
        "RunPod documentation, API keys", &[
            at_least("rpa_", Body::Alphanumeric, 40),
    ]),
    token("lambda-key", "a Lambda Cloud API key",
        "Lambda Cloud API", &[
            between("secret_", Body::Dotted, 45, 80),
    ]),
];
