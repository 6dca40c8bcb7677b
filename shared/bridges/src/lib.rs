//! Creates records from the reports of other systems.

pub mod otlp;
pub mod step_functions;
