//! The kinds of items, and a check that this module tests all of them.

use std::collections::BTreeSet;

use functions::routes::ROUTES;
use shared::model::Item;

use super::World;

/// A kind of item: its name, and the form of its keys.
struct Kind {
    name: &'static str,
    pk: &'static str,
    sk: &'static str,
}

/// Every kind of item in the documentation of the keys.
fn kinds() -> Vec<Kind> {
    let source = include_str!("../../shared/format/src/keys.rs");
    let rows = source.lines().take_while(|line| line.starts_with("//!"));
    let rows = rows.filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.filter(|row| !row.starts_with("record |") && !row.starts_with("---"));
    let kinds = rows.map(|row| {
        let cells: Vec<_> = row
            .split(" | ")
            .map(|cell| cell.trim_matches('`'))
            .collect();
        Kind {
            name: cells[0],
            pk: cells[1],
            sk: cells[2],
        }
    });
    kinds.collect()
}

/// Whether a key has a form such as `EXEC#<executionId>`, in which each part in brackets is
/// any text.
fn fits(template: &str, text: &str) -> bool {
    let Some((before, rest)) = template.split_once('<') else {
        return template == text;
    };
    let (_, after) = rest.split_once('>').expect("a closing bracket");
    let Some(text) = text.strip_prefix(before).filter(|text| !text.is_empty()) else {
        return false;
    };
    let ends = text.char_indices().map(|(at, it)| at + it.len_utf8());
    match after {
        "" => true,
        _ => ends.into_iter().any(|end| fits(after, &text[end..])),
    }
}

fn kind_of(kinds: &[Kind], item: &Item) -> &'static str {
    let [pk, sk] = ["pk", "sk"].map(|name| item[name].as_s().expect("a text"));
    // The most specific form first: the state of a trace is not a span.
    let mut fitting: Vec<_> = kinds
        .iter()
        .filter(|kind| fits(kind.pk, pk) && fits(kind.sk, sk))
        .collect();
    fitting.sort_by_key(|kind| kind.sk.matches('<').count());
    let kind = fitting.first();
    kind.unwrap_or_else(|| panic!("keys.rs has no kind for {pk} {sk}"))
        .name
}

#[tokio::test]
async fn every_kind_of_item_and_every_route_is_tested() {
    let world = World::new().await;
    let kinds = kinds();
    assert!(kinds.len() >= 27, "{} rows are read", kinds.len());
    let items = world.odd_items().await;
    let found: BTreeSet<_> = items.iter().map(|item| kind_of(&kinds, item)).collect();
    let named: BTreeSet<_> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(found, named, "a kind is missing in this module");
    let named: BTreeSet<_> = world.teams[0]
        .calls()
        .iter()
        .map(|it| it.route.name)
        .collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(named, routes, "a route is missing in this module");
    // Everything that the routes and the consumers write has a kind as well.
    world.continue_with_new_runs(&world.app).await;
    for team in &world.teams {
        for call in team.calls() {
            let answer = call.send(&world.app, team).await;
            assert!(answer.status.is_success(), "{}: {}", call.path, answer.body);
        }
    }
    for item in world.items().await {
        kind_of(&kinds, &item);
    }
}
