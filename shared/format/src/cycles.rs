//! Finds cycles of parents, which readers and the check of records must not follow forever.

/// Returns, for each member, whether it is its own ancestor. `parents` has the position of each
/// member's parent; `None` for a member without one. Takes time in proportion to their number.
pub fn find_cycles(parents: &[Option<usize>]) -> Vec<bool> {
    let mut is_in_cycle = vec![false; parents.len()];
    // The walk that met a member first. A walk is named by its start.
    let mut met: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut next = Some(start);
        while let Some(member) = next {
            match met[member] {
                None => {
                    met[member] = Some(start);
                    next = parents[member];
                }
                // Met again by the same walk: this is a new cycle.
                Some(walk) if walk == start && !is_in_cycle[member] => {
                    is_in_cycle[member] = true;
                    next = parents[member];
                }
                Some(_) => break,
            }
        }
    }
    is_in_cycle
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_members_of_a_cycle_are_found() {
        // 0 and 1 are each other's parents, 2 is below 1; 3 is its own parent; 5 is below 4.
        let parents = [Some(1), Some(0), Some(1), Some(3), None, Some(4)];
        let expected = [true, true, false, true, false, false];
        assert_eq!(find_cycles(&parents), expected);
    }

    proptest! {
        #[test]
        fn a_member_is_in_a_cycle_if_its_way_up_returns(
            parents in prop::collection::vec(prop::option::of(0_usize..12), 12),
        ) {
            let returns = |member: usize| {
                let up = std::iter::successors(parents[member], |above| parents[*above]);
                up.take(parents.len()).any(|above| above == member)
            };
            let expected: Vec<_> = (0..parents.len()).map(returns).collect();
            prop_assert_eq!(find_cycles(&parents), expected);
        }
    }
}
