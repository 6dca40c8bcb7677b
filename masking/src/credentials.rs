//! Credentials: values that grant access to their holder.

pub(crate) mod assignment;
pub(crate) mod header;
pub(crate) mod jwt;
pub(crate) mod private_key;
pub(crate) mod special;
pub(crate) mod url;
