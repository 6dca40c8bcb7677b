//! Personal data: values that identify a person.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod birth;
pub(crate) mod card;
pub(crate) mod context;
pub(crate) mod countries;
pub(crate) mod device;
pub(crate) mod email;
mod hash;
pub(crate) mod iban;
pub(crate) mod identities;
mod identity_checks;
pub(crate) mod national;
pub(crate) mod number;
pub(crate) mod phone;
mod place;
pub(crate) mod script;
mod tax_checks;
mod value;
mod vocabulary;
pub(crate) mod wallet;

pub(crate) use place::{
    Place, Sheet, find_digits, find_parenthesis, find_plus, find_script, find_uuid, find_word,
};
