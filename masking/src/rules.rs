//! The built-in rules: their names, what they find, and the sources of their formats.

use crate::tokens;

/// The description of a built-in rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// The name in the mask, by which a team can switch the rule off.
    pub name: &'static str,
    /// What the rule finds.
    pub finds: &'static str,
    /// The source that defines the format.
    pub source: &'static str,
}

pub(crate) const SECRET: &str = "secret";
pub(crate) const BEARER: &str = "bearer-token";
pub(crate) const BASIC: &str = "basic-credentials";
pub(crate) const URL_PASSWORD: &str = "url-password";
pub(crate) const PRIVATE_KEY: &str = "private-key";
pub(crate) const JWT: &str = "jwt";
pub(crate) const AWS_SECRET: &str = "aws-secret-key";
pub(crate) const AZURE_SAS: &str = "azure-sas";
pub(crate) const DISCORD: &str = "discord-token";
pub(crate) const WALLET_KEY: &str = "wallet-key";
pub(crate) const EMAIL: &str = "email";
pub(crate) const PHONE: &str = "phone";
pub(crate) const CARD: &str = "payment-card";
pub(crate) const IBAN: &str = "iban";
pub(crate) const NATIONAL_ID: &str = "national-id";
pub(crate) const IP_ADDRESS: &str = "ip-address";
pub(crate) const ACCOUNT: &str = "bank-account";
pub(crate) const BIRTH: &str = "date-of-birth";
pub(crate) const MAC_ADDRESS: &str = "mac-address";
pub(crate) const DEVICE_ID: &str = "device-id";
pub(crate) const WALLET: &str = "wallet";

const fn rule(name: &'static str, finds: &'static str, source: &'static str) -> RuleInfo {
    RuleInfo {
        name,
        finds,
        source,
    }
}

/// The rules that check more than a known prefix.
const OTHERS: [RuleInfo; 20] = [
    rule(
        SECRET,
        "the value after a key name that holds a secret: `password=…`, `\"apiKey\": \"…\"`, `?token=…`, `--password …`, `<password>…`",
        "OWASP Logging Cheat Sheet, data to exclude",
    ),
    rule(
        BEARER,
        "the credential after `Bearer` or another scheme of an `Authorization` header",
        "RFC 6750; RFC 9110, section 11",
    ),
    rule(
        BASIC,
        "the credential after `Basic`: user and password in base64",
        "RFC 7617",
    ),
    rule(
        URL_PASSWORD,
        "the password in `scheme://user:password@host`, or a token instead of the user",
        "RFC 3986, section 3.2.1",
    ),
    rule(
        PRIVATE_KEY,
        "a private key in PEM or PGP armour, also if it is truncated or has `\\n` instead of line ends; the private part of a key of PuTTY, OpenVPN or JSON Web Key",
        "RFC 7468; RFC 9580, section 6.2; RFC 7517; PuTTY manual, appendix C",
    ),
    rule(
        JWT,
        "a JSON Web Token: its header, its payload and its signature",
        "RFC 7519; RFC 7515, section 7.1; RFC 7516, section 7.1",
    ),
    rule(
        AWS_SECRET,
        "an AWS secret access key in a text with an access key id or with a setting such as `aws_region`",
        "AWS IAM guide, access keys; gitleaks `aws-access-token`",
    ),
    rule(
        AZURE_SAS,
        "the signature of an Azure shared access signature: `sig=…`",
        "Azure Storage documentation, service SAS",
    ),
    rule(
        DISCORD,
        "a Discord bot token: three parts, the first begins with M, N or O",
        "Discord developer documentation, reference; detect-secrets `discord`",
    ),
    rule(
        EMAIL,
        "an e-mail address, also with `%40`, `[at]` or a quoted local part; not `git@…:`, not `logo@2x.png`",
        "RFC 5321, section 4.1.2; RFC 6531",
    ),
    rule(
        PHONE,
        "a phone number with its country code, in the usual groups of its country, or in any form after a word such as `phone` in about thirty languages",
        "ITU-T E.164; ITU-T E.123; the national numbering plans; RFC 3966",
    ),
    rule(
        CARD,
        "a payment card's number, with an issuer's prefix and length and a valid Luhn digit; also in groups; also the data of a magnetic stripe",
        "ISO/IEC 7812; ISO/IEC 7813; the issuers' BIN ranges",
    ),
    rule(
        IBAN,
        "an IBAN with its country's length and valid check digits; also in groups",
        "ISO 13616; SWIFT IBAN registry",
    ),
    rule(
        NATIONAL_ID,
        "a national identification or tax number with valid check digits, see the list of countries; and the number of a passport, licence or card after its word",
        "the issuers' rules; python-stdnum, whose documentation collects them; ICAO 9303",
    ),
    rule(
        IP_ADDRESS,
        "an IPv4 or IPv6 address; not loopback, unspecified, a network or a net mask, and not a version",
        "RFC 791; RFC 4291; RFC 5952",
    ),
    rule(
        ACCOUNT,
        "the number of a bank account or the code of a bank after a word for it",
        "the fields of payment systems: SEPA, UK sort codes, ABA, CLABE, BSB, IFSC",
    ),
    rule(
        BIRTH,
        "a date after a word for birth in about thirty languages: `dob`, `Geburtsdatum`, `né le`, `生年月日`",
        "schema.org `birthDate`; CLDR date formats",
    ),
    rule(
        MAC_ADDRESS,
        "the hardware address of a network device; as bare hex digits after a word such as `mac`",
        "IEEE 802, EUI-48",
    ),
    rule(
        DEVICE_ID,
        "the IMEI, IMSI, ICCID, UDID or advertising id of a device after its word",
        "3GPP TS 23.003; ITU-T E.118; Apple and Google documentation, advertising ids",
    ),
    rule(
        WALLET,
        "an address of a wallet with a valid checksum; other addresses after a word such as `wallet`",
        "BIP 173; BIP 350; base58check; EIP-55; the documentation of each currency",
    ),
];

/// Every built-in rule: credentials first, then personal data.
pub fn rules() -> impl Iterator<Item = &'static RuleInfo> {
    let (credentials, personal) = OTHERS.split_at(9);
    let tokens = tokens::rules().map(|token| &token.info);
    credentials.iter().chain(tokens).chain(personal)
}

/// Whether a built-in rule has this name.
pub(crate) fn is_rule(name: &str) -> bool {
    rules().any(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_a_unique_name_that_fits_a_mark() {
        let names: BTreeSet<_> = rules().map(|rule| rule.name).collect();
        assert_eq!(names.len(), rules().count());
        for name in names {
            let mark = format!("{}{name}]", crate::text::MARK);
            let length = crate::text::mark_length(mark.as_bytes());
            assert_eq!(length, Some(mark.len()), "{name}");
        }
    }
}
