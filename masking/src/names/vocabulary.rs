//! The words that name a secret, in the languages of most error messages, and the words that turn
//! such a name into something else.
//!
//! All words are in lower case. A phrase is joined without its connecting words: `motpasse` stands
//! for `mot de passe`, `motDePasse` and `MOT_DE_PASSE`.

/// Words that are a secret, whatever words come before them.
#[rustfmt::skip]
pub(super) const SECRETS: &[&str] = &[
    // English, and abbreviations that software uses in all countries.
    "authorization", "bearer", "cookie", "cookies", "credential", "credentials", "cred", "creds", "csc",
    "cvc", "cvc2", "cvv", "cvv2", "jsessionid", "jwt", "masterauth", "mnemonic", "otp", "passcode",
    "passcodes", "passphrase", "passphrases", "passwd", "passwds", "password", "passwords",
    "passwrd", "pasword", "phpsessid", "psk", "psw", "pswd", "puk", "pwd", "pword", "requirepass", "secret",
    "secrets", "ssn", "token", "totp", "userpassword", "xsrf", "csrf", "authtok", "authinfo", "passkey", "usercode", "pwl", "passwdhash", "identifiedby", "authenticitytoken",
    // German, Dutch, Scandinavian languages, Finnish.
    "adgangskode", "adgangskoden", "geheimnis", "kennwort", "kennworte", "kennwortes", "kennwörter",
    "kodeord", "losenord", "lösenord", "lösenordet", "passord", "passordet", "passwort", "passworts",
    "passwortes", "passwörter", "salasana", "salasanan", "salasanasi", "wachtwoord", "wachtwoorden", "netzwerkschlüssel", "wlanschlüssel", "rocommunity", "rwcommunity", "rocommunity6", "rwcommunity6", "parol",
    "zugangsdaten", "geheimwort", "klienthemlighet", "hemlighet", "säkerhetskod", "åtkomstkod", "atkomstkod", "åtkomsttoken", "zugangscode", "zugangstoken", "zugriffstoken", "geheimschluessel", "geheimschlüssel", "sitzungsschlüssel", 
    // French, Spanish, Catalan, Portuguese, Italian, Romanian.
    "contrasena", "contrasenas", "contrasenia", "contrasenya", "contraseña", "contraseñas", "jeton",
    "mdp", "motdepasse", "palavrapasse", "parola", "parolă", "parolei", "segredo", "segredos", "segreto", "secreto",
    "senha", "senhas", "mima", "lösenfras", "verifieringskod", "aktivierungscode", "aktiveringskod",
    // Polish, Czech, Slovak, Croatian, Hungarian, Russian, Ukrainian, Bulgarian, Greek.
    "hasel", "hasla", "haslo", "hasła", "hasłem", "hasło", "hesla", "heslem", "heslo", "jelszava",
    "jelszo", "jelszó", "lozinka", "lozinku", "lozinke", "лозинка", "лозинку", "κωδικό", "κωδικού", "sekret", "пароль", "пароля", "паролем", "паролю", "пароле", "пароли",
    "паролей", "парола", "секрет", "секрета", "токен", "токена", "токену", "токеном", "κωδικός", "κωδικος",
    "συνθηματικό",
    // Turkish, Indonesian, Malay.
    "belirteci", "belirteç", "parolanız", "parolası", "sandi", "sifre", "sifresi", "sifreniz", "sifrenizi", "şifre", "şifreniz", "şifresi", "şifrenizi",
];

/// Endings of joined names, as in `dbpassword`.
pub(super) const ENDINGS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "authkey",
    "authtok",
    "authtoken",
    "contrasena",
    "contraseña",
    "cookie",
    "credential",
    "credentials",
    "kennwort",
    "lösenord",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "senha",
    "sessid",
    "wachtwoord",
    "hemlighet",
    "geheimnis",
    "heslo",
    "haslo",
    "şifre",
    "sifre",
    "пароль",
];

/// Short endings of joined names, which count after one of the words of their head: `rootpw`.
pub(super) const SHORT_ENDINGS: &[&str] = &["code", "key", "pass", "pw", "token"];

/// Words in scripts without spaces between words, or whose words take endings. They are found
/// anywhere in a text.
#[rustfmt::skip]
pub(super) const ANYWHERE: &[&str] = &[
    // Chinese.
    "密码", "密碼", "口令", "密钥", "密鑰", "金鑰", "秘钥", "私钥", "私鑰", "令牌", "验证码", "驗證碼", "凭证", "凭据",
    "憑證", "安全码", "授权码", "校验码", "權杖", "存取金鑰", "提取码", "通行码", "激活码", "密保答案", "通關密語", "通关密语", "API密钥", "動態碼", "动态码",
    // Japanese.
    "パスワード", "暗証番号", "秘密鍵", "トークン", "シークレット", "APIキー", "アクセスキー", "認証コード", "確認コード", "アクティベーションコード",
    "パスフレーズ", "合言葉", "暗号鍵", "パスコード", "秘密の質問の答え", "共有キー", "シークレットキー", "アクセストークン", "認証キー",
    // Korean.
    "비밀번호", "암호", "핀번호", "패스워드", "비번", "토큰", "시크릿", "비밀키", "비밀 키", "API 키", "API키", "인증번호", "인증코드", "인증 코드", "개인키",
    "보안코드", "암호키", "접속 코드", "접속코드", "액세스 토큰", "확인 코드", "보안 코드", "액세스 키", "접근 키",
    // Arabic, Persian, Hebrew.
    "عبارة المرور", "كلمة المرور", "كلمه المرور", "كلمة مرور", "كلمة السر", "كلمة سر", "الرقم السري", "رقم سري", "الرمز السري", "رمز سري", "رمز التحقق", "رمز الدخول", "رمز الوصول",
    "مفتاح API", "المفتاح السري", "مفتاح سري", "المفتاح الخاص", "رمز مميز", "الرمز المميز", "رمز PIN", "رمز الأمان", "رمز المصادقة", "گذرواژه", "رمز عبور", "סיסמה", "סיסמא", "הסיסמה", "מפתח סודי", "מפתח API",
    // Hindi, Thai, Vietnamese, Greek.
    "पासवर्ड", "कूटशब्द", "टोकन", "गुप्त कुंजी", "ओटीपी", "सीक्रेट", "API कुंजी", "कुंजी", "पिन", "गुप्त कोड", "रहस्य", "รหัสผ่าน", "mật khẩu", "Mật khẩu", "κωδικός πρόσβασης",
];

/// Phrases of several words that are a secret.
#[rustfmt::skip]
pub(super) const PHRASES: &[&str] = &[
    // English.
    "amzsecuritytoken", "amzsignature", "googsignature", "authenticationstring", "authstring", "basicauth", "cardnumber", "communitystring",
    "connectionstring", "connectionstrings", "connectstring", "connsid", "connstr", "connstring", "connectsid", "creditcard", "creditcardnumber", "databaseurl", "databaseuri", "dockerconfigjson", "dockerauthconfig",
    "clientkeydata", "keymaterial", "privatekeydata", "mongouri", "mongourl", "mongodburi", "redisurl", "passportnumber", "passphrase", "pinblock", "secretanswer", "securityanswer", "securitywords",
    "securestring", "seedphrase", "recoveryphrase", "mnemonicphrase", "secretphrase", "secretword", "secretwords", "sharedkey", "socialsecuritynumber", "snmpcommunity",
    "totpseed", "otpseed", "otpauth", "webhookurl", "slackwebhook", "smtpurl", "wpakey", "wepkey", "xauth", "sentrydsn", "dburl", "dburi", "brokerurl", "amqpurl", "celerybrokerurl",
    // German, Dutch, Swedish.
    "apischlüssel", "apischluessel", "apisleutel", "apinyckel", "bestätigungscode", "freischaltcode", "geheimerschlüssel", "geheimerschluessel",
    "geheimschlüssel", "geheimesleutel", "hemlignyckel", "privaterschlüssel", "sicherheitscode", "sicherheitsschlüssel", "toegangscode", "toegangssleutel", "toegangstoken",
    "verificatiecode", "verifizierungscode", "zugangscode", "zugangsschlüssel", "zugriffsschlüssel", "zugriffstoken", "lizenzschlüssel",
    "rediscliauth", "redisauth", "senhaacesso", "apppreviouskeys", "passwordsha256", "passwordsha1", "passwordsha512", "passwordmd5", "passworddoublesha1", "encryptionprimarykey", "storageprimarykey", "primarymasterkey", "secondarymasterkey", "primaryaccesskey", "secondaryaccesskey", "cardcode",
    "identifiedby", "identifiedwith", "identifiedbyvalues", "keycontent", "securitykey", "oauthverifier", "codeverifier", "secretid", "clientassertion", "samlresponse", "samlart", "xapikey", "samlassertion", "basicauthuserinfo", "sensitivepropskey", "sekretnyikluch", "novyiparol",
    "palavrapasse", "palavrapassetemporária", "passwordpepper", "noncekey", "hashsalt", "githuboauth", "gitlaboauth", "bitbucketoauth", "sonarlogin", "slacksignature", "stripesignature", "webhooksignature", "xsignature", "secretsalt", "authsalt", "passwordsalt", "csrfsalt", "encryptionsalt", "tokensalt", "noncesalt", "loggedinsalt", "codeactivation", "codigoactivacion", "códigoactivación", "códigoativação", "codiceattivazione", "kodaktywacyjny", "kodaktywacji", "aktivasyonkodu", "doğrulamakodunuz", "jetonactualisation", "hasłojednorazowe", "gizlikelime", "секретнеслово", "закритийключ", "segredoprépartilhado", "chaveprépartilhada", "passwordanswer", "passphraseanswer", "einmalcode", "pinkod", "säkerhetskod", "åtkomstnyckel", "åtkomsttoken", "beveiligingscode", "inlogcode", "geheimwort", "verschlüsselungsschlüssel",
    // French.
    "cléacces", "cléaccès", "cleacces", "cléapi", "cleapi", "cléchiffrement", "cléprivée", "cleprivee", "clésecrète", "clesecrete", "codeacces", "codeaccès", "codeconfirmation",
    "codepin", "codesecret", "codesecurite", "codesécurité", "codevérification", "codeverification", "jetonaccès", "jetonacces", "jetonapi", "motpasse",
    "phrasepasse", "phrasesecrète", "codeconfidentiel", "clésession", "clechiffrement", "cleprivee", "jetonaccés", "jetonrafraîchissement", "codeusageunique", "codevalidation", "motsecret", "jetonauthentification",
    // Spanish.
    "claveacceso", "claveapi", "clavecifrado", "claveprivada", "clavesecreta", "clavemaestra", "codigoacceso", "codigoseguridad", "codigoverificacion", "códigoacceso",
    "códigoseguridad", "códigoverificación", "códigosecreto", "códigopin", "frasecontraseña", "fraseseguridad", "tokenacceso", "palabrasecreta", "palabrapaso", "clavedinamica",
    "claveusuario", "clavewin", "clavecertificado", "clavewifi", "clavered", "frasepaso", "contrasenausuario", "códigoconfirmación", "clavecompartida", "claveactual", "nuevaclave", "llavesecreta", "llaveprivada", "llaveapi", "llaveacceso",
    // Portuguese.
    "chaveacesso", "chaveapi", "chaveprivada", "chavesecreta", "chavecriptografia", "codigoacesso", "códigoacesso", "códigosegurança", "códigoverificação",
    "codigoverificacao", "fraseacesso", "chaveencriptação", "chavepartilhada", "chavepré", "segredopartilhado", "codigosegurança", "codigoseguranca", "chavesessão", "frasesecreta", "tokenacesso", "palavrachave", "códigoconfirmação",
    // Italian.
    "chiaveaccesso", "chiaveapi", "chiavecrittografia", "chiaveprivata", "chiavesegreta", "codiceaccesso", "codicepin", "codicesegreto", "codicesicurezza", "codiceverifica",
    "parolaordine", "parolaaccesso", "chiaverete", "chiavewifi", "chiavesessione", "segretoclient", "codiceconferma", "fraserecupero", "parolachiave", "frasesegreta", "codiceotp",
    // Polish, Czech.
    "kluczapi", "kluczdostępu", "klucztajny", "kluczprywatny", "kodautoryzacyjny", "kluczsesji", "kluczszyfrowania", "kodjednorazowy", "koddostępu", "kodpin", "kodweryfikacyjny", "tajnyklucz", "tokendostępu",
    "klíčapi", "apiklíč", "klicapi", "tajnýklíč", "tajnyklic", "přístupovýtoken", "přístupovýklíč", "bezpečnostníkód", "ověřovacíkód", "přístupovýkód", "soukromýklíč",
    // Russian, Ukrainian.
    "apiключ", "ключapi", "ключдоступа", "ключдоступу", "кодавторизации", "коддоступа", "коддоступу", "кодподтверждения", "кодпідтвердження", "пинкод", "пінкод", "приватныйключ", "закрытыйключ", "секретныйключ",
    "секретнийключ", "токендоступа", "токендоступу", "ключсессии", "кодактивации", "приватнийключ", "секретноеслово", "ключшифрования", "кодовоеслово", "кодбезопасности", "проверочныйкод",
    // Norwegian, Danish, Slovak, Croatian, Slovenian, Hungarian, Greek.
    "apinøkkel", "hemmelignøkkel", "apinøgle", "hemmelignøgle", "apikľúč", "tajnýkľúč", "prístupovýkód", "apiključ", "tajniključ", "apikulcs", "titkoskulcs", "κλειδίapi", "μυστικόκλειδί",
    // Turkish, Vietnamese, Indonesian.
    "apianahtarı", "apianahtari", "erisimanahtari", "gizlianahtari", "dogrulamakodu", "doğrulamakodu", "erişimanahtarı", "erişimbelirteci", "erişimkodu", "gizlianahtar", "güvenlikkodu", "onaykodu", "özelanahtar", "tekkullanımlıkşifre", "mậtkhẩu", "katasandi", "kuncirahasia", "khóabímật",
];

/// Nouns that are a secret after one of a few words. `*` stands for all words.
#[rustfmt::skip]
pub(super) const HEADS: &[(&str, &[&str])] = &[
    ("tokens", TOKEN_KINDS),
    ("key", KEY_KINDS), ("keys", KEY_KINDS),
    ("code", CODE_KINDS), ("codes", CODE_KINDS),
    ("hash", &["password", "passwd", "pass", "pwd"]),
    ("pass", &["*"]),
    ("pin", &["atm", "bank", "card", "debit", "login", "new", "old", "sim", "unlock", "user", "access", "security", "account", "device", "door"]),
    ("pw", &["*"]),
    ("seed", &["hd", "master", "otp", "totp", "wallet", "recovery", "secret"]),
    ("phrase", &["pass", "recovery", "secret", "seed", "backup", "mnemonic"]),
    ("answer", &["secret", "security"]),
    ("community", &["snmp", "server", "ro", "rw"]),
    ("dsn", &["sentry", "db", "database", "postgres", "mysql", "app"]),
    ("sid", &["connect", "session", "php"]),
    ("string", &["connection", "auth", "authentication", "community", "connect", "conn"]),
    ("signature", &["amz", "goog", "hub", "webhook", "hmac", "sas"]),
    ("auth", &["basic", "proxy", "registry"]),
    ("number", &["card"]),
    ("pat", &["github", "gitlab", "azure", "devops", "ado", "vsts", "git", "user"]),
];

/// Words before `pass` and `pw` in joined names.
#[rustfmt::skip]
pub(super) const PASS_KINDS: &[&str] = &[
        "access", "account", "admin", "api", "app", "archive", "auth", "backup", "become", "bind", "broker", "ca", "cert", "client", "database", "db", "default", "email", "encryption", "export",
        "ftp", "git", "http", "imap", "import", "key", "keystore", "ldap", "login", "mail", "master", "mongo", "mqtt", "mysql", "my", "new", "old",
        "pg", "pop3", "postgres", "private", "proxy", "rabbit", "rabbitmq", "redis", "root", "sa", "rootmod", "mod", "deststore", "srcstore", "srckey", "destkey", "jkskey", "authpass", "crypto", "keyring", "pop", "xmpp", "ssid", "radius", "snmp", "priv", "sasl", "service", "sftp", "smtp", "sql",
        "ssh", "ssl", "store", "su", "sudo", "sync", "sys", "temp", "tls", "trust", "truststore", "user", "vault", "vnc", "vpn", "web", "wifi", "wp", "zip",
];

/// Words before `pass` that make it something else: `secondPass`, `boardingPass`.
pub(super) const HARMLESS_PASSES: &[&str] = &[
    "all",
    "band",
    "boarding",
    "by",
    "dry",
    "each",
    "first",
    "high",
    "last",
    "low",
    "max",
    "min",
    "multi",
    "n",
    "next",
    "num",
    "of",
    "one",
    "pre",
    "post",
    "render",
    "season",
    "second",
    "single",
    "tests",
    "test",
    "third",
    "two",
    "type",
    "will",
    "did",
    "does",
    "must",
    "to",
    "optimization",
    "compiler",
    "opt",
    "llvm",
    "data",
    "total",
    "check",
    "checks",
    "validation",
    "ski",
    "bus",
    "day",
    "free",
    "shader",
    "forward",
    "backward",
    "deferred",
    "light",
    "shadow",
    "bloom",
    "build",
    "quality",
    "qc",
    "gate",
    "retry",
    "cleanup",
    "merge",
    "scan",
    "sort",
    "per",
];

#[rustfmt::skip]
const KEY_KINDS: &[&str] = &[
    "access", "account", "admin", "aes", "api", "app", "application", "auth", "authentication", "authorized", "bot", "client", "consumer", "cipher",
    "crypto", "customer", "data", "database", "db", "decryption", "deploy", "deployment", "des", "developer", "dsa", "ec", "ecdsa", "ed25519", "encryption", "fernet", "function", "gateway", "gpg",
    "hmac", "host", "ingest", "ingestion", "instrumentation", "integration", "jwt", "license", "licence", "live", "master", "merchant", "mfa", "minion", "node", "openai", "otp", "pass", "pgp", "pre", "private", "priv",
    "product", "publishable", "recovery", "registration", "restic", "root", "rsa", "salt", "sas", "secret", "security", "sendgrid", "server", "service", "session", "shared", "sharedaccess",
    "sign", "signing", "encrypt", "unseal", "preshared", "gossip", "luks", "bitlocker", "ospf", "bgp", "activation", "chap", "content", "radius", "tacacs", "routing_pd", "proxy", "remote", "sitzungs", "auto", "transport", "network", "netz", "ssh", "ssl", "storage", "stripe", "subscription", "symmetric", "system", "tls", "totp", "transaction", "unseal", "user", "vapid", "validation", "wallet", "webhook", "wireguard", "wpa", "write",
];

const TOKEN_KINDS: &[&str] = &[
    "access", "api", "auth", "bearer", "device", "id", "oauth", "push", "refresh", "sas", "secret",
    "session", "user",
];

#[rustfmt::skip]
const CODE_KINDS: &[&str] = &[
    "2fa", "mfa", "access", "activation", "alarm", "auth", "authentication", "authorization", "backup", "confirmation", "door", "invite", "login", "mfa", "onetime",
    "otp", "pass", "pin", "recovery", "scratch", "secret", "secure", "security", "sms", "temp", "temporary", "time", "two", "unlock", "validation", "verification", "verify",
    "totp", "factor", "bypass", "user", "device", "token", "entry", "gate", "lock", "sicherheits", "freigabe", "pair", "pairing", "passport", "share", "voucher", "emergency", "slot",
];

/// Words that name other things as often as secrets. A value counts if it looks like a password.
pub(super) const LIKELY: &[&str] = &[
    "clave",
    "yanzhengma",
    "pass",
    "pin",
    "pw",
    "passw",
    "pincode",
    "tan",
    "пин",
    "пін",
    "secretid",
    "usercode",
    "puk",
];

/// Words whose values count if they are random, or long hex numbers.
pub(super) const LONG: &[&str] = &[
    "auth",
    "salt",
    "pepper",
    "encrypt",
    "routingkey",
    "integrationkey",
    "cryptokey",
    "schlüssel",
    "schluessel",
    "sleutel",
    "nyckel",
    "klucz",
    "klíč",
    "kľúč",
    "ključ",
    "nøkkel",
    "nøgle",
    "kulcs",
    "κλειδί",
    "ключ",
    "ключа",
    "chiave",
    "chave",
    "llave",
    "clé",
    "cle",
    "anahtar",
    "anahtarı",
    "appid",
];

/// Beginnings of words that take endings.
pub(super) const PREFIXES: &[&str] = &[
    "парол",
    "şifre",
    "sifre",
    "lösenord",
    "passwort",
    "kennwort",
    "wachtwoord",
    "jelsz",
    "contraseñ",
    "mot_de_passe",
    "sifren",
];

/// Words before `code` that make it the code of a message: `your code is …`.
pub(super) const POSSESSIVES: &[&str] = &[
    "your", "ihr", "dein", "votre", "ton", "su", "tu", "seu", "tua", "il tuo", "tuo", "vostro",
    "uw", "je", "twój", "din", "ditt", "váš", "ваш", "твой", "kodunuz", "aapka", "the", "a",
    "with", "con", "mit", "avec", "com", "z", "с",
];

/// Words that name many things. A value counts if it is long and random.
pub(super) const WEAK: &[&str] = &[
    "key",
    "session",
    "sid",
    "sessionid",
    "sess",
    "salt",
    "pepper",
    "seed",
    "signature",
    "sig",
    "nonce",
    "encrypt",
    "routingkey",
    "integrationkey",
    "encryptkey",
    "cryptokey",
    "license",
    "dsn",
    "webhook",
    "clave",
    "llave",
    "chave",
    "clé",
    "cle",
    "chiave",
    "schlüssel",
    "schluessel",
    "sleutel",
    "nyckel",
    "klucz",
    "klíč",
    "ключ",
    "ключа",
    "ключом",
    "anahtar",
    "anahtarı",
    "pat",
    "psk",
    "creds",
    "code",
    "login",
];

/// Words before `token` that make it harmless.
#[rustfmt::skip]
pub(super) const HARMLESS_TOKENS: &[&str] = &[
    "best", "bos", "cached", "cancel", "cancellation", "cls", "completion", "concurrency", "continuation", "continue", "cursor", "current", "dedup", "deduplication", "design", "eos", "end", "expected", "first", "idempotency", "illegal",
    "input", "invalidation", "key", "last", "lexer", "lookahead", "mask", "max", "min", "next", "nft", "num", "output", "pad", "page", "pagination", "paging", "per", "prev", "previous", "progress", "prompt", "reasoning", "request", "resume", "sep", "skip",
    "sound", "special", "start", "stop", "sync", "total", "unexpected", "unk", "used", "web",
];

/// Words before `key` that make it harmless.
#[rustfmt::skip]
pub(super) const HARMLESS_KEYS: &[&str] = &[
    "account_", "arn", "arrow", "article", "autogenerated", "bucket", "cache", "cached", "cell", "class", "column", "composite", "config", "context", "customer_", "default", "dedup", "deduplication", "dictionary", "element", "end", "entry", "enum",
    "event", "expected", "feature", "field", "first", "foreign", "from", "group", "grouping", "hash", "header", "hot", "i18n", "idempotence", "idempotency", "index", "input", "invoice", "issue", "item", "job", "join", "kernel", "keyword", "kms", "label",
    "lang", "language", "last", "left", "link", "locale", "lookup", "lora", "map", "max", "merge", "message", "metric", "min", "natural", "new", "next", "node", "num", "object", "option", "order", "output", "page", "partition", "permission",
    "prev", "previous", "primary", "project", "prop", "property", "public", "query", "range", "record", "registry", "request", "resource", "right", "routing", "row", "s3", "search", "sequence", "setting", "settings", "shard", "shift", "sort", "sorting",
    "start", "state", "string", "surrogate", "table", "tag", "template", "tenant", "theme", "ticket", "topic", "tracking", "translation", "unique", "unknown", "widget", "for", "with", "the", "this", "missing", "invalid", "duplicate", "restored",
];

/// First words that make a name a question or an action.
#[rustfmt::skip]
pub(super) const QUESTIONS: &[&str] = &[
    "allow", "allows", "can", "change", "disable", "enable", "enabled", "forgot", "has", "have", "hide", "is", "missing", "needs", "no", "require",
    "required", "requires", "should", "show", "use", "hash", "encode", "decode", "compare", "parse", "generate", "render", "uses", "was", "with", "without", "validate", "verify", "reset", "lost", "update", "ask", "prompt", "read", "get", "load", "import",
    "num", "count", "supports", "skip", "check", "delete", "rotate", "revoke", "expired", "invalid", "wrong", "rotated",
    "incorrect", "same", "save", "label", "placeholder", "tooltip", "no", "detect",
];

/// Words after a secret that make the name something else: `passwordResetUrl`, `tokenCount`.
#[rustfmt::skip]
pub(super) const HARMLESS_ENDINGS: &[&str] = &[
    "accepted", "action", "age", "alg", "algo", "algorithm", "alias", "allowed", "arn", "at", "attempt", "attempts", "attribute", "audience", "authenticator", "authentication", "available", "backend", "block",
    "bucket", "budget", "bytes", "cache", "callback", "category", "change", "changed", "char", "chars", "check", "checker", "class", "classname", "cleared", "column", "complexity", "config", "configuration", "consent", "controller", "cost",
    "count", "counter", "counts", "created", "creation", "date", "day", "days", "deleted", "description", "details", "digits", "dir", "directory", "disabled", "domain", "duration", "email", "enabled", "encoder", "endpoint", "engine", "error",
    "errors", "event", "exists", "expiration", "expire", "expired", "expires", "expiresin", "expiry", "exp", "factory", "failed", "failure", "failures", "field", "fields", "file", "filename", "filter", "fingerprint", "flag", "flow",
    "format", "found", "function", "generator", "guard", "handler", "header", "hint", "history", "host", "hours", "icon", "id", "identifier", "ids", "index", "info", "input", "inputs", "interval", "invalid", "issued", "issuer", "iterations", "label", "last",
    "length", "len", "level", "lifetime", "limit", "limits", "link", "list", "location", "lock", "manager", "mask", "max", "maxage", "message", "method", "min", "minutes", "ms", "millis", "missing", "mode", "modified", "name", "names", "namespace", "needed", "number", "offset",
    "ok", "option", "optional", "options", "owner", "page", "pages", "params", "parameter", "path", "paths", "pattern", "per", "period", "placeholder", "plugin", "policy", "port", "position", "prefix", "price", "processor", "prompt", "property", "protected", "protection", "provider", "providers", "purpose", "question",
    "quota", "rate", "reader", "ref", "reference", "refreshed", "regex", "region", "request", "requests", "required", "requirement", "requirements", "reset", "resolver", "resource", "response", "result", "retries", "retry", "role", "rotated", "rotation", "rule", "rules", "samesite", "scheme", "schema", "scope", "scopes", "score", "screen", "seconds",
    "selector", "service", "set", "settings", "setup", "shown", "size", "source", "spec", "state", "stats", "status", "step", "storage", "store", "strategy", "strength", "success", "suffix", "support", "supported", "table", "tag", "template", "time", "timeout", "timestamp", "title", "total", "translation", "ttl",
    "type", "types", "unused", "updated", "uri", "url", "usage", "used", "param", "variable", "kind", "kinds", "sha", "sha256", "md5", "fingerprints", "thumbprint", "digest", "setting", "enum", "hashers", "hasher", "validators", "encoders", "policies", "backends", "username", "usages", "valid", "validated", "validation", "validator", "validity", "verified", "version", "versions", "warning", "weak", "window", "expiresat", "changedat", "failures", "grant", "revoked", "less", "short", "long", "mismatch", "incorrect", "empty", "blank", "within", "challenge",
    "ablaufdatum", "länge", "laenge", "ungültig", "falsch", "abgelaufen", "vergessen", "zurücksetzen", "ändern", "incorrecta", "incorrecte", "oublié", "olvidada",
];

/// Words that only say how the secret is written, which of several it is, or where it is used.
#[rustfmt::skip]
pub(super) const NEUTRAL: &[&str] = &[
    "fallback", "fallbacks", "maestra", "maestro", "compartida", "compartido", "partagé", "partagée", "condiviso", "condivisa", "compartilhada", "principal", "principale", "maître", "inicial", "initial", "initiale", "iniziale", "predeterminada", "padrão", "predefinita",
    "again", "b64", "base", "wi", "fi", "wlan", "utente", "usuario", "usuário", "benutzer", "utilisateur", "gebruiker", "kullanici", "kunde", "klant", "картки", "карты", "nieuw", "provvisoria", "provvisorio", "provisoria", "provisional", "provisória", "provisorio", "temporaire", "temporal", "temporary", "temporária", "temporaria", "vorläufiges", "actual", "actuel", "attuale", "aktuelles", "atual", "anterior", "nueva", "nuova", "nova", "novo", "nouveau", "neu", "neues", "alt", "altes", "antiga", "vieja", "win", "ftp", "number", "confirm", "confirmation", "confirmed", "current", "data", "decoded", "encoded", "encrypted", "hash", "hashed", "header", "hex", "new", "old", "plain", "plaintext",
    "previous", "raw", "repeat", "retype", "string", "text", "value", "val", "v",
];

/// Words between the parts of a phrase.
#[rustfmt::skip]
pub(super) const CONNECTING: &[&str] = &[
    "a", "al", "d", "da", "de", "del", "der", "des", "di", "do", "dos", "du", "el", "het", "l", "la", "le", "los", "of", "o", "the", "van", "von", "для", "к", "à", "en", "in", "em",
];

/// Parts of the names above. The search for names looks for these, so each name has to contain one.
#[rustfmt::skip]
pub(super) const STEMS: &[&str] = &[
    "pass", "pwd", "pw", "psw", "secret", "token", "key", "auth", "cred", "cookie", "otp", "pin", "cvv", "cvc", "csc", "jwt", "bearer", "sess", "sid", "psk", "puk", "ssn", "tan", "xsrf",
    "mnemonic", "seed", "salt", "pepper", "code", "signature", "sig", "nonce", "string", "connstr", "phrase", "answer", "community", "dsn", "pat", "card", "word", "webhook", "uri", "url",
    "dockerconfigjson", "appid", "license", "login", "hash", "identified", "encrypt", "csrf", "samlresponse", "samlart", "mima", "authinfo", "verifier", "assertion", "pepper",
    "adgangskode", "geheim", "hemlighet", "åtkomst", "atkomst", "sitzung", "kennw", "kod", "losen", "lösen", "salasana", "wachtwoord", "zugang", "zugriff", "schlüssel", "schluessel", "sleutel", "nyckel", "toegang",
    "contrase", "jeton", "mdp", "palavra", "parol", "segre", "secreto", "senha", "clave", "llave", "chave", "clé", "cle", "chiave", "codi", "códi", "frase", "palabra",
    "hasł", "hasl", "hasel", "hesl", "jelsz", "lozink", "лозинк", "sekret", "klucz", "klíč", "klic", "kľúč", "ključ", "nøkkel", "nøgle", "kulcs", "κλειδ",
    "парол", "секрет", "токен", "ключ", "код", "пин", "пін", "слово", "κωδικ", "συνθηματ",
    "belirte", "kelime", "sandi", "kód", "yanzhengma", "number", "sifre", "şifre", "anahtar", "kunci", "khóa", "khẩu",
];
