//! The tour of the README: every command in order, as a reader types them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::process::{DEADLINE, Server};

/// Printed between the outputs of two steps.
const SEPARATOR: &str = "==== next step";

/// The blocks of the README that a shell can run as they are.
fn commands() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(path).expect("the README");
    let blocks = text.split("```sh\n").skip(1);
    let commands = blocks.map(|rest| rest.split("```").next().expect("the end of a block"));
    commands.map(str::to_owned).collect()
}

/// The script of the tour. Labels are searchable a moment after the write, so the last step is
/// repeated until it finds the run.
fn script(steps: &[String], server: &Server) -> String {
    let (last, steps) = steps.split_last().expect("a step");
    let steps = steps.join(&format!("\necho; echo '{SEPARATOR}'\n"));
    let script = format!(
        "set -eu\n\
         cargo() {{ shift 3; \"$FLOWTRAIL\" \"$@\"; }}\n\
         {steps}\necho; echo '{SEPARATOR}'\n\
         until FOUND=$({last}) && case $FOUND in *\"$RUN\"*) ;; *) false ;; esac; do :; done\n\
         echo \"$FOUND\"\n"
    );
    script.replace("http://127.0.0.1:3000", &server.url(""))
}

/// Runs the script, and returns what each step printed.
fn run(folder: &Path, script: &str) -> Vec<String> {
    let seconds = DEADLINE.as_secs().to_string();
    let output = Command::new("timeout")
        .args([&seconds, "bash", "-c", script])
        .current_dir(folder)
        .env("FLOWTRAIL", env!("CARGO_BIN_EXE_flowtrail"))
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    printed.split(SEPARATOR).map(str::to_owned).collect()
}

#[test]
fn the_tour_of_the_readme_shows_the_run_that_it_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let steps = commands();
    assert_eq!(steps.len(), 5, "the README has five steps");
    let printed = run(folder.path(), &script(&steps, &server));

    let answer = |step: usize| -> Value {
        let answer: Value = serde_json::from_str(&printed[step]).expect("JSON");
        answer["data"].clone()
    };
    let [listed, opened, found] = [2, 3, 4].map(answer);
    let runs = listed["items"].as_array().expect("a list");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "FAILED");
    let steps = opened["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0]["stepName"], "Charge");
    assert_eq!(steps[0]["input"], json!({"amount": 129.5}));
    assert_eq!(steps[0]["errorMessage"], "The card was declined.");
    assert_eq!(
        opened["metadata"]["flowExecutionId"],
        runs[0]["flowExecutionId"]
    );
    assert_eq!(found["items"], listed["items"]);
    assert!(
        !printed[1].trim().is_empty(),
        "the import reports its result"
    );
}
