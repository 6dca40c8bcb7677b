//! Credentials: values that grant access to their holder.

pub(crate) mod commands;
pub(crate) mod cookie_file;
pub(crate) mod header;
pub(crate) mod jwt;
pub(crate) mod private_key;
pub(crate) mod special;
pub(crate) mod url;
