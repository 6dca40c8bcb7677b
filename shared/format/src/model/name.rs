//! Checks that names, which people enter and others read, contain only visible characters.
//!
//! An invisible character makes two different names look the same, and a character that changes the
//! direction of text makes a name look like another: "evil" after U+202E is shown as "live".

/// The most joiners in a row after a character: a variation selector and a ZERO WIDTH JOINER, as in
/// an emoji.
const MAX_JOINERS: usize = 2;

/// The first character that a joiner may follow. The scripts that need joiners, such as Arabic and
/// the scripts of India, and the emoji start here. Latin, Greek, Cyrillic, Armenian and Hebrew come
/// before; in them a joiner has no visible effect.
const FIRST_JOINED: char = '\u{600}';

/// The characters that a name must not have, as inclusive ranges: the general categories Cc, Cf, Zl
/// and Zp of Unicode 16, and other invisible characters (Default_Ignorable_Code_Point, U+2800).
/// [`is_joiner`] has the exceptions.
const INVISIBLE: [(char, char); 29] = [
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0d}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// The texts that [`is_visible`] accepts, as a JSON Schema pattern.
pub const VISIBLE_PATTERN: &str = concat!(
    r"^(?:[^\u0000-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f",
    r"\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e",
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb",
    "\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}",
    "\u{e0000}-\u{e0fff}]",
    r"|[^\u0000-\u0605\u061c\u06dd\u070f",
    r"\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e",
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb",
    "\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}",
    "\u{e0000}-\u{e0fff}]",
    r"[\u200c\u200d\ufe0e\ufe0f]{1,2})*$",
);

/// Returns whether every character of a text is visible. ZERO WIDTH JOINER, ZERO WIDTH NON-JOINER
/// and the variation selectors of emoji are allowed after a character that they shape.
pub fn is_visible(text: &str) -> bool {
    let mut joiners_left = 0;
    text.chars().all(|letter| match is_joiner(letter) {
        true if joiners_left == 0 => false,
        true => {
            joiners_left -= 1;
            true
        }
        false => {
            joiners_left = match letter >= FIRST_JOINED {
                true => MAX_JOINERS,
                false => 0,
            };
            !is_invisible(letter)
        }
    })
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

fn is_invisible(letter: char) -> bool {
    let ranges = INVISIBLE.iter();
    let mut around = ranges.map(|(first, last)| *first..=*last);
    around.any(|range| range.contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_visible() {
        for name in [
            "",
            "CI für Bestellungen",
            "יום הולדת",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "family 👨\u{200d}👩\u{200d}👧",
            "burning ❤\u{fe0f}\u{200d}🔥",
            "名前",
        ] {
            assert!(is_visible(name), "{name:?}");
        }
    }

    #[test]
    fn invisible_and_direction_changing_characters_are_refused() {
        for name in [
            "\u{202e}live",
            "a\u{2066}b\u{2069}",
            "admin\u{200b}",
            "admin\u{200d}",
            "a\u{200c}dmin",
            "ü\u{200c}",
            "a\u{fe0f}",
            "\u{200d}",
            "क\u{200d}\u{200d}\u{200d}",
            "a\nb",
            "a\u{85}",
            "a\u{2028}b",
            "so\u{ad}ft",
            "\u{feff}a",
            "\u{3164}",
            "a\u{e0061}",
            "a\u{61c}",
        ] {
            assert!(!is_visible(name), "{name:?}");
        }
    }
}
