//! One nested step by its address.

use serde_json::json;

use super::{nested, small_run};
use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step_path, payload, step_path};

const TOP: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "top",
    offset: 0,
};

#[tokio::test]
async fn a_nested_step_is_found_with_and_without_its_lane() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(small_run()).await;
    let mut large = nested("large", "top", 70, 5);
    large.remove("output");
    app.write([large]).await;
    let text = json!({"value": "as a payload"});
    app.write([payload("run-1", "step:large:output", 0, text)])
        .await;
    for path in [
        branch_step_path(&TOP, "top.1", "large", 70),
        // The lane may have changed since the address was read.
        branch_step_path(&TOP, "top.7", "large", 70),
        step_path("run-1", "large", 70),
    ] {
        let body = app.get(&token, &path).await.ok();
        assert_eq!(body["data"]["stepInstanceId"], "large", "{path}");
        assert_eq!(body["data"]["output"], "as a payload", "{path}");
        assert_eq!(body["data"].get("hasBranches"), None);
    }
}

#[tokio::test]
async fn a_nested_step_is_not_found_below_another_step() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(small_run()).await;
    let other = ForkKey { id: "last", ..TOP };
    for path in [
        branch_step_path(&other, "last.1", "a", 10),
        branch_step_path(&other, "top.1", "a", 10),
        branch_step_path(&TOP, "last.1", "a", 10),
        branch_step_path(&TOP, "top.x", "a", 10),
        branch_step_path(&TOP, "top.1", "a", 11),
        branch_step_path(&TOP, "top.1", "leaf", 15),
        branch_step_path(&TOP, "top.1", "last", 60),
    ] {
        let answer = app.get(&token, &path).await;
        assert_eq!(answer.problem().0, 404, "{path}");
    }
}
