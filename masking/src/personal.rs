//! Personal data: values that identify a person.

pub(crate) mod address;
pub(crate) mod card;
pub(crate) mod email;
pub(crate) mod iban;
pub(crate) mod national;
pub(crate) mod number;
pub(crate) mod phone;
