//! What the documents say of the rules is what the rules say of themselves.

use masking::rules;

const DOCUMENT: &str = include_str!("../../docs/masking.md");

#[test]
fn the_documents_list_each_rule_as_it_describes_itself() {
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
fn the_sample_of_settings_is_valid() {
    let json = DOCUMENT.split("```json").nth(1).unwrap();
    let json = json.split("```").next().unwrap();
    let settings = serde_json::from_str(json).unwrap();
    assert!(masking::Masker::new(&settings).is_ok());
}
