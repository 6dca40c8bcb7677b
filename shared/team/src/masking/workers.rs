//! The threads that mask texts.
//!
//! Masking needs the processor, and a team's patterns can need a lot of it. It is done on other
//! threads than the requests, and on fewer threads than there are processors, so that one processor
//! is left for all other work. A team uses one of these threads at a time, and teams take turns, so
//! a team waits for at most one piece of work of each other team.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use format::model::TeamId;
use format::{Error, Result};
use tokio::sync::Semaphore;

static WORKERS: LazyLock<Workers> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    Workers::new((processors - 1).max(1))
});

/// Runs a piece of a team's masking work on one of these threads.
///
/// It waits for the team's other work and then for a thread. Work that has started continues even
/// if the caller stops waiting, so it should be bounded, for example to some records at a time.
///
/// # Errors
/// Returns [`Error::Internal`] if the work panics.
pub async fn on_a_worker<T: Send + 'static>(
    team_id: &TeamId,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    WORKERS.run(team_id, work).await
}

struct Workers {
    /// One permit for each thread, given out in the order of requests.
    threads: Arc<Semaphore>,
    /// One permit for each team that has work.
    teams: Mutex<HashMap<TeamId, Weak<Semaphore>>>,
}

impl Workers {
    fn new(threads: usize) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(threads)),
            teams: Mutex::default(),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        team_id: &TeamId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn_of(team_id).acquire_owned().await;
        let turn = turn.map_err(Error::internal)?;
        let thread = Arc::clone(&self.threads).acquire_owned().await;
        let thread = thread.map_err(Error::internal)?;
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((thread, turn));
            done
        });
        work.await.map_err(Error::internal)
    }

    fn turn_of(&self, team_id: &TeamId) -> Arc<Semaphore> {
        let mut teams = self.teams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = teams.get(team_id).and_then(Weak::upgrade) {
            return turn;
        }
        teams.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Semaphore::new(1));
        teams.insert(team_id.clone(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn team(name: &str) -> TeamId {
        name.parse().expect("an id")
    }

    /// One team has a lot of work and another a little. With one thread they take turns.
    #[tokio::test]
    async fn teams_take_turns_and_threads_are_bounded() {
        let workers = Workers::new(1);
        let (sender, done) = mpsc::channel();
        let (begin, begun) = mpsc::channel::<()>();
        let job = |name: &'static str| {
            let sender = sender.clone();
            let team = team(&name[..1]);
            let workers = &workers;
            async move {
                let work = move || sender.send(name).expect("a receiver");
                workers.run(&team, work).await.expect("done");
            }
        };
        let first = team("x");
        let holds = workers.run(&first, move || begun.recv());
        let rest = async {
            // All jobs now wait for the one thread.
            tokio::task::yield_now().await;
            begin.send(()).expect("a receiver");
        };
        let (_, (), (), (), (), ()) =
            tokio::join!(holds, job("a1"), job("a2"), job("a3"), job("b1"), rest);
        let order: Vec<_> = done.try_iter().collect();
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
        let teams = workers.teams.lock().expect("not poisoned");
        assert!(teams.values().all(|turn| turn.strong_count() == 0));
    }

    #[tokio::test]
    async fn work_that_panics_returns_an_error_and_its_thread() {
        let workers = Workers::new(1);
        let failed = workers.run(&team("a"), || panic!("as it should")).await;
        assert!(matches!(failed, Err::<(), _>(Error::Internal(_))));
        assert_eq!(workers.run(&team("a"), || 1).await.ok(), Some(1));
    }
}
