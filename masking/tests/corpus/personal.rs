//! Personal data with valid check digits.

use fake::Fake;
use fake::faker::internet::raw::{FreeEmail, IPv4, IPv6, SafeEmail};
use fake::faker::phone_number::raw::{CellNumber, PhoneNumber};
use fake::locales::*;
use rand::RngExt;
use rand::rngs::StdRng;

use super::Sample;
use super::scenes::*;

/// Calls a macro's body for each locale that the `fake` crate has.
macro_rules! each_locale {
    ($rng:ident, $samples:ident, $body:expr) => {{
        let body = $body;
        each_locale!(@ body, $rng, $samples, AR_SA CY_GB DE_DE EN FA_IR FR_FR IT_IT JA_JP NL_NL PT_BR PT_PT TR_TR ZH_CN ZH_TW);
    }};
    (@ $body:ident, $rng:ident, $samples:ident, $($locale:ident)+) => {
        $(
            let kinds = (concat!("e-mail, ", stringify!($locale)), concat!("phone, ", stringify!($locale)));
            let free = make_deliverable(FreeEmail($locale).fake_with_rng($rng));
            let safe = make_deliverable(SafeEmail($locale).fake_with_rng($rng));
            let phone: String = PhoneNumber($locale).fake_with_rng($rng);
            let cell: String = CellNumber($locale).fake_with_rng($rng);
            $body($rng, &mut $samples, kinds, [free, safe, phone, cell]);
        )+
    };
}

pub fn samples(rng: &mut StdRng) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..180 {
        each_locale!(
            rng,
            samples,
            |rng: &mut StdRng,
             samples: &mut Vec<Sample>,
             kinds: (&'static str, &'static str),
             values: [String; 4]| {
                for (index, value) in values.into_iter().enumerate() {
                    let kind = if index < 2 { kinds.0 } else { kinds.1 };
                    samples.push(sample(kind, placed(rng, &value), value));
                }
            }
        );
    }
    for _ in 0..400 {
        own(rng, &mut samples);
    }
    for _ in 0..180 {
        national_ids(rng, &mut samples);
    }
    samples
}

/// Removes spaces and additional `@` from an address. For names in some scripts the crate
/// generates addresses with them, which no mail server accepts.
fn make_deliverable(email: String) -> String {
    let (user, host) = email.rsplit_once('@').unwrap();
    format!("{}@{host}", user.replace([' ', '@'], ""))
}

fn sample(kind: &'static str, text: String, secret: String) -> Sample {
    Sample {
        kind,
        text,
        secret: Some(secret),
    }
}

fn own(rng: &mut StdRng, samples: &mut Vec<Sample>) {
    let mut add = |rng: &mut StdRng, kind, value: String| {
        samples.push(sample(kind, placed(rng, &value), value));
    };
    let value = email(rng);
    add(rng, "e-mail, unusual", value);
    let value = card(rng);
    let written = grouped(rng, &value);
    add(rng, "payment card", value);
    add(rng, "payment card, in groups", written);
    let value = iban(rng);
    add(rng, "IBAN, in groups", in_groups(&value, 4, ' '));
    add(rng, "IBAN", value);
    let value = international_phone(rng);
    add(rng, "phone, international", value);
    let value = national_phone(rng);
    add(rng, "phone, national, in groups", value);
    let value: String = public_v4(rng);
    add(rng, "IPv4", value);
    let value: String = IPv6(EN).fake_with_rng(rng);
    // Multicast addresses stay readable on purpose.
    add(rng, "IPv6", value.to_lowercase().replacen("ff", "2f", 1));
    let value = short_v6(rng);
    add(rng, "IPv6, compressed", value);
    let pairs: Vec<String> = (0..6).map(|_| hex(rng, 2)).collect();
    let mark = pick(rng, &[":", "-"]);
    add(
        rng,
        "MAC address",
        format!("a{}{mark}{}", &pairs[0][..1], pairs[1..].join(mark)),
    );

    let value = bare_phone(rng);
    let words = [
        "phone",
        "phoneNumber",
        "mobile",
        "tel",
        "Telefon",
        "fax",
        "customerPhone",
        "cell_phone",
        "téléphone",
        "MSISDN",
        "whatsapp",
    ];
    samples.push(sample(
        "phone, bare digits behind a word",
        named(rng, &words, &value),
        value,
    ));
    let value = encoded_email(rng);
    let text = format!("GET /users?q={value}&page=2");
    samples.push(sample("e-mail in a URL", text, value));
    let value = public_v4(rng);
    let text = pick(
        rng,
        &[
            "http://{}:8080/health",
            "{}:443",
            "connect to {}:5432 failed",
            "{} - - [17/May/2024:09:12:44 +0000] \"GET / HTTP/1.1\" 200 512",
            "X-Forwarded-For: {}, 10.1.2.3",
            "subnet {}/24",
            "[{}]",
            "src={} dst=10.0.0.7",
        ],
    )
    .replace("{}", &value);
    samples.push(sample("IPv4 in logs and URLs", text, value));
}

fn email(rng: &mut StdRng) -> String {
    let user = one_of(
        [
            "obrien".to_owned(),
            "anna.schmidt+news".into(),
            "j_doe-99".into(),
            "müller".into(),
            "山田".into(),
            "x".into(),
            "first.middle.last".into(),
            "A.Very.Long.Name.Of.Somebody".into(),
        ],
        rng,
    );
    let host = pick(
        rng,
        &[
            "example.co.uk",
            "mail.acme-corp.io",
            "xn--bcher-kva.example",
            "bücher.example",
            "sub.sub2.university.edu",
            "gmail.com",
            "proton.me",
            "firma.hamburg",
            "例子.公司",
        ],
    );
    format!("{user}{}@{host}", between(rng, 1, 99))
}

fn encoded_email(rng: &mut StdRng) -> String {
    let user = random(rng, LOWER, 7);
    let host = pick(rng, &["gmail.com", "example.org", "acme.co.jp"]);
    one_of([format!("{user}%40{host}"), format!("{user}@{host}")], rng)
}

fn luhn_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let value = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap()
}

fn card(rng: &mut StdRng) -> String {
    let (prefix, length) = pick(
        rng,
        &[
            ("4", 16),
            ("4", 16),
            ("4", 19),
            ("51", 16),
            ("53", 16),
            ("55", 16),
            ("2221", 16),
            ("2500", 16),
            ("2720", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
            ("644", 16),
            ("3528", 16),
            ("3589", 16),
            ("36", 14),
            ("300", 14),
            ("38", 14),
            ("62", 16),
            ("62", 19),
            ("2200", 16),
        ],
    );
    let body = digits(rng, length - 1 - prefix.len());
    let body = format!("{prefix}{body}");
    // Mastercard's last prefix is 2720 99.
    let body = if prefix == "2720" {
        format!("2720{}", &body[4..]).replacen(&body[4..6], "50", 1)
    } else {
        body
    };
    format!("{body}{}", luhn_digit(&body))
}

fn grouped(rng: &mut StdRng, card: &str) -> String {
    let separator = pick(rng, &[' ', '-']);
    match card.len() {
        15 => format!(
            "{}{separator}{}{separator}{}",
            &card[..4],
            &card[4..10],
            &card[10..]
        ),
        14 => format!(
            "{}{separator}{}{separator}{}",
            &card[..4],
            &card[4..10],
            &card[10..]
        ),
        _ => in_groups(card, 4, separator),
    }
}

fn in_groups(text: &str, size: usize, separator: char) -> String {
    let mut written = String::new();
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % size == 0 {
            written.push(separator);
        }
        written.push(character);
    }
    written
}

fn iban(rng: &mut StdRng) -> String {
    // `n` is a digit, `c` a letter or digit, `a` a letter.
    let (country, form) = pick(
        rng,
        &[
            ("DE", "nnnnnnnnnnnnnnnnnn"),
            ("GB", "aaaannnnnnnnnnnnnn"),
            ("FR", "nnnnnnnnnnccccccccccnnn".trim_end()),
            ("IT", "annnnnnnnnncccccccccccc"),
            ("ES", "nnnnnnnnnnnnnnnnnnnn"),
            ("NL", "aaaannnnnnnnnn"),
            ("BE", "nnnnnnnnnnnn"),
            ("CH", "nnnnncccccccccccc"),
            ("AT", "nnnnnnnnnnnnnnnn"),
            ("PL", "nnnnnnnnnnnnnnnnnnnnnnnn"),
            ("SE", "nnnnnnnnnnnnnnnnnnnn"),
            ("NO", "nnnnnnnnnnn"),
            ("DK", "nnnnnnnnnnnnnn"),
            ("FI", "nnnnnnnnnnnnnn"),
            ("PT", "nnnnnnnnnnnnnnnnnnnnn"),
            ("IE", "aaaannnnnnnnnnnnnn"),
            ("BR", "nnnnnnnnnnnnnnnnnnnnnnnac"),
            ("TR", "nnnnnncccccccccccccccc"),
            ("SA", "nncccccccccccccccccc"),
            ("AE", "nnnnnnnnnnnnnnnnnnn"),
            ("MT", "aaaannnnncccccccccccccccccc"),
            ("LU", "nnnccccccccccccc"),
            ("GR", "nnnnnnncccccccccccccccc"),
        ],
    );
    let body: String = form
        .chars()
        .map(|place| match place {
            'n' => random(rng, DIGITS, 1),
            'a' => random(rng, UPPER, 1),
            _ => random(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 1),
        })
        .collect();
    let rest = format!("{body}{country}00")
        .bytes()
        .fold(0u32, |rest, byte| {
            if byte.is_ascii_digit() {
                (rest * 10 + u32::from(byte - b'0')) % 97
            } else {
                (rest * 100 + u32::from(byte - b'A') + 10) % 97
            }
        });
    format!("{country}{:02}{body}", 98 - rest)
}

fn international_phone(rng: &mut StdRng) -> String {
    let pattern = pick(
        rng,
        &[
            "+49 30 ^#######",
            "+49 (0)171 #######",
            "+49171#######",
            "+44 20 7### ####",
            "+44 7### ######",
            "+447#########",
            "+44 (0)161 ### ####",
            "+33 6 ## ## ## ##",
            "+33#########",
            "+34 6## ### ###",
            "+39 3## ### ####",
            "+1 ^## ^## ####",
            "+1-^##-^##-####",
            "+1 (^##) ^##-####",
            "+1^##^######",
            "+81 90-####-####",
            "+8613#########",
            "+86 138 #### ####",
            "+91 9#### #####",
            "+919#########",
            "+61 4## ### ###",
            "+55 11 9####-####",
            "+7 (912) ###-##-##",
            "+48 5## ### ###",
            "+46 70 ### ## ##",
            "+47 9## ## ###",
            "+45 ^# ## ## ##",
            "+41 79 ### ## ##",
            "+43 664 #######",
            "+353 87 ### ####",
            "+971 50 ### ####",
            "+27 82 ### ####",
            "+52 55 #### ####",
            "+82 10-####-####",
            "+65 9### ####",
            "+972 52-###-####",
            "0049 30 #######",
            "0044 20 7### ####",
            "+90 5## ### ## ##",
            "+31 6 ########",
            "+32 47# ## ## ##",
            "+351 9## ### ###",
            "+420 7## ### ###",
            "+358 40 ### ####",
            "+380 67 ### ## ##",
        ],
    );
    let pattern = pattern
        .replace("+33#########", "+336########")
        .replace("+44 20 7### ####", "+44 20 7^## ####");
    filled(rng, &pattern)
}

fn national_phone(rng: &mut StdRng) -> String {
    let pattern = pick(
        rng,
        &[
            "030 ^#######",
            "030/^#######",
            "0171 ^######",
            "0171-^######",
            "(030) ^#######",
            "089 / ^######",
            "020 7^## ####",
            "07^## ######",
            "(0161) ^## ####",
            "06 ## ## ## ##",
            "01.##.##.##.##",
            "06-##-##-##-##",
            "(^##) ^##-####",
            "^##-^##-####",
            "^##.^##.####",
            "1-^##-^##-####",
            "^## ^## ####",
            "090-####-####",
            "03-####-####",
            "138 #### ####",
            "138-####-####",
            "(11) 9####-####",
            "04## ### ###",
            "(02) #### ####",
            "079 ### ## ##",
            "8 (912) ###-##-##",
            "0^# ### ## ##",
            "010-####-####",
        ],
    );
    filled(rng, pattern)
}

fn bare_phone(rng: &mut StdRng) -> String {
    let pattern = pick(
        rng,
        &[
            "0171#######",
            "06########",
            "^##^######",
            "138########",
            "9#########",
            "07#########",
            "612######",
            "491711######",
            "08########",
        ],
    );
    filled(rng, pattern)
}

fn public_v4(rng: &mut StdRng) -> String {
    loop {
        let address: String = IPv4(EN).fake_with_rng(rng);
        let first: u8 = address.split('.').next().unwrap().parse().unwrap();
        // Loopback, unspecified and broadcast addresses stay readable on purpose.
        // Networks, which end with zero, do too.
        if !matches!(first, 0 | 127 | 255) && !address.ends_with(".0") {
            return address;
        }
    }
}

fn short_v6(rng: &mut StdRng) -> String {
    let group = |rng: &mut StdRng| format!("{:x}", rng.random_range(1..=0xffffu32));
    let (a, b, c, d) = (group(rng), group(rng), group(rng), group(rng));
    one_of(
        [
            format!("2001:db8::{a}"),
            format!("2a02:{a}:{b}::{c}"),
            format!("fe80::{a}:{b}:{c}:{d}"),
            format!("fd{:02x}:{a}::{b}", rng.random_range(0..=255u32)),
            format!("2606:4700::{a}:{b}"),
            format!(
                "::ffff:{}.{}.{}.{}",
                10,
                rng.random_range(1..=255u32),
                rng.random_range(1..=255u32),
                7
            ),
            format!("fe80::{a}"),
            format!("2001:{a}:{b}:{c}::"),
        ],
        rng,
    )
}

fn weighted(digits: &str, weights: &[u32]) -> u32 {
    digits
        .bytes()
        .zip(weights)
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum()
}

fn date(rng: &mut StdRng) -> (u64, u64, u64) {
    (
        between(rng, 40, 99),
        between(rng, 1, 12),
        between(rng, 1, 28),
    )
}

/// Calls `make` until it returns a number: some numbers have no valid check digit.
fn until<T>(rng: &mut StdRng, mut make: impl FnMut(&mut StdRng) -> Option<T>) -> T {
    loop {
        if let Some(made) = make(rng) {
            return made;
        }
    }
}

fn national_ids(rng: &mut StdRng, samples: &mut Vec<Sample>) {
    let mut alone = |rng: &mut StdRng, kind, value: String| {
        samples.push(sample(kind, placed(rng, &value), value))
    };
    let (yy, mm, dd) = date(rng);

    let value = format!(
        "{:03}-{:02}-{:04}",
        pick(rng, &[1, 77, 123, 219, 457, 665, 700, 899]),
        between(rng, 1, 99),
        between(rng, 1, 9999)
    );
    alone(rng, "id, US", value);
    let value = format!(
        "{}{}{}",
        pick(rng, &["AB", "CE", "JG", "NR", "SX", "WK"]),
        digits(rng, 6),
        pick(rng, &["A", "B", "C", "D"])
    );
    alone(rng, "id, GB", value.clone());
    alone(
        rng,
        "id, GB",
        format!(
            "{} {} {} {} {}",
            &value[..2],
            &value[2..4],
            &value[4..6],
            &value[6..8],
            &value[8..]
        ),
    );

    let body = format!(
        "{}{yy:02}{mm:02}{:02}{}",
        pick(rng, &[1, 2]),
        between(rng, 1, 95),
        digits(rng, 6)
    );
    let key = 97 - body.parse::<u64>().unwrap() % 97;
    alone(rng, "id, FR", format!("{body}{key:02}"));
    alone(
        rng,
        "id, FR",
        format!(
            "{} {} {} {} {} {} {key:02}",
            &body[..1],
            &body[1..3],
            &body[3..5],
            &body[5..7],
            &body[7..10],
            &body[10..]
        ),
    );

    let value = german(rng);
    alone(
        rng,
        "id, DE",
        format!(
            "{} {} {} {}",
            &value[..2],
            &value[2..5],
            &value[5..8],
            &value[8..]
        ),
    );
    alone(rng, "id, DE", value);

    let number = between(rng, 10_000_000, 99_999_999);
    let letter = char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]);
    let value = one_of(
        [format!("{number}{letter}"), format!("{number}-{letter}")],
        rng,
    );
    alone(rng, "id, ES", value);
    let number = between(rng, 1_000_000, 9_999_999);
    let first = between(rng, 0, 2);
    let letter =
        char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[((first * 10_000_000 + number) % 23) as usize]);
    alone(
        rng,
        "id, ES",
        format!("{}{number}{letter}", ["X", "Y", "Z"][first as usize]),
    );

    let value = italian(rng);
    alone(rng, "id, IT", value);

    let base = digits(rng, 9);
    let check = |sum: u32| sum * 10 % 11 % 10;
    let first = check(weighted(&base, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let ten = format!("{base}{first}");
    let second = check(weighted(&ten, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
    alone(
        rng,
        "id, BR",
        format!(
            "{}.{}.{}-{first}{second}",
            &base[..3],
            &base[3..6],
            &base[6..]
        ),
    );
    let bare = format!("{base}{first}{second}");

    let body = format!("{yy:02}{mm:02}{dd:02}{}", digits(rng, 3));
    let swedish = format!("{body}{}", luhn_digit(&body));
    let value = one_of(
        [
            format!("{}-{}", &swedish[..6], &swedish[6..]),
            format!("19{}-{}", &swedish[..6], &swedish[6..]),
        ],
        rng,
    );
    alone(rng, "id, SE", value);

    let body = format!("756{}", digits(rng, 9));
    let check = (10 - weighted(&body, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10;
    alone(
        rng,
        "id, CH",
        format!(
            "756.{}.{}.{}{check}",
            &body[3..7],
            &body[7..11],
            &body[11..]
        ),
    );
    alone(rng, "id, CH", format!("{body}{check}"));

    let value = aadhaar(rng);
    alone(rng, "id, IN", in_groups(&value, 4, ' '));

    let body = format!(
        "{}{}{mm:02}{dd:02}{}",
        pick(rng, &["110105", "310112", "440305", "510107"]),
        between(rng, 1950, 2010),
        digits(rng, 3)
    );
    let sum = weighted(
        &body,
        &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
    );
    alone(
        rng,
        "id, CN",
        format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize])),
    );

    let body = format!("{yy:02}{mm:02}{dd:02}{:03}", between(rng, 1, 997));
    let check = 97 - body.parse::<u64>().unwrap() % 97;
    alone(
        rng,
        "id, BE",
        format!("{yy:02}.{mm:02}.{dd:02}-{}.{check:02}", &body[6..]),
    );

    let serial = format!("{:03}", between(rng, 2, 899));
    let finnish: u64 = format!("{dd:02}{mm:02}{yy:02}{serial}").parse().unwrap();
    alone(
        rng,
        "id, FI",
        format!(
            "{dd:02}{mm:02}{yy:02}-{serial}{}",
            char::from(b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(finnish % 31) as usize])
        ),
    );

    let body = format!(
        "{yy:02}{mm:02}{dd:02}{}{}",
        pick(rng, &[1, 2]),
        digits(rng, 5)
    );
    let check = (11 - weighted(&body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
    alone(
        rng,
        "id, KR",
        format!("{}-{}{check}", &body[..6], &body[6..]),
    );

    let value = until(rng, |rng| {
        let base = format!("{yy:02}{mm:02}{dd:02}{}", digits(rng, 3))
            .parse::<u64>()
            .unwrap()
            * 10;
        let value = base + (11 - base % 11) % 11;
        ((11 - base % 11) % 11 < 10).then(|| format!("{value:010}"))
    });
    alone(rng, "id, CZ", format!("{}/{}", &value[..6], &value[6..]));

    let letters = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let region = between(rng, 0, 25) as u32;
    let body = format!("{}{}", pick(rng, &[1, 2]), digits(rng, 7));
    let sum =
        (region + 10) / 10 + (region + 10) % 10 * 9 + weighted(&body, &[8, 7, 6, 5, 4, 3, 2, 1]);
    alone(
        rng,
        "id, TW",
        format!(
            "{}{body}{}",
            &letters[region as usize..][..1],
            (10 - sum % 10) % 10
        ),
    );

    let body = digits(rng, 7);
    let sum = weighted(&body, &[2, 7, 6, 5, 4, 3, 2]);
    alone(
        rng,
        "id, SG",
        format!("S{body}{}", char::from(b"JZIHGFEDCBA"[(sum % 11) as usize])),
    );

    let polish = pesel(rng);
    named_ids(rng, samples, bare, swedish, polish);
}

/// Numbers of bare digits, which count only after a word.
fn named_ids(
    rng: &mut StdRng,
    samples: &mut Vec<Sample>,
    brazilian: String,
    swedish: String,
    polish: String,
) {
    let mut add = |rng: &mut StdRng, kind, words: &[&str], value: String| {
        samples.push(sample(kind, named(rng, words, &value), value))
    };
    add(
        rng,
        "id behind a word, BR",
        &["CPF", "cpf", "clienteCpf"],
        brazilian,
    );
    add(
        rng,
        "id behind a word, SE",
        &["personnummer", "Personnr"],
        swedish,
    );
    add(
        rng,
        "id behind a word, PL",
        &["PESEL", "pesel", "numerPesel"],
        polish,
    );
    let value = format!(
        "{:03}{:02}{:04}",
        pick(rng, &[1, 77, 219, 457, 665]),
        between(rng, 1, 99),
        between(rng, 1, 9999)
    );
    add(
        rng,
        "id behind a word, US",
        &["SSN", "ssn", "customerSsn", "social security number"],
        value,
    );
    let value = until(rng, |rng| {
        let body = format!("{}{}", between(rng, 1, 9), digits(rng, 7));
        let check = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (check < 10).then(|| format!("{body}{check}"))
    });
    add(
        rng,
        "id behind a word, NL",
        &["BSN", "bsn", "burgerservicenummer"],
        value,
    );
    let value = aadhaar(rng);
    add(
        rng,
        "id behind a word, IN",
        &["Aadhaar", "aadhaarNumber", "aadhar"],
        value,
    );
    let body = format!("{}{}", pick(rng, &["1", "4", "5", "7"]), digits(rng, 7));
    let value = format!("{body}{}", luhn_digit(&body));
    let separator = pick(rng, &['-', ' ']);
    let value = in_groups(&value, 3, separator);
    add(
        rng,
        "id behind a word, CA",
        &["SIN", "sin", "social insurance number"],
        value,
    );
    let value = until(rng, |rng| {
        let body = format!("{}{}", between(rng, 1, 9), digits(rng, 7));
        let rest = weighted(&body, &[1, 4, 3, 7, 5, 8, 6, 9]);
        (0..10)
            .find(|check| (rest + check * 10).is_multiple_of(11))
            .map(|check| format!("{body}{check}"))
    });
    add(
        rng,
        "id behind a word, AU",
        &["TFN", "tfn", "tax file number"],
        value,
    );
    let value = until(rng, |rng| {
        let day = format!(
            "{:02}{:02}{:02}{}",
            between(rng, 1, 28),
            between(rng, 1, 12),
            between(rng, 40, 99),
            digits(rng, 3)
        );
        let first = (11 - weighted(&day, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
        let ten = format!("{day}{first}");
        let second = (11 - weighted(&ten, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        (first < 10 && second < 10).then(|| format!("{ten}{second}"))
    });
    add(
        rng,
        "id behind a word, NO",
        &["fødselsnummer", "fnr"],
        value,
    );
}

fn pesel(rng: &mut StdRng) -> String {
    let (yy, mm, dd) = date(rng);
    let body = format!("{yy:02}{mm:02}{dd:02}{}", digits(rng, 4));
    let check = (10 - weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    format!("{body}{check}")
}

fn german(rng: &mut StdRng) -> String {
    // One digit occurs twice, one is missing, and the others occur once.
    let mut places: Vec<u32> = (0..10).collect();
    let twice = between(rng, 0, 9) as usize;
    let missing = (twice + between(rng, 1, 9) as usize) % 10;
    places[missing] = twice as u32;
    loop {
        for place in (1..10).rev() {
            places.swap(place, rng.random_range(0..=place));
        }
        if places[0] != 0 {
            break;
        }
    }
    let product = places.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let body: String = places.iter().map(u32::to_string).collect();
    format!("{body}{}", (11 - product) % 10)
}

fn italian(rng: &mut StdRng) -> String {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let body = format!(
        "{}{}{}{:02}{}{}",
        random(rng, "BCDFGLMNPRSTVZ", 6),
        digits(rng, 2),
        random(rng, "ABCDEHLMPRST", 1),
        between(rng, 1, 31),
        random(rng, "ABCDEFGHILM", 1),
        digits(rng, 3),
    );
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(index, byte)| {
            let value = u32::from(if byte.is_ascii_digit() {
                byte - b'0'
            } else {
                byte - b'A'
            });
            if index % 2 == 0 {
                ODD[value as usize]
            } else {
                value
            }
        })
        .sum();
    format!("{body}{}", char::from(b'A' + (sum % 26) as u8))
}

fn aadhaar(rng: &mut StdRng) -> String {
    const MULTIPLY: [[usize; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTE: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let body = format!("{}{}", between(rng, 2, 9), digits(rng, 10));
    (0..10)
        .map(|check| format!("{body}{check}"))
        .find(|number| {
            let sum = number
                .bytes()
                .rev()
                .enumerate()
                .fold(0, |sum, (place, byte)| {
                    let digit =
                        (0..place % 8).fold(usize::from(byte - b'0'), |digit, _| PERMUTE[digit]);
                    MULTIPLY[sum][digit]
                });
            sum == 0
        })
        .unwrap()
}
