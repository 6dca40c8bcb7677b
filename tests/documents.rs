//! The samples and examples in the documents.

mod examples;
mod samples;
