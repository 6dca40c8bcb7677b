//! The requests that the workers send as callers.

use axum::http::Method;
use rand::RngExt;
use serde_json::{Value, json};

use super::MASKING;
use super::run::{Fate, Run};
use super::target::Target;
use super::worker::{Worker, flow};
use crate::support::records::START;
use crate::support::token_id;

impl Worker {
    /// A root run of this round, at random, and the runs that it started.
    fn tree(&mut self, wants_open: bool) -> Vec<usize> {
        let fits = |number: &usize| {
            let run = &self.runs[*number];
            let is_own = run.round == self.round && run.fate == Fate::Kept;
            is_own && run.parent.is_none() && (run.is_open || !wants_open)
        };
        let roots: Vec<_> = (0..self.runs.len()).filter(fits).collect();
        let Some(root) = self.any_of(&roots) else {
            return Vec::new();
        };
        let is_of_tree =
            |number: &usize| *number == root || self.runs[*number].parent == Some(root);
        (root..self.runs.len()).filter(is_of_tree).collect()
    }

    /// Cancels a run and the open runs below it.
    pub(super) fn cancel(&mut self, target: &Target<'_>) -> Option<()> {
        let tree = self.tree(true);
        let Some(root) = tree.first() else {
            return Some(());
        };
        let path = format!("/api/executions/{}/cancel", self.runs[*root].id);
        let answer = target.call(Method::POST, &path, &json!({"reason": "a test"}), &[200]);
        for number in tree {
            let run = &mut self.runs[number];
            if run.is_open {
                run.fate = match answer {
                    Some(_) => Fate::Cancelled,
                    None => Fate::PerhapsCancelled,
                };
            }
            run.is_open = false;
        }
        answer.map(|_| ())
    }

    /// Deletes a run and the runs below it.
    pub(super) fn delete(&mut self, target: &Target<'_>) -> Option<()> {
        let tree = self.tree(false);
        let Some(root) = tree.first() else {
            return Some(());
        };
        let id = &self.runs[*root].id;
        let path = format!("/api/history/executions/{id}?cascade=true");
        let answer = target.call(Method::DELETE, &path, &Value::Null, &[200]);
        for number in tree {
            let run = &mut self.runs[number];
            run.is_open = false;
            run.fate = match answer {
                // The runs below are removed later.
                Some(_) if run.parent.is_none() => Fate::Deleted,
                _ => Fate::PerhapsDeleted,
            };
        }
        answer.map(|_| ())
    }

    /// Deletes the runs of an earlier round.
    pub(super) fn delete_oldest_flow(&mut self, target: &Target<'_>) -> Option<()> {
        let is_left = |run: &&Run| run.fate != Fate::Deleted && run.round < self.round;
        match self.runs.iter().find(is_left).map(|run| run.round) {
            Some(round) => self.delete_flow(round, target),
            None => Some(()),
        }
    }

    pub(super) fn delete_flow(&mut self, round: usize, target: &Target<'_>) -> Option<()> {
        self.undeleted = Some(round);
        let path = format!("/api/history/executions/flows/{}", flow(self.number, round));
        target.call(Method::DELETE, &path, &Value::Null, &[200, 202])?;
        self.undeleted = None;
        for run in self.runs.iter_mut().filter(|run| run.round == round) {
            run.fate = Fate::Deleted;
        }
        Some(())
    }

    pub(super) fn send_trace(&mut self, target: &Target<'_>) -> Option<()> {
        let trace = format!("{:08x}{:024x}", self.number + 1, self.traces.len() + 1);
        let spans = self.rng.random_range(1..6);
        self.traces.insert(trace.clone(), spans);
        self.export(trace, target)
    }

    pub(super) fn export(&mut self, trace: String, target: &Target<'_>) -> Option<()> {
        let span = |number: usize| {
            let parent = if number == 0 { "" } else { "0000000000000001" };
            json!({
                "traceId": trace, "spanId": format!("{:016x}", number + 1), "name": "work",
                "parentSpanId": parent, "kind": 1,
                "startTimeUnixNano": format!("{}000000", START + number as i64),
                "endTimeUnixNano": format!("{}000000", START + 100),
            })
        };
        let spans: Vec<_> = (0..=self.traces[&trace]).map(span).collect();
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        self.unsent = Some(trace);
        target.call(Method::POST, "/v1/traces", &body, &[200])?;
        self.unsent = None;
        Some(())
    }

    pub(super) fn create_or_revoke_token(&mut self, target: &Target<'_>) -> Option<()> {
        let Some(token) = self.tokens.pop() else {
            let body = json!({"role": "viewer"});
            let created = target.call(Method::POST, "/api/tokens", &body, &[201])?;
            let secret = created["secret"].as_str().expect("a secret");
            self.tokens.push(secret.to_owned());
            return Some(());
        };
        let path = format!("/api/tokens/{}", token_id(&token));
        target.call(Method::DELETE, &path, &Value::Null, &[200])?;
        self.revoked.push(token);
        Some(())
    }

    /// Changes the settings of the team. Only the first worker does.
    pub(super) fn change_settings(&mut self, target: &Target<'_>) -> Option<()> {
        if self.number > 0 {
            return Some(());
        }
        let names = json!([format!("name{}", self.rng.random_range(0..1_000))]);
        self.settings.push(names.clone());
        let body = json!({"keyNames": names});
        target.call(Method::PUT, MASKING, &body, &[200])?;
        self.settings = vec![names];
        Some(())
    }
}
