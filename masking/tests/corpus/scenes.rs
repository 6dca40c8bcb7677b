//! Texts around values, and random strings for values.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Picks one of several values.
pub fn pick<T: Copy>(rng: &mut StdRng, all: &[T]) -> T {
    *all.choose(rng).unwrap()
}

/// Picks one of several strings.
pub fn one_of<const N: usize>(all: [String; N], rng: &mut StdRng) -> String {
    let index = rng.random_range(0..N);
    all.into_iter().nth(index).unwrap()
}

/// Generates a random string from an alphabet.
pub fn random(rng: &mut StdRng, alphabet: &str, length: usize) -> String {
    let alphabet = alphabet.as_bytes();
    (0..length)
        .map(|_| char::from(pick(rng, alphabet)))
        .collect()
}

pub const DIGITS: &str = "0123456789";
pub const HEX: &str = "0123456789abcdef";
pub const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
pub const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn digits(rng: &mut StdRng, length: usize) -> String {
    random(rng, DIGITS, length)
}

pub fn hex(rng: &mut StdRng, length: usize) -> String {
    random(rng, HEX, length)
}

pub fn between(rng: &mut StdRng, low: u64, high: u64) -> u64 {
    rng.random_range(low..=high)
}

/// Fills a pattern: `#` becomes a random digit, and `^` a random digit that is not zero.
pub fn filled(rng: &mut StdRng, pattern: &str) -> String {
    let fill = |character: char| match character {
        '#' => char::from(b'0' + rng.random_range(0..10u8)),
        '^' => char::from(b'0' + rng.random_range(1..10u8)),
        other => other,
    };
    pattern.chars().map(fill).collect()
}

/// Texts that do not describe the value, which replaces `{}`.
const PLAIN: [&str; 20] = [
    "{}",
    "{}",
    "{}",
    "{} was refused",
    "Could not process {}.",
    "Step failed for {}, will try again",
    "input ({}) is not valid",
    "2024-05-17T09:12:44.120Z INFO [worker-3] handled {} in 34 ms",
    "May 17 09:12:44 host app[4711]: got {}",
    "{\"value\":\"{}\"}",
    "{\"items\":[{\"v\":\"{}\",\"n\":3}]}",
    "{\"message\":\"{\\\"value\\\":\\\"{}\\\"}\"}",
    "value={}",
    "value='{}' count=4",
    "a;b;{};c",
    "first,{},last",
    "<value>{}</value>",
    "java.lang.IllegalArgumentException: {}\n\tat com.acme.Main.run(Main.java:42)",
    "line one\n{}\nline three",
    "Values: {}; state: FAILED",
];

/// Puts a value into a random text.
pub fn placed(rng: &mut StdRng, value: &str) -> String {
    pick(rng, &PLAIN).replace("{}", value)
}

/// Puts a value into a random text after one of the words that describe it.
pub fn named(rng: &mut StdRng, words: &[&str], value: &str) -> String {
    let word = pick(rng, words);
    let scene = pick(
        rng,
        &[
            "{w}: {}",
            "{w}={}",
            "{\"{w}\":\"{}\"}",
            "{\"{w}\": {}}",
            "{w} {}",
            "The {w} is {}.",
            "Invalid {w} {} in request",
            "rejected {w} '{}'",
            "<{w}>{}</{w}>",
            "{\\\"{w}\\\":\\\"{}\\\"}",
        ],
    );
    scene.replace("{w}", word).replace("{}", value)
}
