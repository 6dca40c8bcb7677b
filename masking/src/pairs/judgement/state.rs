//! Words that say in which state a secret is, or what happens to it, and are no values: `the password
//! is incorrect`, `le mot de passe est obligatoire`.

use super::message::{is_report, is_sentence};
use super::placeholder::is_placeholder;
use crate::lists::WordSet;
use crate::names;

/// Adjectives, adverbs, pronouns and nouns after `is`, in lower case, that have no ending of
/// [`ENDINGS`].
#[rustfmt::skip]
static STATES: WordSet = WordSet::new(&[
    "again", "alike", "all", "alphanumeric", "already", "also", "always", "anonymous", "anything", "authentication", "automatic", "available", "back", "bad", "base64", "basic", "below", "best", "better", "both", "case-sensitive", "change", "cheap", "check", "clear", "combination", "common", "complete", "complex", "constant", "correct", "credentials", "critical", "current", "dead", "deprecated", "different", "down", "due", "dynamic", "easy", "eight", "encoding", "entry", "equal", "essential", "everything", "evident", "external", "false", "field", "fine", "free", "fresh", "from", "full", "global", "gone", "good", "hard", "hash", "hashes", "here", "identical", "important", "in", "inconsistent", "individual", "insecure", "inferior", "insufficient", "internal", "invisible", "irrelevant", "king", "kept", "left", "legacy", "local", "login", "lost", "lower-case", "lowercase", "managed", "manager", "mandatory", "manual", "match", "mine", "minimal", "minimum", "mutable", "necessary", "negative", "never", "new", "next", "non-empty", "normal", "nothing", "null", "numeric", "obvious", "off", "okay", "old", "one", "one-time", "only", "open", "optional", "ours", "out", "outdated", "over", "permanent", "personal", "policy", "poor", "possible", "present", "private", "read", "read-only", "recent", "redundant", "relevant", "right", "safe", "same", "secret", "sent", "separate", "set", "shared", "short", "shown", "simple", "six", "sound", "static", "still", "strong", "stronger", "stale", "sufficient", "temporary", "the", "there", "three", "too", "true", "twice", "two", "unavailable", "unclear", "under", "unique", "unlikely", "unsafe", "up", "upper-case", "uppercase", "urgent", "verbatim", "weak", "weaker", "what", "wildcard", "write-only", "wrong", "yours", "zero",
    "anders", "bekannt", "dran", "da", "dort", "eindeutig", "einfach", "erlaubt", "falsch", "fest", "frei", "fällig", "geheim", "gleich", "gut", "hier", "identisch", "intern", "kaputt", "klar", "kompromittiert", "korrekt", "kurz", "lang", "leer", "nötig", "offen", "okay", "optional", "pflicht", "richtig", "sicher", "schwach", "schlecht", "stark", "tot", "unbekannt", "unsicher", "verloren", "vorhanden", "weg", "wieder", "zurück",
    "bon", "bonne", "caché", "connu", "correct", "correcte", "court", "différent", "faible", "faux", "fort", "identique", "inconnu", "incorrect", "incorrecte", "invalide", "là", "long", "manquant", "mauvais", "nouveau", "périmé", "requis", "requise", "sûr", "vide", "visible", "valide",
    "correcta", "correcto", "corta", "corto", "débil", "distinta", "errónea", "erróneo", "fuerte", "igual", "incorrecta", "incorrecto", "insegura", "inválida", "inválido", "larga", "mala", "nueva", "segura", "única", "vacía", "válida", "válido", "buena",
    "boa", "correta", "correto", "curta", "diferente", "errada", "forte", "fraca", "incorreta", "incorreto", "longa", "nova", "ruim", "única", "vazia",
    "breve", "inferiore", "superiore", "corta", "debole", "diversa", "errata", "giusta", "insicura", "lunga", "mancante", "nuova", "sbagliata", "sicura", "scaduta", "uguale", "valida", "vuota",
    "anders", "bekend", "fout", "geldig", "gelijk", "goed", "hetzelfde", "juist", "kort", "kwijt", "leeg", "lang", "onbekend", "ongeldig", "onjuist", "onveilig", "sterk", "veilig", "verkeerd", "verlopen", "verplicht", "vereist", "zwak",
    "krótkie", "silne", "słabe", "takie", "puste", "inne", "nowe", "stare", "tajne", "złe", "wymagane", "podstawa", "klucz",
    "krátké", "nové", "prázdné", "silné", "slabé", "špatné", "stejné", "jiné",
    "bra", "fel", "giltigt", "kort", "långt", "nytt", "samma", "starkt", "svagt", "säkert", "tomt", "unikt", "rätt",
    "верен", "верный", "длинный", "короткий", "нов", "неверен", "небезопасен", "общий", "прежний", "пуст", "пустой", "слаб", "сложный", "тот", "другой",
    "aynı", "boş", "doğru", "farklı", "güçlü", "güvenli", "kısa", "uzun", "yanlış", "zayıf", "zorunlu",
]);

/// Endings of adjectives and participles.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    // English
    "able", "ally", "ed", "eds", "ful", "ible", "ing", "ions", "ious", "itive", "less", "lly", "tion", "ately", "ently", "arily", "itly",
    // German and Dutch
    "bar", "fähig", "haft", "iert", "igt", "lich", "los", "ndet", "zt", "rt", "lt", "ftig", "ltig", "dig", "nglich", "lijk", "baar", "eerd", "ngen",
    // French, Spanish, Portuguese, Italian
    "é", "ée", "és", "ées", "aire", "oire", "ado", "ada", "ados", "adas", "ido", "ida", "oria", "orio", "ória", "ório", "ato", "ata", "ita", "uto", "uta", "ável", "ível", "abile", "ibile", "ique", "eux", "euse",
    // Polish, Czech
    "ane", "any", "ana", "one", "ony", "ona", "owe", "owy", "łowe", "łowy", "áno", "áné", "ené", "eno", "nné", "lné", "tné", "ivé",
    // Swedish, Danish, Norwegian
    "igt", "rat", "gat", "lat", "tat", "ret", "agt", "ligt", "ert",
    // Russian
    "ный", "ная", "ное", "ен", "ён", "на", "но", "ено", "ано", "ется", "ится",
];

/// The shortest word whose ending counts.
const SHORTEST: usize = 5;

/// Whether a word says in which state a secret is.
pub(in crate::pairs) fn is_state(word: &str) -> bool {
    let lower = word.to_lowercase();
    let is_lower = word
        .chars()
        .all(|character| character.is_lowercase() || character == '-');
    let is_participle = || {
        is_lower
            && lower.chars().count() >= SHORTEST
            && ENDINGS.iter().any(|ending| lower.ends_with(ending))
    };
    let begins_participle = || is_lower && is_germanic_participle(&lower);
    // Another word is added, because one word alone is no sentence.
    let phrase = || format!("{word} x");
    STATES.contains(&lower)
        || is_participle()
        || begins_participle()
        || is_placeholder(word)
        || is_lower && names::judge(word).is_some()
        || is_report(&phrase())
        || is_sentence(&phrase())
}

/// Prefixes before the `ge` of participles, and those that replace it.
#[rustfmt::skip]
const PARTICLES: &[&str] = &[
    "", "aan", "ab", "af", "an", "auf", "aus", "bei", "door", "ein", "fest", "frei", "hin", "hinter", "in", "mee", "mit", "nach", "op", "over", "terug", "toe", "uit", "voor", "vor", "weer", "weg", "zu", "zurück",
];
const INSEPARABLE: &[&str] = &["be", "ent", "er", "her", "mis", "ont", "ver", "zer"];

/// Whether a word in lower case has the form of a participle in German or Dutch: `geändert`, `ingesteld`,
/// `verlopen`.
fn is_germanic_participle(word: &str) -> bool {
    let ends = word.ends_with(['t', 'd']) || word.ends_with("en");
    let begins = |particle: &str| {
        word.strip_prefix(particle)
            .is_some_and(|rest| rest.starts_with("ge") && rest.len() > SHORTEST)
    };
    let is_joined = |prefix: &&str| word.starts_with(*prefix) && word.len() > prefix.len() + 3;
    ends && (PARTICLES.iter().any(|particle| begins(particle)) || INSEPARABLE.iter().any(is_joined))
}

/// Whether a text is words of letters joined by signs, none of which says in which state a secret is:
/// `night_train`, `Platten.Turm`.
pub(in crate::pairs) fn is_compound(text: &str) -> bool {
    let text = text.trim_matches(['.', '-', '_', '&', '+', '!']);
    let mut parts = text.split(['.', '-', '_', '&', '+']);
    parts.clone().count() >= 2
        && !text.contains("://")
        && parts.all(|part| {
            part.chars().count() >= 2 && part.chars().all(char::is_alphanumeric) && !is_state(part)
        })
}
