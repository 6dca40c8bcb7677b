//! Refuses query parameters that the endpoint does not have, but that the caller relies on.
//!
//! If a filter were silently ignored, the response would have everything. So a name that another
//! endpoint has, or that is similar to a known one, is refused with the name to use here. A name
//! that is unknown everywhere, such as `utm_source`, is ignored.

use lambda_http::{Request, RequestExt};

use crate::openapi::parameter::{Location, ParameterDescription};
use crate::problem::Problem;

/// Every parameter of a path or a query, by meaning: the names in one line take the same value.
/// They are listed here, because a Lambda function links only its own route. A test compares the
/// list with the descriptions of all routes.
const MEANINGS: &[&[&str]] = &[
    &["flowId", "workflowId", "flowDefinitionId"],
    &["executionId", "flowExecutionId", "id"],
    &["from", "startDate", "startTime"],
    &["to", "endDate"],
    &["limit", "size", "runs"],
    &["page"],
    &["offset"],
    &["nextToken"],
    &["action"],
    &["bom"],
    &["branchExecutionId"],
    &["cascade"],
    &["days"],
    &["deviceId"],
    &["executionType"],
    &["extended"],
    &["flowVersion"],
    &["format"],
    &["interval"],
    &["label"],
    &["lite"],
    &["maxPayloadBytes"],
    &["parentExecutionId"],
    &["parentStepInstanceId"],
    &["parentStepStartTime"],
    &["principal"],
    &["reveal"],
    &["runPayloads"],
    &["status"],
    &["stepInstanceId"],
    &["stepStatus"],
    &["target"],
    &["teamId"],
    &["tokenId"],
];

/// Parameters that have the same purpose, but take different values.
const PURPOSES: &[&[&str]] = &[
    &["nextToken", "offset", "page"],
    &["from", "startDate", "to", "endDate", "days"],
];

/// The parameters that are only in paths. A name in a query that is similar to them is not a
/// misspelling of them.
const IN_PATHS: &[&str] = &["executionId", "flowExecutionId", "id", "teamId", "tokenId"];

/// Refuses a query parameter that the endpoint does not have, but that the caller expects to have
/// an effect: a parameter of another endpoint, or a known name with one letter added, missing,
/// wrong or swapped, in another case, or with separators.
///
/// # Errors
/// [`Problem::UnknownParameter`], which names the parameter to use.
pub(crate) fn require_known(
    own: &[ParameterDescription],
    request: &Request,
) -> Result<(), Problem> {
    let Some(query) = request.query_string_parameters_ref() else {
        return Ok(());
    };
    for (sent, _) in query.iter() {
        let is_own =
            |own: &&ParameterDescription| own.name == sent && own.location == Location::Query;
        if own.iter().find(is_own).is_none() && find_meant(own, sent).is_some() {
            return Err(unknown(own, sent));
        }
    }
    Ok(())
}

/// The problem of a parameter that an endpoint does not have.
pub(crate) fn unknown(own: &[ParameterDescription], sent: &str) -> Problem {
    Problem::UnknownParameter {
        message: format!(
            "This endpoint has no query parameter {}. {}",
            sent.escape_debug(),
            advice(own, find_meant(own, sent))
        ),
        parameter: sent.to_owned(),
    }
}

/// Finds the known parameter that the caller meant: first among the endpoint's own, then among
/// all.
fn find_meant(own: &[ParameterDescription], sent: &str) -> Option<&'static str> {
    let own = || {
        let own = own.iter().filter(|own| own.location != Location::Header);
        own.map(|own| own.name)
    };
    let all = || MEANINGS.iter().copied().flatten().copied();
    let folded = fold(sent);
    let is_abbreviated = |known: &&str| !IN_PATHS.contains(known) && is_near(known, sent, &folded);
    let is_folded = |known: &&str| fold(known) == folded;
    all()
        .find(|known| *known == sent)
        .or_else(|| own().find(is_folded))
        .or_else(|| all().find(is_folded))
        .or_else(|| own().find(is_abbreviated))
        .or_else(|| all().find(is_abbreviated))
}

/// Tells the caller what to send instead of a known parameter.
fn advice(own: &[ParameterDescription], known: Option<&str>) -> String {
    let own = |known: &str| own.iter().find(|own| own.name == known);
    let group_of = |groups: &'static [&'static [&'static str]]| {
        let has_it = |group: &&&[&str]| known.is_some_and(|known| group.contains(&known));
        groups.iter().find(has_it).copied().unwrap_or_default()
    };
    if let Some(own) = known.and_then(own) {
        return match own.location {
            Location::Path => format!("Send {} in the path.", own.name),
            _ => format!("Use {}.", own.name),
        };
    }
    match group_of(MEANINGS).iter().find_map(|name| own(name)) {
        Some(own) if own.location == Location::Path => {
            return format!("Send {} in the path instead.", own.name);
        }
        Some(own) => return format!("Use {} instead.", own.name),
        None => {}
    }
    let instead: Vec<_> = group_of(PURPOSES)
        .iter()
        .filter_map(|name| own(name))
        .map(|own| own.name)
        .collect();
    match instead[..] {
        [] => "Leave it out.".to_owned(),
        _ => format!("Use {} instead.", instead.join(" and ")),
    }
}

/// Removes case and separators from a name: `flow_id`, `flow-id` and `flowID` become `flowid`, and
/// `status[]` becomes `status`.
fn fold(name: &str) -> String {
    let letters = name.chars().filter(|letter| !"_-.[] ".contains(*letter));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a name is one letter away from a known one. Separators count in the shortest names, so
/// that `_t`, by which some clients bypass caches, is not taken for `to`.
fn is_near(known: &str, sent: &str, folded: &str) -> bool {
    const SHORT: usize = 2;
    match known.len() <= SHORT {
        true => is_one_letter_away(known, &sent.to_ascii_lowercase()),
        false => is_one_letter_away(&fold(known), folded),
    }
}

/// Whether one text becomes the other if one letter is added, removed, replaced, or swapped with
/// its neighbour.
fn is_one_letter_away(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = match one.len() <= other.len() {
        true => (one, other),
        false => (other, one),
    };
    let common = std::iter::zip(&short, &long).take_while(|(one, other)| one == other);
    let common = common.count();
    let (short, long) = (&short[common..], &long[common..]);
    match long.len() - short.len() {
        0 => match (short, long) {
            ([], []) => false,
            ([a, b, short @ ..], [c, d, long @ ..]) if a == d && b == c => short == long,
            _ => short[1..] == long[1..],
        },
        1 => *short == long[1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::ROUTES;

    #[test]
    fn the_known_names_match_the_routes() {
        let described: BTreeSet<_> = ROUTES
            .iter()
            .flat_map(|route| route.parameters.iter())
            .filter(|parameter| parameter.location != Location::Header)
            .map(|parameter| (parameter.name, parameter.location == Location::Query))
            .collect();
        let names: BTreeSet<_> = described.iter().map(|(name, _)| *name).collect();
        let known: Vec<_> = MEANINGS.iter().copied().flatten().copied().collect();
        assert_eq!(known.iter().copied().collect::<BTreeSet<_>>(), names);
        assert_eq!(known.len(), names.len(), "a name has two meanings");
        let in_paths = names
            .iter()
            .filter(|name| !described.contains(&(name, true)));
        assert_eq!(in_paths.copied().collect::<Vec<_>>(), IN_PATHS);
        let purposes = PURPOSES.iter().copied().flatten();
        assert!(purposes.into_iter().all(|name| names.contains(name)));
    }

    #[test]
    fn parameters_of_an_endpoint_are_never_confused() {
        for route in ROUTES {
            for parameter in route.parameters.iter() {
                let others = route.parameters.iter();
                let others = others.filter(|other| other.name != parameter.name);
                for other in others {
                    assert_ne!(fold(parameter.name), fold(other.name), "{}", route.name);
                }
            }
        }
    }

    #[test]
    fn names_with_one_different_letter_are_similar() {
        for (one, other) in [
            ("status", "statu"),
            ("status", "statuss"),
            ("status", "xstatus"),
            ("status", "stbtus"),
            ("status", "sttaus"),
            ("status", "statsu"),
            ("to", "t"),
        ] {
            assert!(is_one_letter_away(one, other), "{one} {other}");
            assert!(is_one_letter_away(other, one), "{other} {one}");
        }
        for (one, other) in [
            ("status", "status"),
            ("status", "state"),
            ("status", "stat"),
            ("status", "sutats"),
            ("to", ""),
            ("", ""),
            ("label", "labélé"),
        ] {
            assert!(!is_one_letter_away(one, other), "{one} {other}");
            assert!(!is_one_letter_away(other, one), "{other} {one}");
        }
    }
}
