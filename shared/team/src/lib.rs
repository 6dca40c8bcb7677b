//! Authentication and authorization: a team's callers, tokens, roles, audit and settings.

pub mod audit;
pub mod auth;
pub mod loopback;
pub mod masking;
pub mod profiles;
pub mod retention;
pub mod settings;
pub mod stalled;
pub mod timing;
