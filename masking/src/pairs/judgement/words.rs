//! The words by which placeholders, sentences and messages are recognised.

use crate::lists::{Edges, WordSet};

/// Words that occur instead of a value.
#[rustfmt::skip]
pub(super) static PLACEHOLDERS: WordSet = WordSet::new(&[
    "accepted", "active", "any", "approved", "array", "bool", "boolean", "bytes", "bytea", "censored", "changed", "completed", "configured",
    "created", "deleted", "denied", "disabled", "done", "empty", "enabled", "end", "eof", "expected", "expired", "failed",
    "failure", "false", "filtered", "found", "generated", "granted", "hidden", "identifier", "ignored", "inactive", "include", "int", "integer", "invalid", "it", "key", "lax",
    "masked", "mismatch", "missing", "must", "n/a", "na", "newline", "nil", "no", "none", "not", "null", "number", "object", "obfuscated",
    "ok", "omit", "omitted", "on", "off", "optional", "passed", "password", "pending", "private", "protected", "provided", "public", "read", "redacted", "refused", "rejected", "removed", "required", "reset", "revoked",
    "rotated", "same-origin", "chauthtok", "session", "account", "sanitized", "scrubbed", "secret", "sensitive", "set", "skipped", "started", "str", "strict", "string", "strong", "succeeded", "success", "text", "token", "true", "undefined",
    "unexpected", "unknown", "unset", "updated", "uuid", "valid", "value", "varchar", "verified", "weak", "write", "yes", "present", "unchanged", "deprecated", "ready", "refreshed", "stored", "saved", "used", "unused", "absent", "default", "encrypted", "error", "exists", "incorrect", "wrong", "placeholder", "blank", "char", "byte", "void", "self", "this", "var", "const", "let", "function", "return", "async", "await", "new", "dynamic", "auto", "manual", "static", "bearer", "basic", "digest", "oauth", "oauth2", "jwt", "saml", "ldap", "kerberos", "mtls", "interactive", "locked", "unlocked", "fail", "successful", "unauthorized", "forbidden", "authenticated", "logged", "ungültig", "falsch", "abgelaufen", "incorrecta", "incorreta", "incorrect", "inválida", "expiré", "expirado", "неверный", "錯誤", "错误",
    "gerekli", "geçerli", "pakollinen", "virheellinen", "påkrevet", "påkrævet", "obligatorisk", "ugyldig", "ogiltig", "kötelező", "érvénytelen", "obligatorie", "invalidă", "obavezno", "neispravno", "obvezno", "nepravilno", "povinná", "neplatný", "neplatná", "neplatné", "wajib", "salah", "υποχρεωτικό", "μη έγκυρο", "недействителен", "недействительный", "недействительна", "недійсний", "невірний", "обов'язково", "מוטעה", "مطلوب", "مطلوبة", "आवश्यक", "अमान्य", "จำเป็น", "无效", "無效", "無効", "过短", "過短", "너무 짧음", "falsa", "errata", "scaduto", "scaduta", "erronée", "invalide", "incorrecte",
    "show", "hide", "copy", "reveal", "edit", "download", "generate", "regenerate", "rotate", "revoke", "anzeigen", "verbergen", "kopieren", "afficher", "masquer", "copier", "modifier", "mostrar", "ocultar", "copiar", "mostra", "nascondi", "copia", "tonen", "verbergen", "kopiëren", "pokaż", "ukryj", "показать", "скрыть", "显示", "隐藏", "表示", "보기",
    "httponly", "secure", "samesite", "inherit", "tbd", "tba", "fixme", "todo", "xxx", "hashed", "obscured", "nullable", "confirmed", "ja", "nein", "oui", "non", "sí", "sim", "não", "nee", "tak", "nie", "да", "нет", "verplicht", "optioneel", "pflicht", "obligatorio", "obligatoria", "obrigatório", "obrigatória", "obbligatorio", "obbligatoria", "opzionale", "optionnel", "erforderlich", "notwendig", "povinné", "povinný", "krävs", "påkrevd", "обязательно", "обязателен", "需要", "必填", "必須", "任意", "obligatoire", "opcional", "facultatif", "wymagane", "nieprawidłowy", "nieprawidłowe", "nieprawidłowa", "ungültiges", "ongeldig", "ogiltigt", "geçersiz", "zorunlu", "неверно",
    "sha1", "sha-1", "sha2", "sha-2", "sha3", "sha-3", "sha256", "sha-256", "sha384", "sha-384", "sha512", "sha-512", "sha3-256", "sha3-512", "md4", "md5", "pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512", "bcrypt", "scrypt", "argon2", "argon2i", "argon2d", "argon2id", "yescrypt", "hmac-sha1", "hmac-sha256", "hmac-sha512", "hmacsha256", "blake2", "blake2b", "blake3", "hs256", "hs384", "hs512", "rs256", "rs384", "rs512", "es256", "es384", "es512", "ps256", "ps512", "eddsa", "ed25519", "rsa-2048", "rsa-4096", "rsa2048", "rsa4096", "aes128", "aes-128", "aes256", "aes-256", "aes-256-gcm", "aes-256-cbc", "aes-128-gcm", "pkcs1", "pkcs8", "pkcs12", "x509", "x.509", "base32", "base64", "base64url", "utf8", "utf-8", "http/1.1", "http/2", "oauth1", "oauth2.0", "javascript", "typescript", "postgresql", "powershell", "openssl", "mongodb", "mysql",
    "dpop", "opaque", "ntlm", "negotiate", "scram-sha-1", "scram-sha-256", "scram-sha-512", "current-password", "new-password", "one-time-code", "passwd", "tls.crt", "tls.key", "ca.crt", "client.crt", "server.crt",
]);

/// Words of sentences, which passwords of several words do not contain.
#[rustfmt::skip]
pub(super) static SENTENCE_WORDS: WordSet = WordSet::new(&[
    "a", "an", "and", "are", "as", "at", "be", "been", "by", "can", "cannot", "could", "did", "do", "does", "enter", "failed", "for", "from", "got", "has", "have", "if", "in", "invalid", "is", "it", "its",
    "least", "may", "must", "needs", "not", "of", "on", "only", "or", "please", "required", "should", "than", "that", "the", "this", "to", "too", "until", "use", "used", "was", "were", "when", "will", "with", "you", "your", "no", "expected", "missing", "please", "contain", "characters", "between", "after", "before", "because", "during", "unable", "without", "again", "expired", "ago", "while", "using", "new", "all", "any", "per", "via", "into", "user", "account", "reset", "change", "forgot", "login", "characters", "minutes", "hours", "days", "which", "who", "does", "isn't", "don't", "doesn't",
    "ha", "hat", "fue", "foi", "está", "atau", "alebo", "ali", "ili", "nebo",
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

/// Words that say in which state a secret is.
#[rustfmt::skip]
pub(super) static STATUS_WORDS: WordSet = WordSet::new(&[
    "פגה", "פג", "שגויה", "منتهية", "lejárt", "istekla", "istekao",
    "saknas", "felaktigt", "felaktig", "ogiltigt", "ogiltig", "utgånget", "utgången", "krävs", "ändrat", "ändrad", "återställt", "återställd", "angivet", "angiven", "valfritt", "valfri", "dolt", "dold", "uppdaterat", "uppdaterad", "kort", "fel", "tomt", "tom", "spärrat", "låst", "obligatoriskt", "obligatorisk", "godkänt", "svagt", "roterad", "roterat", "återkallad", "mangler", "feil", "forkert", "ugyldig", "utløpt", "udløbet", "påkrevd", "påkrævet", "endret", "ændret", "angitt", "valgfritt", "valgfri", "skjult", "oppdatert", "opdateret", "fehlt", "falsch", "ungültig", "abgelaufen", "erforderlich", "geändert", "gesetzt", "optional", "verborgen", "versteckt", "kurz", "leer", "gesperrt", "zurückgesetzt", "fehlend", "fehlerhaft", "aktualisiert", "angegeben", "hinterlegt", "schwach", "widerrufen", "rotiert", "vergessen", "unbekannt", "ontbreekt", "onjuist", "ongeldig", "verlopen", "vereist", "gewijzigd", "ingesteld", "optioneel", "leeg", "fout", "verkeerd", "onbekend", "ingetrokken", "geblokkeerd", "manquant", "manquante", "incorrect", "incorrecte", "invalide", "expiré", "expirée", "obligatoire", "modifié", "modifiée", "renseigné", "renseignée", "facultatif", "facultative", "masqué", "masquée", "court", "courte", "vide", "requis", "requise", "absent", "absente", "erroné", "erronée", "défini", "définie", "inconnu", "inconnue", "révoqué", "révoquée", "refusé", "oublié", "falta", "faltante", "incorrecta", "incorrecto", "inválida", "inválido", "caducada", "caducado", "obligatoria", "obligatorio", "cambiada", "cambiado", "definida", "definido", "opcional", "oculta", "oculto", "corta", "corto", "vacía", "vacío", "vencida", "vencido", "errónea", "erróneo", "desconocida", "revocado", "revocada", "actualizada", "requerida", "requerido", "ausente", "incorreta", "incorreto", "expirada", "expirado", "obrigatória", "obrigatório", "alterada", "alterado", "curta", "curto", "vazia", "vazio", "errada", "errado", "faltando", "necessária", "atualizada", "revogado", "revogada", "bloqueada", "mancante", "errata", "errato", "valida", "valido", "scaduta", "scaduto", "obbligatoria", "obbligatorio", "modificata", "modificato", "impostata", "impostato", "facoltativa", "facoltativo", "nascosta", "nascosto", "vuota", "vuoto", "assente", "sbagliata", "richiesta", "revocato", "aggiornata", "brak", "nieprawidłowe", "nieprawidłowy", "nieważny", "nieważne", "wygasło", "wygasł", "wymagane", "wymagany", "zmienione", "zmieniony", "ustawiono", "opcjonalne", "opcjonalny", "ukryte", "ukryty", "krótkie", "krótki", "puste", "pusty", "błędne", "błędny", "chybí", "nesprávné", "nesprávný", "neplatné", "neplatný", "vypršelo", "vypršel", "povinné", "povinný", "změněno", "změněn", "nenastaveno", "nastaveno", "volitelné", "skryto", "krátké", "krátký", "prázdné", "prázdný", "chýba", "skryté", "отсутствует", "неверный", "неверен", "недействителен", "недействительный", "истёк", "истек", "обязателен", "изменён", "изменен", "задан", "указан", "необязательно", "скрыт", "короткий", "пустой", "пуст", "просрочен", "отозван", "відсутній", "невірний", "недійсний", "прострочений", "обов'язковий", "змінено", "задано", "приховано", "закороткий", "порожній", "puuttuu", "virheellinen", "väärä", "vanhentunut", "vaaditaan", "vaihdettu", "asetettu", "piilotettu", "lyhyt", "tyhjä", "pakollinen", "hiányzik", "hibás", "érvénytelen", "lejárt", "kötelező", "megváltozott", "megadva", "rejtett", "rövid", "üres", "lipsește", "greșită", "greșit", "invalidă", "invalid", "expirată", "expirat", "obligatorie", "schimbată", "nesetată", "ascunsă", "scurtă", "goală", "incorectă", "incorect", "eksik", "hatalı", "yanlış", "geçersiz", "doldu", "zorunlu", "değiştirildi", "ayarlanmadı", "gizli", "kısa", "boş", "missing", "expired", "required", "changed", "set", "provided", "hidden", "short", "empty", "found", "expires", "rotated", "specified", "configured", "given", "known", "long", "weak", "used", "needed", "缺失", "错误", "无效", "已过期", "必填", "已修改", "未设置", "可选", "太短", "为空", "不正确", "缺少", "未設定", "無効", "期限切れ", "必須", "変更済み", "任意", "短すぎます", "없음", "만료됨", "필수", "변경됨", "누락",
]);

/// Words that go with the words of [`STATUS_WORDS`]: not, too, never.
#[rustfmt::skip]
pub(super) static STATUS_ADVERBS: WordSet = WordSet::new(&[
    "ej", "inte", "icke", "ikke", "nicht", "niet", "pas", "non", "no", "não", "nie", "ne", "není", "nu", "не", "нет", "ei", "eivät", "nincs", "yok", "not", "never", "too", "for", "för", "zu", "te", "trop", "demasiado", "muito", "muy", "troppo", "za", "příliš", "príliš", "слишком", "надто", "liian", "túl", "prea", "çok", "süresi", "alt",
]);

/// Words with which a report about a secret goes on after a colon: `Lösenord: har ändrats`.
#[rustfmt::skip]
pub(super) static AUXILIARIES: WordSet = WordSet::new(&[
    "har", "är", "er", "blev", "wurde", "ist", "wird", "hat", "has", "was", "werd", "est", "sera", "ha", "fue", "será", "foi", "è", "é", "został", "zostało", "została", "bylo", "byl", "była", "был", "была", "было", "будет", "same", "samma", "samme", "sama", "wie", "comme", "como", "zoals", "jak", "как", "fältet", "feltet", "fel", "feil", "forkert",
    "måste", "ska", "skall", "skal", "kan", "får", "må", "bør", "lejárt", "istekla", "istekao", "δοκιμάστε", "έληξε", "פגה", "פג", "منتهية", "vypršelo", "vypršalo", "caducó", "expiró", "expirou", "verloopt", "utgår", "utløper", "udløber", "vanheni", "täytyy",
]);

/// Words of instructions and reports about secrets, which passphrases do not contain.
#[rustfmt::skip]
pub(super) static MESSAGE_WORDS: WordSet = WordSet::new(&[
    "longitud", "longueur", "länge", "lunghezza", "comprimento", "lengte", "długość", "délka", "длина", "mínima", "mínimo", "minimale", "minima", "minimal",
    "updated", "successfully", "disabled", "enabled", "expirado", "expirada", "expirou", "vencido", "vencida", "scaduta", "истек", "истекла", "истёк", "wygasło", "salah", "nesprávne", "nesprávné", "napačno", "neispravna", "changed", "blank", "common", "similar", "previously", "recently", "weak", "guessable", "easily", "include", "uppercase", "lowercase", "letter", "digit", "special", "symbol", "confirmation", "bestätigen", "bevestigen", "confirmer", "confirmar", "conferma", "potwierdź", "подтвердите", "bekräfta", "wiederholen",
    "again", "match", "matches", "digits", "letters", "characters", "configured", "long", "short", "minutes", "session", "field", "least",  "between", "cannot", "characters", "contain", "contains", "didn't", "doesn't", "empty", "enter", "expected", "expired", "failed", "forgot", "invalid", "incorrect", "least", "mismatch", "missing", "must", "needed", "needs", "not", "please", "provided", "required", "requires", "reset", "should", "too", "unable", "unexpected", "valid", "wrong", "your", "confirm", "change", "minimum", "maximum", "optional", "used", "using", "missing", "provide", "specify", "configured", "supported", "created", "rotated", "stored", "reject", "rejected", "denied", "already",
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
pub(super) static FIRST_WORDS: WordSet = WordSet::new(&[
    "retype", "repeat", "enter", "ask", "must", "please", "invalid", "expired", "required", "missing", "not", "cannot", "should", "expected", "unexpected", "failed", "wrong", "incorrect", "forgot", "reset", "change", "confirm", "campo", "champ", "обязательное", "zorunlu", "pflichtfeld", "pflichtangabe", "verplicht", "obbligatorio", "can't", "does", "is", "minst", "alespoň", "minimálně", "minimaal", "minimum", "minimálne", "mínimo", "mindestens", "nejméně", "musi", "wymagane", "wymagany", "обязательно", "обязателен", "слишком", "минимум", "příliš", "zbyt", "demasiado", "trop", "troppo", "muito", "must", "no", "co", "не", "vereist", "krävs", "povinné", "too",
    "unbound", "see", "siehe", "filled", "skal", "må", "bør", "mindst", "vähintään", "liian", "legalább", "túl", "kötelező", "gerekli", "çok", "obligatorie", "obligatoriu", "trebuie", "prea", "minim", "wajib", "harus", "minimal", "setidaknya", "terlalu", "bắt", "phải", "tối", "ít", "quá", "υποχρεωτικό", "πρέπει", "τουλάχιστον", "mora", "najmanje", "barem", "preveč", "vähemalt", "mažiausiai", "vismaz", "príliš", "musí", "слишком", "занадто", "обов'язкове", "повинен", "má", "cal", "debe", "deve", "doit", "muss", "moet",
]);

/// What reports about secrets count.
#[rustfmt::skip]
pub(super) static UNITS: WordSet = WordSet::new(&[
    "attempts", "b", "byte", "bytes", "bits", "caracteres", "caractères", "caratteri", "characters", "chars", "chiffres", "cifras", "cookies", "days", "digits", "entries", "hours", "items", "kb", "keys", "karakter", "letters", "cyfry", "cifras", "цифры", "цифр", "minutes", "ms", "s", "seconds", "tage", "tekens", "times", "tokens", "versuche", "words", "zeichen", "ziffern", "znaków", "znaků", "символов", "цифр", "tecken", "cyfr", "stellen", "used", "valid", "of", "remaining", "left", "invalid", "passed", "failed",
]);

/// Parts of reports and instructions in scripts without spaces, and in scripts whose words change.
#[rustfmt::skip]
pub(super) const MESSAGE_PARTS: &[&str] = &[
    "必须", "必須", "必填", "项", "回", "間違", "ロック", "필수", "않", "至少", "字符", "字元", "错误", "錯誤", "不正确", "不正確", "请", "請", "输入", "輸入", "不能", "为空", "不匹配", "不一致", "长度", "過期", "过期", "已", "失败", "失敗", "无效", "無效", "文字", "以上", "以下", "入力", "正しく", "必要", "未設定", "設定", "確認", "再度", "変更", "一致", "ください", "ません", "できません", "桁", "입력", "이상", "이하", "자리", "확인", "변경", "일치", "올바르", "만료", "하세요", "해야", "필수", "영문", "숫자", "不正な", "过短", "過短", "太短", "无效", "無効", "유효", "짧", "مطلوب", "حقل", "أحرف", "חובה", "תווים", "आवश्यक", "अक्षर", "จำเป็น", "ต้อง", "bắt buộc", "ký tự", "phải", "يجب", "غير صحيحة", "أدخل", "दर्ज", "चाहिए", "गलत",
];

/// Words for a password, a token or a key in the translations of programs, or their beginnings.
#[rustfmt::skip]
pub(super) const LABELS: &[&str] = &[
    "slaptažod", "slaptazod", "parole", "salasõna", "parool", "geslo", "gesla", "lozink", "šifra", "лозинк", "jelsz", "salasan", "lykilorð", "loyniorð", "contrasinal", "pasahitz", "pasvorto", "fjalëkalim", "kata laluan", "kata sandi", "nenosiri", "wagwoord",
    "нууц үг", "құпия", "құпиясөз", "сырсөз", "рамз", "կաղապար", "գաղտնաբառ", "პაროლ", "mật khẩu", "รหัสผ่าน", "ពាក្យ", "စကားဝှက်", "ລະຫັດ", "මුරපද", "கடவுச்", "పాస్", "ಪಾಸ್", "പാസ്", "પાસ", "পাসওয়ার্ড", "পাসওয়ার্ড", "پاس ورڈ", "پاسورڈ", "گذرواژه", "رمز عبور", "סיסמ", "የይለፍ", "κωδικό",
    "認証情報", "凭据", "憑證", "자격 증명", "identifiants", "anmeldedaten", "inloggegevens", "credenciales", "credenciais", "credenzial", "poświadczen", "přihlašovací", "учетные данные", "учётные данные", "zugriffscode", "zugangscode", "アクセスコード", "访问代码", "訪問代碼", "액세스 코드", "code d'accès", "code d’accès", "código de acceso", "código de acesso", "codice di accesso", "toegangscode", "kod dostępu", "код доступа", "код доступу", "dostopna koda", "prieigos kod", "kode akses", "hozzáférési", "přístupový", "prístupový", "erişim kodu", "åtkomstkod", "adgangskode", "tilgangskode", "pääsykood",
];

/// Parts of the words for a password.
#[rustfmt::skip]
pub(super) const PASSWORD_STEMS: &[&str] = &[
    "pass", "pwd", "pw", "kennw", "kennwort", "contrase", "clave", "senha", "парол", "hasł", "haslo", "hasla", "hesl", "parol", "şifre", "sifre", "wachtwoord", "lösenord", "losenord", "salasana", "mdp", "jelsz", "sandi", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "패스워드", "비번", "סיסמ", "المرور", "السر", "पासवर्ड", "identified", "κωδικ", "รหัส", "mật khẩu", "adgangskode", "kodeord",
];

/// How references to secret stores begin.
#[rustfmt::skip]
pub(super) static STORES: Edges = Edges::new(&[
    "op://", "env://", "awssecret://", "awssm://", "gcpsecret://", "azurekv://", "keyring://", "secretsmanager:", "path:", "/dev/", "@vault:", "vault:", "vault://", "ref+", "secret://", "secret/", "secrets/", "arn:aws:secretsmanager", "arn:aws:ssm", "ssm:", "sm://", "keyvault", "kv/", "awssm://", "gcp-secretmanager", "projects/", "/run/secrets/", "/var/run/secrets/", "/etc/", "/var/lib/", "/opt/", "/usr/", "/mnt/secrets", "enc[", "enc(", "{cipher}", "aws-secretsmanager", "bws://", "doppler://", "file://",
]);

/// How variables and templates begin, in lower case.
#[rustfmt::skip]
pub(super) static VARIABLES: Edges = Edges::new(&[
    "${", "$${", "{{", "$(", "$$(", "\\\"${", "$request.", "$context.", "$stagevariables.", "%(", "#{", "<%", "$env:", "env:", "@env", "process.env", "os.environ", "!ref", "!sub", "@microsoft.keyvault", "{cipher", "$vault", "required|", "nullable|", "sometimes|",
]);

/// How texts begin that tell the reader to write a value.
#[rustfmt::skip]
pub(super) static INVITATIONS: Edges = Edges::new(&[
    "your-", "your_", "your ", "<your", "my-secret-here", "replace", "insert", "enter ", "put-your", "put_your", "todo", "changeme-", "example-", "dummy",
]);

/// Types that databases write with a length.
#[rustfmt::skip]
pub(super) const SQL_TYPES: &[&str] = &[
    "varchar", "nvarchar", "char", "nchar", "character varying", "character", "varchar2", "binary", "varbinary", "string", "text", "decimal", "bit",
];
