//! The position of an event: in the run itself, or in a branch of a fork.

use aws_sdk_sfn::types::MapIterationEventDetails;

use super::History;
use crate::step_functions::state::State;

/// The index of the scope that is the run itself.
pub(super) const TOP: usize = 0;

/// The position of an event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    pub(super) scope: usize,
    pub(super) state: Option<usize>,
}

/// A branch, or the run itself if it has no fork.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) fork: Option<usize>,
    pub(super) id: String,
    pub(super) name: String,
    /// The state that was entered last.
    pub(super) last: Option<usize>,
    pub(super) entered: u64,
}

impl History {
    pub(super) fn start_iteration(
        &mut self,
        event_id: i64,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Position {
        let Some((fork, index)) = self.find_map(details, before) else {
            return before;
        };
        let number = usize::try_from(index).unwrap_or_default();
        let scope = self.branch(fork, number, event_id, index.to_string());
        self.iterations.insert((fork, index), scope);
        Position { scope, state: None }
    }

    /// The end of an iteration follows an event outside it, or in another iteration.
    pub(super) fn end_iteration(
        &mut self,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Position {
        let scope = self
            .find_map(details, before)
            .and_then(|iteration| self.iterations.get(&iteration).copied());
        match scope {
            Some(scope) => Position { scope, state: None },
            None => before,
        }
    }

    /// Returns the Map of an iteration, and the iteration's index.
    fn find_map(
        &self,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Option<(usize, i32)> {
        let details = details?;
        let is_named = |state: &State| details.name.as_ref().is_none_or(|name| state.name == *name);
        let is_wanted = |state: &State| state.is_map() && state.is_open() && is_named(state);
        Some((self.find(before, is_wanted)?, details.index))
    }

    pub(super) fn branch(
        &mut self,
        fork: usize,
        number: usize,
        event_id: i64,
        name: String,
    ) -> usize {
        self.states[fork].branches += 1;
        self.scopes.push(Scope {
            fork: Some(fork),
            // Sorted in the order of the definition; unique even if the fork is retried.
            id: format!("{number:05}-{event_id:05}"),
            name,
            ..Scope::default()
        });
        self.scopes.len() - 1
    }

    pub(super) fn settle_fork(
        &mut self,
        before: Position,
        has_kind: fn(&State) -> bool,
        has_failed: bool,
    ) -> Position {
        let is_wanted = |state: &State| has_kind(state) && state.is_forking();
        let Some(fork) = self.find(before, is_wanted) else {
            return before;
        };
        let inside = self
            .around(before)
            .find_map(|index| self.states[index].failure.clone());
        let failure = has_failed.then(|| inside.unwrap_or_default());
        let state = &mut self.states[fork];
        state.settle(self.now, failure);
        Position {
            scope: state.scope,
            state: Some(fork),
        }
    }

    /// Iterates over the state of a position and then each fork around it, from the inside
    /// out.
    pub(super) fn around(&self, position: Position) -> impl Iterator<Item = usize> {
        let scope = &self.scopes[position.scope];
        let first = position.state.or(scope.last).or(scope.fork);
        std::iter::successors(first, |index| self.fork_around(*index))
    }

    pub(super) fn fork_around(&self, index: usize) -> Option<usize> {
        self.scopes[self.states[index].scope].fork
    }

    pub(super) fn find(
        &self,
        position: Position,
        is_wanted: impl Fn(&State) -> bool,
    ) -> Option<usize> {
        self.around(position)
            .find(|index| is_wanted(&self.states[*index]))
    }

    /// Records an event as the last event of its state and of the forks around it.
    pub(super) fn touch(&mut self, position: Position, event_id: i64) {
        let mut next = position.state.or(self.scopes[position.scope].fork);
        while let Some(index) = next {
            let state = &mut self.states[index];
            state.last_event = state.last_event.max(event_id);
            next = self.fork_around(index);
        }
    }
}
