//! Attributes with a wrong type or value, and unreadable checkpoints.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::attributes::text;
use shared::keys;

use super::{ODD, World};
use crate::support::is_embedded;

/// A value whose type or range is wrong for the attribute.
fn wrong_value(number: usize, value: &AttributeValue) -> AttributeValue {
    match (number % 4, value) {
        (0, _) => AttributeValue::Bool(true),
        (1, AttributeValue::S(_)) => AttributeValue::N("-1".to_owned()),
        (1, AttributeValue::N(_)) => text("soon"),
        (1, _) => text("nonsense"),
        (2, AttributeValue::N(_)) => AttributeValue::N("-1E+100".to_owned()),
        (2, AttributeValue::S(_)) => text("\u{202E} nonsense"),
        (2, _) => AttributeValue::Null(true),
        _ => AttributeValue::L(vec![AttributeValue::M(
            [("a".to_owned(), text("b"))].into(),
        )]),
    }
}

/// The number of rounds in which each attribute of each kind is wrong, with few others.
const ATTRIBUTES_APART: usize = 6;

/// Makes attributes wrong: all of them in round 0, every sixth in each other round.
async fn make_wrong(world: &World, round: usize) -> usize {
    let mut replaced = 0;
    for item in world.odd_items().await {
        // An unreadable checkpoint makes a consumer read the whole stream again.
        if item["pk"]
            .as_s()
            .expect("a text")
            .starts_with("CHECKPOINT#")
        {
            continue;
        }
        let mut names: Vec<_> = item
            .keys()
            .filter(|name| !["pk", "sk"].contains(&name.as_str()))
            .cloned()
            .collect();
        names.sort();
        let chosen = names.into_iter().enumerate();
        let chosen =
            chosen.filter(|(number, _)| round == 0 || number % ATTRIBUTES_APART == round - 1);
        let mut broken = item.clone();
        for (number, name) in chosen {
            let value = wrong_value(number / ATTRIBUTES_APART + round, &item[&name]);
            let before = broken.insert(name.clone(), value).expect("a value");
            match world.replace(broken.clone()).await {
                true => replaced += 1,
                false => _ = broken.insert(name, before),
            }
        }
    }
    replaced
}

async fn try_wrong_types(round: usize) {
    let world = World::new().await;
    let at = format!("round {round}");
    let replaced = make_wrong(&world, round).await;
    assert!(replaced >= 30, "{at}: {replaced} attributes are wrong");
    let app = world.app.restarted();
    world.continue_with_new_runs(&app).await;
    let [odd, neighbour] = &world.teams;
    world.assert_followed(&app, neighbour, &at).await;
    for team in [odd, neighbour] {
        for call in team.calls() {
            let answer = call.send(&app, team).await;
            let (name, path, status) = (team.name, &call.path, answer.status);
            assert!(
                !status.is_server_error(),
                "{at} {name} {path}: {}",
                answer.body
            );
            let is_well = team.name == ODD || status.is_success();
            assert!(is_well, "{at} {name} {path}: {}", answer.body);
        }
    }
    // The neighbour's counters are still right at the end.
    app.count().await;
    app.reap().await;
    app.sweep().await;
    world.assert_counted(neighbour, &at).await;
}

#[tokio::test]
async fn items_with_only_wrong_types_affect_no_other_team() {
    // On another engine, `count` waits until the counters are right, which never happens here.
    if !is_embedded() {
        return;
    }
    try_wrong_types(0).await;
}

#[tokio::test]
async fn unreadable_attributes_affect_no_other_team() {
    // On another engine, `count` waits until the counters are right, which never happens here.
    if !is_embedded() {
        return;
    }
    for round in 1..=ATTRIBUTES_APART {
        try_wrong_types(round).await;
    }
}

#[tokio::test]
async fn an_unreadable_checkpoint_stops_no_consumer() {
    // On another engine, `count` waits until the counters are right, which never happens here.
    if !is_embedded() {
        return;
    }
    let world = World::new().await;
    for kind in [keys::CHECKPOINT, keys::REAP, keys::LABELS] {
        for item in world.odd_items().await {
            if item["sk"].as_s().map(String::as_str) != Ok(kind)
                || !item.contains_key("sequenceNumber")
            {
                continue;
            }
            let broken = item.into_iter().map(|(name, value)| match name.as_str() {
                "pk" | "sk" => (name, value),
                _ => (name, AttributeValue::Bool(true)),
            });
            assert!(world.replace(broken.collect()).await);
        }
    }
    world.continue_with_new_runs(&world.app.restarted()).await;
    let late = world.app.item(&world.teams[1].run("late")).await;
    assert_eq!(late["status"], "CANCELLED");
}
