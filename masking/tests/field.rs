//! Texts that others wrote, whose authors did not know the rules: how many of their secrets, tokens
//! and personal data are hidden, and how many harmless texts stay unchanged.
//!
//! The rules were written with the texts in `field/known`, and without those in `field/unseen`.
//! `cargo test -p masking --test field -- --nocapture` prints the figures and each text that is
//! not right.

#[path = "field/corpus.rs"]
mod corpus;

use std::path::Path;

use corpus::Figures;

fn measure(set: &str, file: &str) -> Figures {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field");
    let figures = Figures::measure(&folder.join(set).join(file));
    for (form, masked, leak) in &figures.wrong {
        println!("--- {set}, {form}: {leak:?}\n{masked}");
    }
    for (form, (right, count)) in figures
        .forms
        .iter()
        .filter(|(_, (right, count))| right < count)
    {
        println!("{set}, {form}: {right} of {count}");
    }
    println!(
        "{set}/{file}: {:.1} % of {}",
        figures.right(),
        figures.count()
    );
    figures
}

/// Measures a file of both sets, and checks the shares of right texts.
fn assert_right(file: &str, known: f64, unseen: f64) {
    for (set, least) in [("known", known), ("unseen", unseen)] {
        let right = measure(set, file).right();
        assert!(right >= least, "{set}/{file}: {right:.2} % < {least} %");
    }
}

#[test]
fn secrets_in_shapes_of_others_are_hidden() {
    assert_right("shapes.jsonl", 97.4, 94.0);
}

#[test]
fn tokens_of_providers_are_hidden() {
    assert_right("tokens.jsonl", 99.9, 97.7);
}

#[test]
fn personal_data_in_texts_of_others_is_hidden() {
    assert_right("personal.jsonl", 99.5, 93.7);
}

#[test]
fn harmless_texts_of_others_stay_unchanged() {
    assert_right("harmless.jsonl", 99.4, 98.2);
}
