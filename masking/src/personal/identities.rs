//! The national identification and tax numbers, as data.
//!
//! A form describes the characters of a number: `9` is a digit, `A` a letter, `*` either of them,
//! `0` to `8` and all other characters are literal. The names are written as in the vocabulary.

use super::identity_checks as check;
use super::tax_checks as tax;

/// A kind of number of a country.
#[derive(Debug)]
pub(super) struct Identity {
    /// Forms that no other numbers have. Their check digits must be valid.
    pub(super) alone: &'static [&'static str],
    /// Forms that count only after one of the words. Their check digits must be valid.
    pub(super) named: &'static [&'static str],
    /// Words that name only this number. After them every number of a plausible form is hidden.
    pub(super) strong: &'static str,
    /// Words that also mean other things, so that the form and the check digits must fit.
    pub(super) weak: &'static str,
    /// Checks the letters, in upper case, and digits of a number.
    pub(super) checks: fn(&[u8]) -> bool,
}

const fn row(
    alone: &'static [&'static str],
    named: &'static [&'static str],
    strong: &'static str,
    weak: &'static str,
    checks: fn(&[u8]) -> bool,
) -> Identity {
    Identity {
        alone,
        named,
        strong,
        weak,
        checks,
    }
}

#[rustfmt::skip]
pub(super) const IDENTITIES: &[Identity] = &[
    // United States: social security number and taxpayer's number, employer's number, Medicare.
    row(&["999-99-9999"], &["999999999", "999 99 9999"], "ssn itin atin", "social security taxpayer ss", check::is_us),
    row(&[], &["99-9999999"], "ein fein", "employer irs", tax::is_ein),
    row(&[], &["9A*9A*9AA99", "9A*9-A*9-AA99"], "mbi", "", check::always),
    // United Kingdom: national insurance, self assessment, health service.
    row(&["AA999999A", "AA 99 99 99 A"], &["AA 999999 A", "AA-99-99-99-A"], "nino ninumber", "ni", check::is_uk),
    row(&[], &["9999999999", "99999 99999"], "utr uniquetaxpayerreference", "", check::always),
    row(&[], &["9999999999", "999 999 9999", "999-999-9999"], "nhsno nhsnumber", "nhs", check::is_nhs),
    // Ireland: personal public service number.
    row(&["9999999AA"], &["9999999A"], "pps ppsn ppsno", "pensions", check::is_irish),
    // France: number of the register of persons; tax number.
    row(&["999999999999999", "9 99 99 99 999 999 99", "9 99 9A 999 999 99", "9999A9999999999"], &[], "nir numerosecu numsecu nirpp", "secu", check::is_french),
    row(&[], &["9999999999999", "99 99 999 999 999"], "spi numerofiscal numfiscal siret siren", "fiscal", check::always),
    // Germany: tax id, number of the pension insurance, health insurance.
    row(&["99999999999", "99 999 999 999"], &[], "steuerid steueridnr idnummer tin", "identifikationsnummer", check::is_german),
    row(&["99 999999 A 999"], &["99999999A999", "99999999 A 999"], "svnr rvnr rentenversicherung* sozialversicherung* versicherungsnummer", "", check::is_german_pension),
    row(&[], &["A999999999", "A 999 999 999"], "kvnr krankenversichertennummer egk", "krankenkasse versichertennr", check::always),
    // Austria: social insurance; Switzerland: AHV number, company number.
    row(&[], &["9999 999999", "9999999999"], "svnr svnummer ecard abgabenkonto*", "atu", check::always),
    row(&["756.9999.9999.99", "7569999999999", "756 9999 9999 99"], &[], "ahv avs ahvnummer navs numeroavs oasi versichertennummer", "", check::is_ean),
    row(&["CHE-999.999.999"], &["CHE999999999"], "che uidnummer", "", check::always),
    // Spain: identity card, identity card of foreigners, companies.
    row(&["99999999A", "99999999-A", "99.999.999-A"], &["99999999 A"], "dni nif nie", "", check::is_spanish),
    row(&["A9999999A", "A-9999999-A"], &[], "nie", "", check::is_spanish_foreigner),
    row(&[], &["A99999999", "A9999999A", "A-99999999"], "cif", "", check::always),
    // Italy: tax code.
    row(&["AAAAAA99A99A999A", "AAAAAA 99A99 A999A"], &[], "codicefiscale codfiscale", "cf tinit", check::is_italian),
    // Portugal: tax number, citizen's card, social security.
    row(&[], &["999999999", "999 999 999"], "nif contribuinte niss nus", "", check::is_portuguese),
    row(&["99999999 9 AA9"], &["999999999AA9", "99999999 9AA9"], "cartaocidadao", "bi cc", check::always),
    // Netherlands: citizen's service number.
    row(&[], &["999999999", "9999.99.999", "9999 99 999"], "bsn burgerservicenummer sofinummer", "sofi", check::is_dutch),
    // Belgium: national register, company number.
    row(&["99.99.99-999.99", "99.99.99-999-99"], &["99999999999"], "rijksregister* insz niss nrn numeronational registrenational", "registre", check::is_belgian),
    row(&[], &["BE 9999.999.999", "BE9999999999", "9999.999.999"], "btw tva ondernemingsnummer kbo", "", check::always),
    // Luxembourg: matricule.
    row(&[], &["9999999999999", "9999 9999 99999", "99999999 99999"], "matriculenationale", "matricule", check::always),
    // Denmark: CPR number, which has had no check digit since 2007.
    row(&[], &["999999-9999", "9999999999"], "cpr cprnr cprnummer", "personnummer", check::is_danish),
    // Finland: personal identity code.
    row(&["999999-999*", "999999A999*", "999999+999*"], &[], "hetu henkilotunnus* sotu personbeteckning", "", check::is_finnish),
    // Norway: birth number; D number.
    row(&["999999 99999"], &["99999999999"], "fodselsnummer* fnr dnummer", "personnummer", check::is_norwegian),
    // Sweden: personal number.
    row(&["999999-9999", "99999999-9999", "999999+9999"], &["9999999999", "999999999999"], "personnummer* personnr samordningsnummer", "pnr", check::is_swedish),
    // Iceland: kennitala.
    row(&[], &["999999-9999", "9999999999"], "kennitala", "", check::is_icelandic),
    // Poland: PESEL, NIP, REGON.
    row(&[], &["99999999999"], "pesel", "", check::is_polish),
    row(&[], &["9999999999", "999-999-99-99", "999-99-99-999"], "nip regon", "", tax::is_nip),
    // Czechia and Slovakia: birth number.
    row(&["999999/9999"], &["9999999999"], "rodnecislo rodne rodcislo", "rc", check::is_czech),
    // Hungary: tax id, social security, personal id.
    row(&[], &["9999999999", "999 999 999", "999999999", "9-999999-9999"], "taj tajszam adoazonosito* adoszam*", "", check::always),
    // Romania: personal code.
    row(&[], &["9999999999999"], "cnp codnumericpersonal", "", check::is_romanian),
    // Bulgaria: personal number.
    row(&[], &["9999999999"], "егн egn", "", check::is_bulgarian),
    // Greece: social security, tax number, identity card.
    row(&[], &["99999999999", "999999999"], "αμκα amka αφμ afm αδτ adt", "", check::always),
    // Croatia: OIB; countries of former Yugoslavia: JMBG; Slovenia.
    row(&[], &["99999999999"], "oib", "", check::is_iso_11_10),
    row(&[], &["9999999999999"], "jmbg emso embg maticnibroj јмбг жмбг ембг", "", check::is_jmbg),
    // Baltic states: personal codes.
    row(&[], &["99999999999"], "isikukood asmenskodas pnoee pnolt pnolv", "ak kodas", check::is_baltic),
    row(&["999999-99999"], &["99999999999"], "personaskods", "pk", check::is_latvian),
    // Malta, Cyprus, Albania, Moldova.
    row(&[], &["9999999A", "999999A"], "maltaid idcardmalta", "", check::always),
    row(&[], &["99999999A", "A99999999A"], "nid nipt nuis", "", check::always),
    row(&[], &["9999999999999"], "idnp idno", "", check::always),
    // Turkey: identity number, tax number.
    row(&[], &["99999999999"], "tckn tckimlik* tcno tckimlikno", "tc kimlik", check::is_turkish),
    // Ukraine, Russia, Belarus, Kazakhstan.
    row(&[], &["9999999999"], "рнокпп rnokpp ипн іпн едрпоу drfo", "", check::is_ukrainian),
    row(&["999-999-999 99", "999-999-999-99"], &["99999999999"], "снилс snils", "", check::is_snils),
    row(&[], &["999999999999", "9999999999"], "инн inn огрн огрнип ogrn", "", check::always),
    row(&["9999999A999AA9"], &[], "идентификационный личныйномер", "", check::always),
    row(&[], &["999999999999"], "иин жсн iin бин bin1", "", check::is_kazakh),
    // Brazil: CPF, CNPJ, identity card, driving licence, social programmes.
    row(&["999.999.999-99"], &["99999999999", "999999999-99"], "cpf", "", check::is_brazilian),
    row(&["99.999.999/9999-99"], &["99999999999999"], "cnpj", "", tax::is_brazilian_company),
    row(&[], &["99.999.999-*", "99999999*", "9.999.999"], "rg cnh renach pis pasep pispasep nis nit titulo", "", check::always),
    // Mexico: CURP, RFC, NSS, voter's card.
    row(&["AAAA999999AAAAAA**"], &[], "curp", "", check::is_mexican),
    row(&[], &["AAAA999999***", "AAA999999***", "AAAA-999999-***"], "", "rfc", check::is_rfc),
    row(&[], &["99999999999", "99-99-99-9999-9"], "nss imss", "ine", check::always),
    // Argentina, Uruguay, Paraguay, Bolivia.
    row(&["99-99999999-9"], &["99999999999"], "cuit cuil cdi", "", tax::is_argentinian),
    row(&[], &["9.999.999-9", "99999999", "99.999.999", "9999999-9"], "dni", "ci lc le", check::always),
    // Chile: RUT.
    row(&["99.999.999-*", "9.999.999-*"], &["99999999-*", "9999999-*", "99999999*"], "rut rutcliente", "run", check::is_chilean),
    // Colombia, Peru, Ecuador, Venezuela, Central America.
    row(&[], &["999999999-9", "999.999.999-9"], "nit cedulaciudadania tarjetaidentidad nuip ruc", "", check::always),
    row(&[], &["9999999999"], "cedula", "", check::is_ecuadorian),
    row(&["A-99999999-9"], &["A999999999"], "rif", "", check::is_venezuelan),
    row(&[], &["9-9999-9999", "9-999-9999", "99999999-9", "9999-9999-99999", "9999 99999 9999"], "dui dpi cui cie dimex cedulafisica cedulajuridica", "", check::always),
    row(&[], &["999-9999999-9"], "cedularnc rnc", "", check::is_luhn),
    // Canada: social insurance, health cards.
    row(&[], &["999999999", "999 999 999", "999-999-999"], "socialinsurance nas", "sin insurance", check::is_luhn),
    row(&[], &["9999-999-999", "9999999999", "9999-999-999-AA"], "ohip ramq healthcard", "", check::always),
    // India: Aadhaar, tax card, voter's card.
    row(&["9999 9999 9999"], &["999999999999", "9999-9999-9999"], "aadhaar aadhar uidai आधार", "uid", check::is_verhoeff),
    row(&[], &["AAAAA9999A"], "pancard panno pannumber pan1", "pan", tax::is_indian_tax),
    row(&[], &["AAA9999999", "99AAAAA9999A9A*"], "epic voterid voter gstin uan", "", check::always),
    // China, Hong Kong, Macao, Taiwan.
    row(&["999999999999999999", "99999999999999999A"], &[], "身份证 公民身份", "", check::is_chinese),
    row(&["A999999(9)", "AA999999(9)", "A999999(A)", "AA999999(A)"], &["A9999999", "AA9999999"], "hkid 香港身份證 身份證", "", check::is_hong_kong),
    row(&["A999999999"], &[], "身分證 統一證號", "", check::is_taiwanese),
    // Japan: my number. South Korea: resident registration number.
    row(&[], &["999999999999", "9999 9999 9999", "9999-9999-9999"], "mynumber マイナンバー 個人番号", "", check::is_japanese),
    row(&["999999-9999999"], &["9999999999999"], "rrn jumin juminno 주민등록번호", "", check::is_korean),
    // Singapore, Malaysia, Thailand, Indonesia, Philippines, Vietnam.
    row(&["A9999999A"], &[], "nric fin", "", check::is_singaporean),
    row(&["999999-99-9999"], &["999999999999"], "mykad nric icno kadpengenalan", "ic", check::is_malaysian),
    row(&["9-9999-99999-99-9", "9 9999 99999 99 9"], &["9999999999999"], "citizenid thaiid บัตรประชาชน เลขประจำตัวประชาชน", "", check::is_thai),
    row(&["99.999.999.9-999.999"], &["9999999999999999", "999999999999999"], "nik ktp npwp", "", check::always),
    row(&[], &["99-9999999-9", "9999-9999999-9", "99-999999999-9", "999-999-999-999", "9999-9999-9999"], "sss gsis umid crn philhealth pagibig philsys psn pcn", "", check::always),
    row(&[], &["999999999999", "999999999", "9999999999"], "cccd cmnd masothue mst", "", check::always),
    // Pakistan, Bangladesh, Sri Lanka, Nepal.
    row(&["99999-9999999-9"], &["9999999999999"], "cnic nicop nadra", "", check::always),
    row(&[], &["9999999999", "9999999999999", "99999999999999999"], "nid smartnid", "", check::always),
    row(&[], &["999999999V", "999999999X", "999999999999"], "nic", "", check::always),
    // Israel, Saudi Arabia, Emirates, the Gulf, Egypt, Iran, Iraq, Jordan.
    row(&[], &["999999999", "99999999-9"], "teudatzehut mispartzehut זהות", "", check::is_israeli),
    row(&["784-9999-9999999-9"], &["784999999999999"], "emiratesid eid emirates", "", check::is_emirati),
    row(&[], &["9999999999"], "iqama iqamano saudiid qid qatarid cpr civilid", "", check::always),
    row(&[], &["99999999999999", "9999999999"], "nationalcode melli codemelli kodemelli کدملی", "", check::always),
    // South Africa, Nigeria, Kenya, Ghana, Mauritius, Morocco, Tunisia.
    row(&[], &["9999999999999", "999999 9999 999"], "rsaid saidnumber", "identity said rsa", check::is_south_african),
    row(&[], &["99999999999"], "nin bvn", "", check::always),
    row(&[], &["A999999999A"], "krapin", "", check::always),
    row(&["GHA-999999999-9"], &[], "ghanacard", "", check::always),
    row(&[], &["AA999999", "A999999", "99999999"], "cnie cin", "", check::always),
    // Australia, New Zealand.
    row(&[], &["999999999", "999 999 999"], "tfn taxfilenumber", "tax", check::is_australian),
    row(&[], &["99 999 999 999", "99999999999", "999 999 999", "9999 99999 9", "9999999999"], "abn acn medicare medicarecard ihi crn", "", check::always),
    row(&[], &["999999999", "999-999-999"], "ird irdnumber irdno", "", tax::is_ird),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_accept_all_lengths_of_the_forms() {
        for identity in IDENTITIES {
            for form in identity.alone.iter().chain(identity.named) {
                for digit in b'0'..=b'9' {
                    let fill = |byte: u8| match byte {
                        b'9' | b'*' => Some(digit),
                        b'A' => Some(b'A' + digit - b'0'),
                        b'0'..=b'8' => Some(byte),
                        _ => None,
                    };
                    let characters: Vec<u8> = form.bytes().filter_map(fill).collect();
                    let _ = (identity.checks)(&characters);
                }
            }
        }
    }
}
