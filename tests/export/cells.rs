//! Texts that spreadsheets or CSV readers could misread.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{ALL, COLUMNS, operator};
use crate::support::TestApp;
use crate::support::records::{execution, step};

/// Texts that break a careless writer or reader of CSV.
const HOSTILE: [&str; 17] = [
    "=1+1",
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "+1+1",
    "-1+cmd|' /C calc'!A0",
    "\u{200B}=1+1",
    "@SUM(A1)",
    "\tx",
    "＝1+1",
    "a,b;c\td",
    "\"quoted\" and \"\"twice\"\"",
    "two\nlines",
    "two\r\nlines",
    "\"",
    "nul\0here",
    "naïve 🚀 日本語 e\u{301} \u{202e}right to left",
    " spaces ",
    "'apostrophe",
];

/// The cell of a text in the CSV.
fn in_csv(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '＝', '\u{200B}']);
    let apostrophe = if is_formula { "'" } else { "" };
    format!("{apostrophe}{}", text.replace('\0', "␀"))
}

/// An export with hostile texts in its nodes, and the expected cells.
async fn hostile_csv() -> (String, Vec<String>) {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    app.write([execution(
        "run-1",
        json!({"flowName": "=evil()", "trigger": "a\"b"}),
    )])
    .await;
    app.write((0..).zip(HOSTILE).map(|(n, text)| {
        let attributes = json!({"stepName": text, "stepType": text, "errorMessage": text});
        step("run-1", &format!("step-{n}"), n, attributes)
    }))
    .await;
    let csv = app.get(&token, ALL).await.body;
    let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
    let nodes = json[0]["nodeExecutions"].as_array().expect("nodes");
    for (node, text) in nodes.iter().zip(HOSTILE) {
        for name in ["nodeName", "nodeType", "error"] {
            assert_eq!(node[name], text, "JSON has the texts unchanged");
        }
    }
    (csv, HOSTILE.map(in_csv).into())
}

#[tokio::test]
async fn the_csv_reader_of_python_reads_hostile_cells() {
    let (csv, expected) = hostile_csv().await;
    let python = std::env::var("FLOWTRAIL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let program = "import csv, json, sys\n\
                   text = open(0, newline='', encoding='utf-8').read()\n\
                   assert text.replace('\\r\\n', '').count('\\0') == 0\n\
                   print(json.dumps(list(csv.reader(text.splitlines(keepends=True), strict=True))))";
    let child = Command::new(&python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        let must = std::env::var_os("FLOWTRAIL_TEST_REQUIRE_ALL").is_some();
        assert!(!must, "there is no {python}, and every test is required");
        eprintln!("not run: there is no {python}");
        return;
    };
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(csv.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success());
    let read: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(read[0], COLUMNS);
    for (row, cell) in read[1..].iter().zip(&expected) {
        assert_eq!(row[2], "'=evil()");
        assert_eq!(row[4], "a\"b");
        assert_eq!([&row[9], &row[10], &row[15]], [cell; 3]);
    }
    assert_eq!(read.len(), HOSTILE.len() + 1);
}

/// Whether LibreOffice is installed. Without it the test prints a note and is skipped,
/// unless every test is required.
fn has_libreoffice() -> bool {
    let version = Command::new("soffice")
        .args(["--headless", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if version.is_ok_and(|status| status.success()) {
        return true;
    }
    let must = std::env::var_os("FLOWTRAIL_TEST_REQUIRE_ALL").is_some();
    assert!(!must, "there is no soffice, and every test is required");
    eprintln!("not run: there is no soffice (apt install libreoffice-calc-nogui)");
    false
}

/// Opens a CSV file in LibreOffice, and returns its cells.
fn open_in_libreoffice(folder: &Path, csv: &str) -> Vec<Vec<String>> {
    std::fs::write(folder.join("export.csv"), csv).expect("written");
    // Comma, double quote, UTF-8. The second conversion quotes every cell.
    let status = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.display()
        ))
        .args(["--headless", "--infilter=CSV:44,34,76,1"])
        .args(["--convert-to", "ods", "--outdir"])
        .args([folder, &folder.join("export.csv")])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("soffice runs").success());
    let status = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.display()
        ))
        .args([
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true",
        ])
        .arg("--outdir")
        .args([folder.join("out"), folder.join("export.ods")])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("soffice runs").success());
    let text = std::fs::read_to_string(folder.join("out/export.csv")).expect("read");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|row| cells(row.expect("a row")))
        .collect()
}

#[tokio::test]
async fn libreoffice_reads_hostile_cells_as_text() {
    if !has_libreoffice() {
        return;
    }
    let (csv, expected) = hostile_csv().await;
    let folder = tempfile::tempdir().expect("a folder");
    let read = open_in_libreoffice(folder.path(), &csv);
    assert_eq!(read[0], COLUMNS);
    assert_eq!(read.len(), HOSTILE.len() + 1);
    for (row, cell) in read[1..].iter().zip(&expected) {
        assert_eq!((row[0].as_str(), row[2].as_str()), ("run-1", "'=evil()"));
        // LibreOffice has one kind of line break in cells, and no tabs.
        let cell = cell.replace("\r\n", "\n").replace('\t', "");
        assert_eq!([&row[9], &row[10], &row[15]], [&cell; 3]);
    }
}
