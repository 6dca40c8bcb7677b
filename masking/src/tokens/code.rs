//! Source control, builds, packages, secrets and features.

use super::{
    Body, Format, Part, TokenRule, after, at_least, between, exactly, infix, near, near_between,
    part, run, token,
};

/// The rules, with a format per prefix or shape.
#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("flowtrail-token", "a Flowtrail token: `sdk_…`",
        "Flowtrail, `shared/team/src/auth.rs`", &[
            exactly("sdk_", Body::Base64Url, 64),
    ]),
    token("github-token", "a GitHub token: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`",
        "GitHub documentation, about authentication; gitleaks `github-pat`", &[
            at_least("github_pat_", Body::Word, 40), at_least("ghp_", Body::Alphanumeric, 30),
            at_least("gho_", Body::Alphanumeric, 30), at_least("ghu_", Body::Alphanumeric, 30),
            at_least("ghs_", Body::Dotted, 30), at_least("ghr_", Body::Alphanumeric, 30),
            exactly("v1.", Body::LowerHex, 40),
    ]),
    token("gitlab-token", "a GitLab token: `glpat-` and similar prefixes",
        "GitLab documentation, token overview; gitleaks `gitlab-pat`", &[
            at_least("glpat-", Body::Dotted, 20), at_least("gldt-", Body::Dotted, 20),
            at_least("glrt-", Body::Dotted, 20), at_least("glrtr-", Body::Dotted, 20),
            at_least("glptt-", Body::Dotted, 20), at_least("glcbt-", Body::Dotted, 20),
            at_least("glft-", Body::Dotted, 20), at_least("glimt-", Body::LowerNum, 20),
            at_least("glimt-", Body::Dotted, 20), at_least("glagent-", Body::Dotted, 20),
            at_least("gloas-", Body::Dotted, 20), at_least("glsoat-", Body::Dotted, 20),
            at_least("glffct-", Body::Dotted, 20), at_least("glwt-", Body::Dotted, 20),
            exactly("GR1348941", Body::Base64Url, 20),
            after("gitlab_session=", Body::LowerHex, 32),
    ]),
    token("bitbucket-secret", "a Bitbucket client secret or Data Center token",
        "Atlassian documentation, HTTP access tokens; trufflehog `atlassiandatacenter`", &[
            at_least("BBDC-", Body::Token, 40), near(&["bitbucket"], Body::Alphanumeric, 32),
            near(&["bitbucket"], Body::Base64Url, 64),
    ]),
    token("atlassian-token", "an Atlassian or Bitbucket token",
        "Atlassian documentation, API tokens; gitleaks `atlassian-api-token`", &[
            at_least("ATATT3", Body::Token, 24), at_least("ATCTT3", Body::Token, 24),
            at_least("ATSTT3", Body::Token, 24), at_least("ATOAT3", Body::Token, 24),
            at_least("ATBB", Body::Token, 24),
            after("automation.atlassian.com/pro/hooks/", Body::LowerHex, 40),
            near(&["atlassian", "jira", "confluence"], Body::Alphanumeric, 24),
    ]),
    token("azure-devops-token", "an Azure DevOps token in a variable such as `ADO_PAT`",
        "Azure DevOps documentation, personal access tokens", &[
            near(&["systemaccesstoken"], Body::LowerNum, 52),
    ]),
    token("circleci-token", "a CircleCI token",
        "CircleCI documentation; trufflehog `circleci`", &[
            at_least("CCIPAT_", Body::Word, 50), at_least("CCIPRJ_", Body::Word, 50),
            near(&["circleci", "circle"], Body::LowerHex, 40),
    ]),
    token("travis-token", "a Travis CI token",
        "Travis CI documentation, API; gitleaks `travisci-access-token`", &[
            near(&["travis", "travisci"], Body::Base64Url, 22),
    ]),
    token("buildkite-token", "a Buildkite token or webhook",
        "Buildkite documentation; GitHub secret scanning", &[
            exactly("bkua_", Body::LowerNum, 40), at_least("bkct_", Body::Base64Url, 30),
            at_least("bkpat_", Body::Base64Url, 30), at_least("bkaj_", Body::Dotted, 30),
            at_least("bkat_", Body::Base64Url, 30), at_least("bkpt_", Body::Base64Url, 30),
            at_least("bkrt_", Body::Base64Url, 30), at_least("bksat_", Body::Base64Url, 30),
            after("webhook.buildkite.com/deliver/", Body::LowerHex, 30),
            near(&["buildkite"], Body::LowerNum, 40), near(&["buildkite"], Body::LowerNum, 50),
    ]),
    token("jenkins-token", "a Jenkins API token",
        "Jenkins documentation, remote access API", &[
            exactly("11", Body::LowerHex, 32), near_between(&["jenkins"], Body::LowerHex, 32, 34),
    ]),
    token("drone-token", "a Drone CI token or secret",
        "Drone documentation; gitleaks `droneci-access-token`", &[
            near(&["drone", "droneci"], Body::Alphanumeric, 32),
    ]),
    token("harness-token", "a Harness token",
        "Harness documentation, API keys; gitleaks `harness-api-key`", &[
            between("pat.", Body::Dotted, 60, 90), between("sat.", Body::Dotted, 60, 90),
    ]),
    token("bitrise-token", "a Bitrise token",
        "Bitrise documentation; GitHub secret scanning", &[
            at_least("bitpat_", Body::Base64Url, 40), at_least("bitwat_", Body::Base64Url, 40),
    ]),
    token("codemagic-token", "a Codemagic token",
        "Codemagic documentation; trufflehog `codemagic`", &[
            near(&["codemagic"], Body::Base64Url, 43),
    ]),
    token("appveyor-token", "an AppVeyor token",
        "AppVeyor documentation, API", &[
            exactly("v2.", Body::LowerNum, 20), near(&["appveyor"], Body::LowerNum, 20),
    ]),
    token("teamcity-token", "a TeamCity access token",
        "TeamCity documentation, access tokens", &[
            at_least("eyJ0eXAiOiAiVENWMiJ9.", Body::Dotted, 30),
    ]),
    token("octopus-key", "an Octopus Deploy API key",
        "Octopus documentation, API keys; gitleaks `octopus-deploy-api-key`", &[
            between("API-", Body::UpperNum, 25, 40),
    ]),
    token("terraform-token", "a Terraform Cloud, HCP or Vagrant Cloud token",
        "HCP Terraform documentation, API tokens; gitleaks `hashicorp-tf-api-token`", &[
            infix(run(Body::Base64Url, 14, 14), ".atlasv1.", run(Body::Base64Url, 50, 80)),
    ]),
    token("spacelift-token", "a Spacelift API key secret",
        "Spacelift documentation, API", &[
            near(&["spacelift"], Body::LowerHex, 64),
    ]),
    token("infracost-key", "an Infracost API key",
        "Infracost documentation; gitleaks `infracost-api-token`", &[
            exactly("ico-", Body::Alphanumeric, 32),
    ]),
    token("pulumi-token", "a Pulumi token",
        "Pulumi documentation; gitleaks `pulumi-api-token`", &[
            exactly("pul-", Body::LowerNum, 40),
    ]),
    token("snyk-token", "a Snyk token",
        "Snyk documentation, API tokens; gitleaks `snyk-api-token`", &[
            at_least("snyk_uat.", Body::Dotted, 40), at_least("snyk_sat.", Body::Dotted, 40),
            near(&["snyk"], Body::HexDash, 36),
    ]),
    token("sonar-token", "a SonarQube or SonarCloud token",
        "SonarQube documentation, tokens; gitleaks `sonar-api-token`", &[
            exactly("squ_", Body::LowerNum, 40), exactly("sqp_", Body::LowerNum, 40),
            exactly("sqa_", Body::LowerNum, 40), exactly("sqb_", Body::LowerNum, 40),
            at_least("sqco_", Body::Alphanumeric, 40),
            near(&["sonar", "sonarqube", "sonarcloud"], Body::LowerNum, 40),
    ]),
    token("veracode-key", "a Veracode API id or key",
        "Veracode documentation, API credentials", &[
            at_least("vera01ei-", Body::LowerHex, 32), at_least("vera01es-", Body::LowerHex, 64),
            near(&["veracode"], Body::LowerHex, 128),
    ]),
    token("semgrep-token", "a Semgrep token",
        "Semgrep documentation, tokens", &[
            near(&["semgrep"], Body::LowerHex, 64),
    ]),
    token("socket-token", "a Socket security token",
        "Socket documentation; GitHub secret scanning", &[
            at_least("sktsec_", Body::Base64Url, 20),
    ]),
    token("gitguardian-key", "a GitGuardian API key",
        "GitGuardian documentation, API keys", &[
            near_between(&["gitguardian"], Body::LowerHex, 70, 72),
    ]),
    token("mend-key", "a Mend user key",
        "Mend documentation, user keys", &[
            near(&["mend", "whitesource"], Body::LowerHex, 64),
    ]),
    token("stackhawk-key", "a StackHawk API key",
        "StackHawk documentation; GitHub secret scanning", &[
            at_least("hawk.", Body::Dotted, 40),
    ]),
    token("trufflehog-key", "a TruffleHog key",
        "trufflehog `trufflehogenterprise`", &[
            exactly("thog-secret-", Body::LowerHex, 32), exactly("thog-key-", Body::LowerHex, 16),
    ]),
    token("endor-key", "an Endor Labs key",
        "Endor Labs documentation; trufflehog `endorlabs`", &[
            at_least("endr+", Body::Base64Url, 16),
    ]),
    token("dependency-track-key", "a Dependency-Track API key",
        "Dependency-Track documentation; kingfisher", &[
            at_least("odt_", Body::Word, 32), at_least("alpine_", Body::Alphanumeric, 32),
    ]),
    token("codecov-token", "a Codecov token",
        "Codecov documentation; gitleaks `codecov-access-token`", &[
            near(&["codecov"], Body::HexDash, 36), near(&["codecov"], Body::Alphanumeric, 32),
    ]),
    token("coveralls-token", "a Coveralls token",
        "Coveralls documentation; trufflehog `coveralls`", &[
            near_between(&["coveralls"], Body::Base64Url, 33, 37),
    ]),
    token("codacy-token", "a Codacy token",
        "Codacy documentation; trufflehog `codacy`", &[
            near_between(&["codacy"], Body::Alphanumeric, 20, 24),
    ]),
    token("codeclimate-token", "a Code Climate token",
        "Code Climate documentation; trufflehog `codeclimate`", &[
            near(&["codeclimate"], Body::LowerHex, 40),
            near(&["codeclimate"], Body::LowerHex, 64),
    ]),
    token("deepsource-key", "a DeepSource token",
        "DeepSource documentation", &[
            at_least("dsp_", Body::Word, 30), at_least("dspat_", Body::Word, 30),
    ]),
    token("sourcegraph-token", "a Sourcegraph token",
        "Sourcegraph documentation, access tokens; gitleaks `sourcegraph-access-token`", &[
            at_least("sgp_", Body::Word, 40), exactly("slk_", Body::LowerHex, 64),
            at_least("sgd_", Body::Word, 40), at_least("sgs_", Body::Word, 40),
            at_least("sgph_", Body::Word, 40), at_least("sams_at_", Body::Word, 40),
    ]),
    token("doppler-token", "a Doppler token",
        "Doppler documentation; gitleaks `doppler-api-token`", &[
            at_least("dp.pt.", Body::Dotted, 40), at_least("dp.st.", Body::Dotted, 40),
            at_least("dp.ct.", Body::Dotted, 40), at_least("dp.sa.", Body::Dotted, 40),
            at_least("dp.scim.", Body::Dotted, 40), at_least("dp.audit.", Body::Dotted, 40),
            at_least("dp.said.", Body::Dotted, 40),
    ]),
    token("infisical-token", "an Infisical service token",
        "Infisical documentation, service tokens", &[
            at_least("st.", Body::Dotted, 70),
    ]),
    token("onepassword-token", "a 1Password service account token, secret key or Connect token",
        "1Password documentation; gitleaks `1password-service-account-token`", &[
            at_least("ops_eyJ", Body::Token, 100), between("A3-", Body::UpperNumDash, 36, 38),
    ]),
    token("bitwarden-token", "a Bitwarden secrets manager token",
        "Bitwarden documentation, access tokens", &[
            Format::Shape(&[part(Body::Digits, 1, 1), Part::Sign(b'.'), part(Body::HexDash, 36, 36), Part::Sign(b'.'), part(Body::Alphanumeric, 30, 30), Part::Sign(b':'), part(Body::Base64, 24, 24)]),
    ]),
    token("vault-token", "a HashiCorp Vault token",
        "Vault documentation, tokens; gitleaks `vault-service-token`", &[
            at_least("hvs.", Body::Base64Url, 24), at_least("hvb.", Body::Base64Url, 24),
            at_least("hvr.", Body::Base64Url, 24), exactly("s.", Body::Alphanumeric, 24),
            near(&["secretid"], Body::HexDash, 36), at_least("b.AAAAAQ", Body::Base64Url, 90),
    ]),
    token("boundary-token", "a HashiCorp Boundary token",
        "Boundary documentation, tokens", &[
            at_least("at_", Body::Word, 100),
    ]),
    token("hcp-secret", "a HashiCorp Cloud client secret",
        "HCP documentation, service principals", &[
            near(&["hcp"], Body::Base64Url, 64),
    ]),
    token("npm-token", "an npm access token",
        "npm documentation, access tokens; gitleaks `npm-access-token`", &[
            at_least("npm_", Body::Alphanumeric, 36),
            near(&["npm", "npmjs", "npmrc"], Body::HexDash, 36),
    ]),
    token("pypi-token", "a PyPI upload token",
        "PyPI help; gitleaks `pypi-upload-token`", &[
            at_least("pypi-AgE", Body::Base64Url, 50),
    ]),
    token("rubygems-key", "a RubyGems API key",
        "RubyGems guides; gitleaks `rubygems-api-token`", &[
            between("rubygems_", Body::LowerHex, 40, 60),
    ]),
    token("crates-io-token", "a crates.io token",
        "crates.io, `src/util/token.rs`", &[
            exactly("cio", Body::Alphanumeric, 32),
    ]),
    token("nuget-key", "a NuGet API key",
        "NuGet documentation, API keys; trufflehog `nugetapikey`", &[
            exactly("oy2", Body::LowerNum, 43),
    ]),
    token("packagist-token", "a Packagist token",
        "Packagist documentation; GitHub secret scanning", &[
            at_least("packagist_", Body::Word, 40), at_least("conductor_", Body::Word, 40),
    ]),
    token("clojars-token", "a Clojars deploy token",
        "Clojars wiki, deploy tokens; gitleaks `clojars-api-token`", &[
            exactly("CLOJARS_", Body::LowerNum, 60), exactly("CLOJARS_", Body::Alphanumeric, 60),
    ]),
    token("hex-key", "a Hex API key",
        "Hex documentation, API keys", &[
            near(&["hex"], Body::LowerHex, 32),
    ]),
    token("cloudsmith-key", "a Cloudsmith API key",
        "Cloudsmith documentation; trufflehog `cloudsmith`", &[
            at_least("csa_", Body::LowerHex, 40), near(&["cloudsmith"], Body::LowerHex, 40),
    ]),
    token("packagecloud-token", "a packagecloud token",
        "packagecloud documentation; trufflehog `packagecloud`", &[
            near(&["packagecloud"], Body::LowerHex, 48),
    ]),
    token("gemfury-token", "a Gemfury token",
        "Gemfury documentation, tokens", &[
            near_between(&["gemfury", "fury"], Body::Alphanumeric, 20, 40),
    ]),
    token("artifactory-key", "a JFrog Artifactory API key or reference token",
        "JFrog documentation; gitleaks `artifactory-api-key`", &[
            at_least("AKCp", Body::Alphanumeric, 60), at_least("AKCt", Body::Alphanumeric, 60),
            at_least("cmVmdGtu", Body::Alphanumeric, 50),
            exactly("cmVmd", Body::Alphanumeric, 59),
            near(&["jfrog", "artifactory", "bintray", "xray"], Body::Alphanumeric, 64),
            near(&["jfrog", "artifactory", "bintray", "xray"], Body::Alphanumeric, 73),
    ]),
    token("anaconda-token", "an Anaconda token",
        "Anaconda documentation; GitHub secret scanning", &[
            exactly("an-", Body::HexDash, 36),
    ]),
    token("docker-token", "a Docker Hub token or a Swarm join token",
        "Docker documentation, access tokens and swarm join", &[
            at_least("dckr_pat_", Body::Base64Url, 20),
            at_least("dckr_oat_", Body::Base64Url, 20),
            at_least("SWMTKN-1-", Body::Base64Url, 50), at_least("SWMKEY-1-", Body::Token, 40),
    ]),
    token("sidekiq-secret", "a Sidekiq Pro or Enterprise credential",
        "Sidekiq wiki, installation; gitleaks `sidekiq-secret`", &[
            Format::Shape(&[part(Body::LowerHex, 8, 8), Part::Sign(b':'), part(Body::LowerHex, 8, 8)]),
    ]),
    token("kubernetes-token", "a Kubernetes bootstrap token or a Rancher token",
        "Kubernetes documentation, bootstrap tokens; Rancher documentation, API keys", &[
            near(&["kubeadm", "bootstrap", "token", "k3s", "rke2"], Body::LowerNumDot, 23),
            at_least("K10", Body::Url, 60),
            Format::Shape(&[part(Body::LowerNum, 5, 5), Part::Sign(b'-'), part(Body::LowerNum, 5, 5), Part::Sign(b':'), part(Body::LowerNum, 54, 54)]),
    ]),
    token("openshift-token", "an OpenShift token",
        "OpenShift documentation; gitleaks `openshift-user-token`", &[
            exactly("sha256~", Body::Base64Url, 43),
    ]),
    token("teleport-token", "a Teleport join token",
        "Teleport documentation, join tokens", &[
            near(&["teleport", "tctl"], Body::LowerHex, 32),
    ]),
    token("vscode-token", "a Visual Studio Marketplace token",
        "VS Code documentation, publishing extensions", &[
            near(&["vsce", "ovsx"], Body::LowerNum, 52), near(&["ovsx"], Body::HexDash, 36),
    ]),
    token("launchdarkly-key", "a LaunchDarkly SDK or API key",
        "LaunchDarkly documentation, keys; trufflehog `launchdarkly`", &[
            exactly("sdk-", Body::HexDash, 36), exactly("api-", Body::HexDash, 36),
            exactly("mob-", Body::HexDash, 36), exactly("rel-", Body::HexDash, 36),
            near(&["launchdarkly"], Body::Base64Url, 40),
    ]),
    token("statsig-key", "a Statsig key",
        "Statsig documentation; GitHub secret scanning", &[
            between("secret-", Body::Alphanumeric, 30, 60),
            between("console-", Body::Alphanumeric, 30, 60),
    ]),
    token("split-key", "a Split API key",
        "Split documentation, API keys", &[
            near_between(&["split"], Body::LowerNum, 50, 56),
    ]),
    token("configcat-key", "a ConfigCat SDK key",
        "ConfigCat documentation, SDK keys", &[
            at_least("configcat-sdk-1/", Body::Path, 40),
    ]),
    token("unleash-token", "an Unleash API token",
        "Unleash documentation, API tokens", &[
            infix(run(Body::Base64Url, 0, 30), ":production.", run(Body::Base64Url, 40, 64)),
            infix(run(Body::Base64Url, 0, 30), ":development.", run(Body::Base64Url, 40, 64)),
    ]),
    token("prefect-key", "a Prefect API key",
        "Prefect documentation, API keys; gitleaks `prefect-api-token`", &[
            exactly("pnu_", Body::Alphanumeric, 36), exactly("pnb_", Body::Alphanumeric, 36),
    ]),
    token("dbt-token", "a dbt Cloud token",
        "dbt documentation, tokens", &[
            at_least("dbtc_", Body::Base64Url, 30), at_least("dbtu_", Body::Base64Url, 30),
            at_least("dbts_", Body::Base64Url, 30),
    ]),
    token("zuplo-key", "a Zuplo API key",
        "Zuplo documentation, API keys; GitHub secret scanning", &[
            at_least("zpka_", Body::Word, 30), at_least("zpat_", Body::Word, 30),
    ]),
    token("postman-key", "a Postman API key",
        "Postman documentation; gitleaks `postman-api-token`", &[
            exactly("PMAK-", Body::Base64Url, 59), exactly("PMAT-", Body::Alphanumeric, 26),
    ]),
    token("readme-key", "a ReadMe API key",
        "ReadMe documentation; gitleaks `readme-api-token`", &[
            at_least("rdme_", Body::LowerNum, 60),
    ]),
    token("apify-token", "an Apify token",
        "Apify documentation; GitHub secret scanning; trufflehog `apify`", &[
            at_least("apify_api_", Body::Alphanumeric, 30),
            at_least("apify_proxy_", Body::Alphanumeric, 30), at_least("apify_", Body::Word, 36),
    ]),
    token("browserstack-key", "a BrowserStack access key",
        "BrowserStack documentation; trufflehog `browserstack`", &[
            near(&["browserstack"], Body::Alphanumeric, 20),
    ]),
    token("saucelabs-key", "a Sauce Labs access key",
        "Sauce Labs documentation; trufflehog `saucelabs`", &[
            near(&["saucelabs", "sauce"], Body::HexDash, 36),
    ]),
    token("percy-token", "a Percy token",
        "Percy documentation, tokens; trufflehog `percy`", &[
            near(&["percy"], Body::LowerHex, 64), exactly("web_", Body::LowerHex, 64),
            exactly("auto_", Body::LowerHex, 64),
    ]),
    token("checkly-key", "a Checkly API key",
        "Checkly documentation; GitHub secret scanning", &[
            exactly("cu_", Body::LowerHex, 32), exactly("sv_", Body::LowerHex, 32),
            near(&["checkly", "checklyhq"], Body::LowerHex, 32),
    ]),
    token("cypress-key", "a Cypress record key",
        "Cypress documentation, projects", &[
            near(&["cypress"], Body::HexDash, 36),
    ]),
    token("browserless-key", "a Browserless token",
        "Browserless documentation", &[
            near(&["browserless"], Body::HexDash, 36),
    ]),
    token("authress-key", "an Authress access key",
        "Authress documentation; gitleaks `authress-service-client-access-key`", &[
            at_least("sc_", Body::DottedToken, 60), at_least("ext_", Body::DottedToken, 60),
            at_least("scauth_", Body::DottedToken, 60),
            at_least("authress_", Body::DottedToken, 60),
    ]),
    token("intra42-secret", "a 42 API secret",
        "42 API; gitleaks `intra42-client-secret`", &[
            exactly("s-s4t2ud-", Body::LowerHex, 64), exactly("s-s4t2af-", Body::LowerHex, 64),
            exactly("u-s4t2ud-", Body::LowerHex, 64), exactly("u-s4t2af-", Body::LowerHex, 64),
    ]),
    token("pinecone-key", "a Pinecone API key",
        "Pinecone documentation, API keys; trufflehog `pinecone`", &[
            at_least("pcsk_", Body::Word, 60), near(&["pinecone"], Body::HexDash, 36),
    ]),
];
