//! The documentation of the rules matches their descriptions in the code.

use masking::rules;

const DOCUMENT: &str = include_str!("../../docs/masking.md");

#[test]
fn the_table_in_the_documentation_matches_the_rules() {
    let rows = rules().map(|rule| {
        let finds = rule.finds.replace('|', "\\|");
        format!("| `{}` | {finds} | {} |", rule.name, rule.source)
    });
    let expected: Vec<String> = rows.collect();
    let table = DOCUMENT
        .lines()
        .skip_while(|line| *line != "| Rule | What it finds | Source |");
    let listed: Vec<&str> = table
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(listed, expected, "\n{}\n", expected.join("\n"));
}

#[test]
fn the_sample_settings_are_valid() {
    let json = DOCUMENT.split("```json").nth(1).unwrap();
    let json = json.split("```").next().unwrap();
    let settings = serde_json::from_str(json).unwrap();
    assert!(masking::Masker::new(&settings).is_ok());
}
