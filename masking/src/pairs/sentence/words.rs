//! The words that connect names and values in sentences.

use crate::lists::Edges;

/// Words that connect a name and its value.
#[rustfmt::skip]
pub(super) static VERBS: Edges = Edges::new(&[
    "已重置为", "重置为", "已修改为", "已更改为", "已改为", "设置为", "设为", "已设置为", "została zmienione na", "zostało zmienione na", "zostało ustawione na", "zmieniono na", ", enter ", ", use ", ", type ", "changed from", "was changed from", "is now set to", "has been changed to", "by", "by values", "to be", "to equal", "sigue siendo", "bleibt", "rimane", "blijft", "остаётся", "остается", "pozostaje", "found with", "set with", "as values", "has been reset to", "has been set to", "was changed to", "was reset to", "was set to", "changed to", "is set to", "set to", "reset to", "updated to", "equals", "should be", "will be",
    "is now", "is still", "is", "was", "are", "were", "being", "be", "now", "to", "as", "of", "value", "with value", "has value",
    "lautet standardmäßig", "lautet", "ist jetzt", "ist", "war", "wurde geändert auf", "wurde geändert in", "wurde auf", "wurde zu", "geändert zu", "auf", "heißt",
    "est le", "est désormais", "est maintenant", "est", "était", "devient", "a été changé en", "changé en",
    "es ahora", "es", "era", "fue cambiada a", "cambiada a", "será", "é agora", "é", "foi alterada para", "alterada para", "para", "è ora", "è", "era", "è stata cambiata in",
    "is nu", "luidt", "was", "gewijzigd in", "to", "jest", "brzmi", "zmieniono na", "это", "—", "–", "равен", "изменён на", "изменен на", "установлен", "имеет значение", "є", "дорівнює",
    "на", "na", "en", "incorrect:", "incorrect :", "incorrecte:", "incorrecte :", "incorrecta:", "incorreta:", "incorreto:", "errata:", "errato:", "non valida:", "invalide:", "invalide :", "inválida:", "inválido:", "ungültig:", "falsch:", "invalid:", "틀렸습니다:", "incorrect(e) :",
    "girin:", "입력하세요:", "입력:", "을 입력하세요:", "를 입력하세요:", "in:", "eingeben:", "ein:", "入力してください:", "field with value",
    "er nå", "er nu", "er", "este", "είναι", "คือ", "Anda adalah", "anda adalah", "је", "е", "yra", "à",
    "je nyní", "je", "bylo změněno na", "är nu", "är", "ändrat till", "på", "हे", "है", "adalah", "là",
    "は", "が", "を", "修改为", "更改为", "改为", "为", "為", "是", "：", "은", "는", "가 틀렸습니다:", "가 올바르지 않습니다:", "가", "이", "를", "을", "هي", "هو", "الخاصة بك هي", "الخاص بك هو", "الجديدة هي", "المؤقتة هي", "הוא", "היא",
]);

/// Adjectives between a name and a value that was rejected, in lower case.
#[rustfmt::skip]
pub(super) static ADJECTIVES: Edges = Edges::new(&[
    "inválido", "inválida", "invalido", "invalida", "incorrecto", "incorrecta", "incorreto", "incorreta", "errónea", "erróneo", "errato", "errata", "non valida", "non valido", "no válida", "no válido", "invalide", "incorrect", "erroné", "erronée", "ungültig", "falsch", "ongeldig", "onjuist",
    "недействителен", "неверен", "неверный", "недійсний", "salah", "tidak valid", "không đúng", "không hợp lệ", "sai", "incorectă", "greșită", "invalidă", "geçersiz", "hatalı", "yanlış", "غير صحيحة", "غير صالحة", "خاطئة", "nieprawidłowe", "błędne", "neplatné", "nesprávné", "felaktigt", "ogiltigt", "ugyldig", "forkert", "helytelen", "érvénytelen", "invalid", "wrong", "rejected",
]);

/// Words that begin the part of a sentence between a name and the word that connects the value:
/// `password for bob is …`.
#[rustfmt::skip]
pub(super) static PREPOSITIONS: Edges = Edges::new(&[
    "with", "used for", "used by", "used to", "given to", "under", "that", "which", "bei", "beim", "im", "zu", "zum", "zur", "auf", "am", "unter", "dans", "sur", "chez", "par", "au", "aux", "à", "por", "en", "como", "em", "nel", "nella", "sul", "al", "alla", "op", "bij", "aan", "k", "ke", "av", "på", "til", "hos", "по", "в", "на", "к", "у", "is generated", "generated", "has been generated", "(", "dell'utente", "dell'account", "de l'utilisateur", "du compte", "for", "of", "from", "on", "in", "at", "to", "für", "von", "des", "der", "pour", "de", "du", "para", "del", "da", "do", "per", "di", "della", "voor", "van", "dla", "użytkownika", "до", "для", "користувача", "пользователя", "от", "pro", "för", "till", "için", "uživatele", "utente", "usuario", "usuário", "user", "gebruiker", "benutzer", "l'utilisateur", "kullanıcı",
]);

/// Forms of `be`, which a value or an adjective follows.
#[rustfmt::skip]
pub(super) const COPULAS: &[&str] = &[
    "is", "is now", "is still", "was", "ist", "ist jetzt", "war", "lautet", "est", "est désormais", "est maintenant", "était", "es", "es ahora", "era", "é", "é agora", "è", "è ora", "luidt", "is nu", "jest", "brzmi", "to", "это", "— это", "—",
];

/// Words and signs with which another clause begins.
#[rustfmt::skip]
pub(super) static CONJUNCTIONS: Edges = Edges::new(&[
    "? ", "! ", "and ", "but ", "or ", "(", "- ", "– ", "— ", ":", "/ ", "| ", "# ", "for now", "und ", "aber ", "oder ", "et ", "mais ", "ou ", "y ", "pero ", "e ", "mas ", "ma ", "en ", "maar ", "i ", "ale ", "a ", "och ", "men ", "и ", "но ", "а ", "ve ", "ama ",
]);

/// Verbs that are followed by a value, and not by an adjective.
#[rustfmt::skip]
pub(super) const EXACT_VERBS: &[&str] = &[
    "has been set to", "has been reset to", "has been changed to", "was changed to", "was reset to", "updated to", "reset to", "is now set to", "wurde geändert auf", "wurde geändert in", "wurde zu", "lautet standardmäßig", "a été changé en", "changé en", "fue cambiada a", "cambiada a", "foi alterada para", "alterada para", "è stata cambiata in", "gewijzigd in", "zmieniono na", "bylo změněno na", "ändrat till", "修改为", "更改为", "改为", "الجديدة هي", "المؤقتة هي", "الخاص بك هي",
    "lautet", "luidt", "brzmi", "war", "was set to", "is set to", "set to", "changed to", "geändert zu", "wurde auf", "изменён на", "изменен на", "это", "هي", "الخاصة بك هي", "は", "为", "為", "是",
];

/// Words between a value and a second one: `changed from 'a' to 'b'`.
#[rustfmt::skip]
pub(super) const SECOND: &[&str] = &[
    "AS ", "BY ", "as ", "by ", "to ", "in ", "auf ", "en ", "REPLACE ", "replace ", "-> ", "=> ", "→ ", "OLD_PASSWORD=",
];

/// Endings of sentences and particles directly after a value.
#[rustfmt::skip]
pub(super) const ENDINGS: &[&str] = &[
    "です", "でした", "입니다", "이다", "に変更", "로",
];

/// Words between a value and a name that follows it: `'hunter2' as password`.
#[rustfmt::skip]
pub(super) static BEFORE: Edges = Edges::new(&[
    "as the", "as", "is the new", "is the old", "is the current", "is the default", "is my new", "is your new", "ist das neue", "ist das alte", "ist mein", "ist mein neues", "est mon", "est le nouveau", "es la nueva", "es mi", "as your", "for the", "is the", "is your", "is my", "is our", "als", "comme", "como", "come", "— the", "ist das", "— ваш", "— это ваш", "это ваш", "est le", "é a", "es la", "è la", "is not a valid", "is an invalid", "is not the", "ist ihr", "ist dein", "est votre", "es su", "es tu", "è il tuo", "è il suo", "is uw", "é o seu",
]);

/// Typographic quotes that close a name.
#[rustfmt::skip]
pub(super) const CLOSERS: &[&str] = &[
    "”", "»", "」", "』", "》", "’",
];
