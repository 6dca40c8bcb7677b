//! The words by which placeholders, sentences and messages are recognised.

use std::collections::HashSet;
use std::sync::OnceLock;

/// A list of words that is searched often.
pub(super) struct Set {
    words: &'static [&'static str],
    set: OnceLock<HashSet<&'static str>>,
}

impl Set {
    /// Creates a list, whose words are not yet sorted into a set.
    const fn new(words: &'static [&'static str]) -> Self {
        Self {
            words,
            set: OnceLock::new(),
        }
    }

    /// Whether a word is in the list.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.set
            .get_or_init(|| self.words.iter().copied().collect())
            .contains(word)
    }
}

/// Words that occur instead of a value.
#[rustfmt::skip]
pub(super) static PLACEHOLDERS: Set = Set::new(&[
    "accepted", "active", "any", "approved", "array", "bool", "boolean", "bytes", "bytea", "censored", "changed", "completed", "configured",
    "created", "deleted", "denied", "disabled", "done", "empty", "enabled", "end", "eof", "expected", "expired", "failed",
    "failure", "false", "filtered", "found", "generated", "granted", "hidden", "identifier", "ignored", "inactive", "include", "int", "integer", "invalid", "it", "key", "lax",
    "masked", "mismatch", "missing", "must", "n/a", "na", "newline", "nil", "no", "none", "not", "null", "number", "object", "obfuscated",
    "ok", "omit", "omitted", "on", "off", "optional", "passed", "password", "pending", "private", "protected", "provided", "public", "read", "redacted", "refused", "rejected", "removed", "required", "reset", "revoked",
    "rotated", "same-origin", "chauthtok", "session", "account", "sanitized", "scrubbed", "secret", "sensitive", "set", "skipped", "started", "str", "strict", "string", "strong", "succeeded", "success", "text", "token", "true", "undefined",
    "unexpected", "unknown", "unset", "updated", "uuid", "valid", "value", "varchar", "verified", "weak", "write", "yes", "present", "unchanged", "deprecated", "ready", "refreshed", "stored", "saved", "used", "unused", "absent", "default", "encrypted", "error", "exists", "incorrect", "wrong", "placeholder", "blank", "char", "byte", "void", "self", "this", "var", "const", "let", "function", "return", "async", "await", "new", "dynamic", "auto", "manual", "static", "bearer", "basic", "digest", "oauth", "oauth2", "jwt", "saml", "ldap", "kerberos", "mtls", "interactive", "locked", "unlocked", "fail", "successful", "unauthorized", "forbidden", "authenticated", "logged", "ungültig", "falsch", "abgelaufen", "incorrecta", "incorreta", "incorrect", "inválida", "expiré", "expirado", "неверный", "錯誤", "错误",
]);

/// Words of sentences, which passwords of several words do not contain.
#[rustfmt::skip]
pub(super) static SENTENCE_WORDS: Set = Set::new(&[
    "a", "an", "and", "are", "as", "at", "be", "been", "by", "can", "cannot", "could", "did", "do", "does", "enter", "failed", "for", "from", "got", "has", "have", "if", "in", "invalid", "is", "it", "its",
    "least", "may", "must", "needs", "not", "of", "on", "only", "or", "please", "required", "should", "than", "that", "the", "this", "to", "too", "until", "use", "used", "was", "were", "when", "will", "with", "you", "your", "no", "expected", "missing", "please", "contain", "characters", "between", "after", "before", "because", "during", "unable", "without", "again", "expired", "ago", "while", "using", "new", "all", "any", "per", "via", "into", "user", "account", "reset", "change", "forgot", "login", "characters", "minutes", "hours", "days", "which", "who", "does", "isn't", "don't", "doesn't",
    "der", "die", "das", "ein", "eine", "ist", "sind", "und", "oder", "nicht", "muss", "bitte", "mit", "für", "von", "zu", "den", "dem", "wurde", "eingeben", "mindestens", "zeichen", "ihr", "ihre",
    "le", "la", "les", "un", "une", "est", "et", "ou", "ne", "pas", "doit", "être", "votre", "vos", "pour", "avec", "dans", "du", "des", "au", "moins", "caractères",
    "el", "los", "las", "una", "es", "no", "y", "debe", "su", "para", "con", "por", "en", "del", "al", "tener", "menos", "caracteres", "tu",
    "o", "os", "uma", "é", "não", "deve", "sua", "com", "em", "ao", "ter", "seu",
    "il", "lo", "gli", "è", "non", "deve", "tua", "per", "di", "della", "almeno", "caratteri",
    "het", "een", "en", "niet", "moet", "uw", "voor", "met", "van", "tekens", "minstens", "je",
    "jest", "nie", "musi", "dla", "się", "i", "w", "z", "znaków", "hasło",
    "не", "и", "в", "на", "для", "должен", "должно", "быть", "ваш", "введите", "неверный", "или", "это",
    "ve", "için", "bir", "olmalıdır", "en", "az", "karakter", "lütfen",
    "är", "och", "inte", "ett", "måste", "för", "med", "och", "je", "a", "není", "musí", "být", "alespoň", "znaků",
]);

/// Words of instructions and reports about secrets, which passphrases do not contain.
#[rustfmt::skip]
pub(super) static MESSAGE_WORDS: Set = Set::new(&[
    "updated", "successfully", "changed", "blank", "common", "similar", "previously", "recently", "weak", "guessable", "easily", "include", "uppercase", "lowercase", "letter", "digit", "special", "symbol", "confirmation", "bestätigen", "bevestigen", "confirmer", "confirmar", "conferma", "potwierdź", "подтвердите", "bekräfta", "wiederholen",
    "again", "match", "matches", "digits", "letters", "characters", "configured", "long", "short", "minutes", "session", "field", "least",  "between", "cannot", "characters", "contain", "contains", "didn't", "doesn't", "empty", "enter", "expected", "expired", "failed", "forgot", "invalid", "incorrect", "least", "mismatch", "missing", "must", "needed", "needs", "not", "please", "provided", "required", "requires", "reset", "should", "too", "unable", "unexpected", "valid", "wrong", "your", "confirm", "change", "minimum", "maximum", "optional", "used", "using", "missing", "provide", "specify", "configured", "supported", "created", "rotated", "stored", "reject", "rejected", "denied",
    "muss", "bitte", "mindestens", "zeichen", "ungültig", "ungültiges", "falsch", "falsches", "eingeben", "erforderlich", "vergessen", "zurücksetzen", "ändern", "geben", "stimmt", "abgelaufen",
    "doit", "caractères", "incorrect", "invalide", "saisissez", "entrez", "oublié", "expiré", "obligatoire", "veuillez", 
    "debe", "caracteres", "introduzca", "ingrese", "obligatoria", "olvidó", "caducado", "inválida", "válida", 
    "deve", "insira", "obrigatória", "esqueceu", "inválida", 
    "caratteri", "inserisci", "inserire", "obbligatoria", "dimenticata", "scaduto", "errata", "valida",
    "moet", "tekens", "ongeldig", "vereist", "verlopen", "voer",
    "musi", "znaków", "nieprawidłowe", "wymagane", "podaj", "wygasł",
    "должен", "введите", "неверный", "символов", "истёк", 
    "olmalıdır", "karakter", "geçersiz", "girin", "tecken", "ogiltigt", "znaků", "neplatné", "zadejte",
]);

/// Words with which reports and instructions begin.
#[rustfmt::skip]
pub(super) const FIRST_WORDS: &[&str] = &[
    "enter", "must", "please", "invalid", "expired", "required", "missing", "not", "cannot", "should", "expected", "unexpected", "failed", "wrong", "incorrect", "forgot", "reset", "change", "confirm", "campo", "champ", "обязательное", "zorunlu", "pflichtfeld", "pflichtangabe", "verplicht", "obbligatorio", "can't", "does", "is", "minst", "alespoň", "minimálně", "minimaal", "minimum", "minimálne", "mínimo", "mindestens", "nejméně", "musi", "wymagane", "wymagany", "обязательно", "обязателен", "слишком", "минимум", "příliš", "zbyt", "demasiado", "trop", "troppo", "muito", "must", "no", "co", "не", "vereist", "krävs", "povinné", "too",
];

/// What reports about secrets count.
#[rustfmt::skip]
pub(super) const UNITS: &[&str] = &[
    "attempts", "b", "byte", "bytes", "bits", "caracteres", "caractères", "caratteri", "characters", "chars", "chiffres", "cifras", "cookies", "days", "digits", "entries", "hours", "items", "kb", "keys", "karakter", "letters", "cyfry", "cifras", "цифры", "цифр", "minutes", "ms", "s", "seconds", "tage", "tekens", "times", "tokens", "versuche", "words", "zeichen", "ziffern", "znaków", "znaků", "символов", "цифр", "tecken", "cyfr", "stellen", "used", "valid", "of", "remaining", "left", "invalid", "passed", "failed",
];

/// Parts of reports and instructions in scripts without spaces, and in scripts whose words change.
#[rustfmt::skip]
pub(super) const MESSAGE_PARTS: &[&str] = &[
    "必须", "必須", "必填", "项", "回", "間違", "ロック", "필수", "않", "至少", "字符", "字元", "错误", "錯誤", "不正确", "不正確", "请", "請", "输入", "輸入", "不能", "为空", "不匹配", "不一致", "长度", "過期", "过期", "已", "失败", "失敗", "无效", "無效", "文字", "以上", "以下", "入力", "正しく", "必要", "未設定", "設定", "確認", "再度", "変更", "一致", "ください", "ません", "できません", "桁", "입력", "이상", "이하", "자리", "확인", "변경", "일치", "올바르", "만료", "하세요", "해야", "필수", "영문", "숫자", "يجب", "غير صحيحة", "أدخل", "दर्ज", "चाहिए", "गलत",
];

/// Parts of the words for a password.
#[rustfmt::skip]
pub(super) const PASSWORD_STEMS: &[&str] = &[
    "pass", "pwd", "pw", "kennw", "kennwort", "contrase", "clave", "senha", "парол", "hasł", "haslo", "hasla", "hesl", "parol", "şifre", "sifre", "wachtwoord", "lösenord", "losenord", "salasana", "mdp", "jelsz", "sandi", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "패스워드", "비번", "סיסמ", "المرور", "السر", "पासवर्ड", "identified", "κωδικ", "รหัส", "mật khẩu", "adgangskode", "kodeord",
];

/// How references to secret stores begin.
#[rustfmt::skip]
pub(super) const STORES: &[&str] = &[
    "op://", "vault:", "vault://", "ref+", "secret://", "secret/", "secrets/", "arn:aws:secretsmanager", "arn:aws:ssm", "ssm:", "sm://", "keyvault", "kv/", "awssm://", "gcp-secretmanager", "projects/", "enc[", "enc(", "{cipher}", "aws-secretsmanager", "bws://", "doppler://", "file://",
];

/// How variables and templates begin, in lower case.
#[rustfmt::skip]
pub(super) const VARIABLES: &[&str] = &[
    "${", "{{", "$(", "%(", "#{", "<%", "$env:", "env:", "@env", "process.env", "os.environ", "!ref", "!sub", "@microsoft.keyvault", "{cipher", "$vault",
];

/// How texts begin that tell the reader to write a value.
#[rustfmt::skip]
pub(super) const INVITATIONS: &[&str] = &[
    "your-", "your_", "your ", "<your", "my-secret-here", "replace", "insert", "enter ", "put-your", "put_your", "todo", "changeme-", "example-", "dummy",
];

/// Types that databases write with a length.
#[rustfmt::skip]
pub(super) const SQL_TYPES: &[&str] = &[
    "varchar", "nvarchar", "char", "nchar", "character varying", "character", "varchar2", "binary", "varbinary", "string", "text", "decimal", "bit",
];
