//! The lines of the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::Subscriber;

/// A log in memory.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines so far.
    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("a lock").clone()).expect("UTF-8");
        let line = |line: &str| serde_json::from_str(line).expect("JSON");
        text.lines().map(line).collect()
    }

    /// A subscriber that writes to this log as the Lambda functions write to theirs.
    pub fn subscriber(&self) -> impl Subscriber + use<> {
        // tracing caches whether a line has any subscriber. If another test reached the line
        // first without one, this log would miss it. This global subscriber prevents that,
        // and keeps nothing.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let log = self.clone();
        functions::log::subscriber("test", tracing::Level::INFO, move || log.clone())
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
