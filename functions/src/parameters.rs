//! Reading the parameters of a request, strictly: a value that cannot be is
//! refused with its name and with what it could have been.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use shared::auth::{Caller, Permission};
use shared::labels::{Label, MAX_LABEL_LENGTH};
use shared::model::{
    ExecutionId, ExecutionType, InvalidId, MAX_ID_LENGTH, PageSize, TimeRange, Timestamp,
};

use crate::problem::Problem;

/// The parameters in a request's path and query.
pub struct Parameters<'a> {
    request: &'a Request,
}

impl<'a> Parameters<'a> {
    /// The parameters of this request.
    pub fn of(request: &'a Request) -> Self {
        Self { request }
    }

    /// A parameter of the path, as an id.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn path_id<T: FromStr<Err = InvalidId>>(&self, name: &'static str) -> Result<T, Problem> {
        parse_id(name, &self.path_text(name))
    }

    /// An id in the path that may have been left out: `None` for a blank.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn path_id_if_any<T: FromStr<Err = InvalidId>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        match self.path_text(name).trim() {
            "" => Ok(None),
            value => parse_id(name, value).map(Some),
        }
    }

    /// A parameter of the path, as it stands there.
    pub fn path_text(&self, name: &str) -> Cow<'a, str> {
        let parameters = self.request.path_parameters_ref();
        let value = parameters.and_then(|parameters| parameters.first(name));
        // Gateways differ in whether they decode a path. No id has a percent
        // sign, so decoding what is decoded already changes nothing.
        percent_decode_str(value.unwrap_or_default()).decode_utf8_lossy()
    }

    /// A parameter of the query, if it is there, and be it empty.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`] when it is there more than once.
    pub fn text(&self, name: &'static str) -> Result<Option<&'a str>, Problem> {
        let values = self
            .request
            .query_string_parameters_ref()
            .and_then(|query| query.all(name))
            .unwrap_or_default();
        match values[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(invalid(name, "Send it once.")),
        }
    }

    /// A parameter of the query that has to be there.
    ///
    /// # Errors
    /// [`Problem::MissingParameter`], also when it is empty, and
    /// [`Problem::InvalidParameter`].
    pub fn required(&self, name: &'static str) -> Result<&'a str, Problem> {
        let value = self.text(name)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| Problem::MissingParameter {
            parameter: name,
            message: format!("Send the parameter {name}."),
        })
    }

    /// An id in the query that has to be there.
    ///
    /// # Errors
    /// [`Problem::MissingParameter`] and [`Problem::InvalidParameter`].
    pub fn required_id<T: FromStr<Err = InvalidId>>(
        &self,
        name: &'static str,
    ) -> Result<T, Problem> {
        parse_id(name, self.required(name)?)
    }

    /// A short text in the query, if it is there: up to 128 characters, none of
    /// them a control character.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn short_text(&self, name: &'static str) -> Result<Option<&'a str>, Problem> {
        match self.text(name)? {
            Some(value)
                if !(1..=MAX_ID_LENGTH).contains(&value.chars().count())
                    || value.chars().any(char::is_control) =>
            {
                Err(invalid(
                    name,
                    format!("It has 1 to {MAX_ID_LENGTH} characters, and no control characters."),
                ))
            }
            value => Ok(value),
        }
    }

    /// One of a set of words, if it is there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], which lists the words.
    pub fn one_of<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(invalid(
                    name,
                    format!("It is one of: {}.", words.join(", ")),
                ))
            }
        }
    }

    /// A page size, if it is there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], which names the range.
    pub fn page_size(&self, name: &'static str) -> Result<Option<PageSize>, Problem> {
        let parse = |value: &str| {
            value.parse().map_err(|()| {
                let (min, max) = (PageSize::MIN, PageSize::MAX);
                invalid(name, format!("It is a whole number from {min} to {max}."))
            })
        };
        self.text(name)?.map(parse).transpose()
    }

    /// A whole number in the query, if it is there, from 0 to 10^12: the number
    /// of a page, or of items to skip.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], which names the range.
    pub fn whole_number(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        self.number(name, 0, MAX_WHOLE_NUMBER)
    }

    /// A whole number in the query, if it is there, within bounds.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], which names the bounds.
    pub fn number(&self, name: &'static str, min: u64, max: u64) -> Result<Option<u64>, Problem> {
        let parse = |value: &str| {
            // Digits alone: "+1" is a number to Rust.
            let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse().ok().filter(|_| is_digits);
            number
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| invalid(name, format!("It is a whole number from {min} to {max}.")))
        };
        self.text(name)?.map(parse).transpose()
    }

    /// `true` or `false` in the query; `false` where it is not there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        let words = [("true", true), ("false", false)];
        Ok(self.one_of(name, &words)?.unwrap_or_default())
    }

    /// The caller, as one who is shown payloads: with `reveal=false` in the query as one who
    /// may not see secrets, so that there is nothing to tell the audit.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn viewer<'c>(&self, caller: &'c Caller) -> Result<Cow<'c, Caller>, Problem> {
        let words = [("true", true), ("false", false)];
        Ok(match self.one_of("reveal", &words)? {
            Some(false) => Cow::Owned(caller.without(Permission::ExecutionsReveal)),
            _ => Cow::Borrowed(caller),
        })
    }

    /// An id in the query, if it is there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn id<T: FromStr<Err = InvalidId>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        self.text(name)?
            .map(|value| parse_id(name, value))
            .transpose()
    }

    /// `executionType` in the query, if it is there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], which lists the words.
    pub fn execution_type(&self) -> Result<Option<ExecutionType>, Problem> {
        let words = ExecutionType::ALL.map(|kind| (kind.as_str(), kind));
        self.one_of("executionType", &words)
    }

    /// A label in the query, `label=orderId=42`, if it is there.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn label(&self) -> Result<Option<Label>, Problem> {
        let parse = |value: &str| {
            let message = format!(
                "It is a label's name, \"=\" and its value, such as orderId=42, of at most \
                 {MAX_LABEL_LENGTH} bytes together."
            );
            value.parse().map_err(|_| invalid("label", message))
        };
        self.text("label")?.map(parse).transpose()
    }

    /// A stretch of time in the query, of which either bound may be absent: RFC
    /// 3339 with any offset, or a date of UTC, which as an end is the end of
    /// that day. Both bounds are inclusive.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`], also when it ends before it begins.
    pub fn time_range(&self, from: &'static str, to: &'static str) -> Result<TimeRange, Problem> {
        let first = self.bound(from, Timestamp::first_of)?;
        let last = self.bound(to, Timestamp::last_of)?;
        TimeRange::new(first, last)
            .ok_or_else(|| invalid(from, format!("It lies after the parameter {to}.")))
    }

    /// The time that `days` means, from 1 to [`MAX_DAYS`] of them: those before
    /// the end that is named, or before now. Where a beginning is named, `days` is
    /// left aside.
    ///
    /// # Errors
    /// Those of [`Self::time_range`] and of [`Self::number`].
    pub fn days_back(&self, from: &'static str, to: &'static str) -> Result<DaysBack, Problem> {
        let named = self.time_range(from, to)?;
        let days = self.number("days", 1, MAX_DAYS)?;
        let days = named.from().is_none().then(|| days.unwrap_or(DEFAULT_DAYS));
        Ok(DaysBack {
            created: days.map_or(named, |days| back(days, named.to())),
            days,
            named,
        })
    }

    fn bound(
        &self,
        name: &'static str,
        read: fn(&str) -> Option<Timestamp>,
    ) -> Result<Option<Timestamp>, Problem> {
        let parse = |value: &str| {
            let form = "It is a date or a time of RFC 3339, such as 2026-02-17 or \
                        2026-02-17T10:30:00.000Z.";
            read(&with_plus(value)).ok_or_else(|| invalid(name, form))
        };
        self.text(name)?.map(parse).transpose()
    }

    /// A moment that has to be there: RFC 3339 with any offset.
    ///
    /// # Errors
    /// [`Problem::MissingParameter`], and [`Problem::InvalidParameter`], which
    /// shows the form.
    pub fn required_timestamp(&self, name: &'static str) -> Result<Timestamp, Problem> {
        with_plus(self.required(name)?).parse().map_err(|_| {
            let form = "It is a time of RFC 3339, such as 2026-02-17T10:30:00.000Z.";
            invalid(name, form)
        })
    }
}

/// What [`Parameters::days_back`] reads.
pub struct DaysBack {
    /// The time itself.
    pub created: TimeRange,
    /// How many days back it looks; `None` where the beginning is named.
    pub days: Option<u64>,
    /// The bounds that the caller named.
    pub named: TimeRange,
}

/// So many days before an end; without one, since the full hour that many days ago, so
/// that counters alone answer for the time, however many runs the hour has.
pub fn back(days: u64, end: Option<Timestamp>) -> TimeRange {
    let before = |end: Timestamp| end.milliseconds() - days as i64 * DAY_MS;
    let from = match end {
        // The days end with it: the moment that many days ago is not among them, or a
        // date as an end would begin on one day more.
        Some(end) => before(end) + 1,
        None => before(Timestamp::now()).div_euclid(HOUR_MS) * HOUR_MS,
    };
    TimeRange::new(Timestamp::from_milliseconds(from), end).unwrap_or_default()
}

/// The JSON object in a request's body, if it has one.
///
/// # Errors
/// [`Problem::InvalidParameter`], naming `body` and the place in it.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<Option<T>, Problem> {
    let body: &[u8] = request.body();
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    // Serde would take an array for the members of an object in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("body", "Send a JSON object."));
    }
    // Serde does not look into the members that it passes by.
    let text = str::from_utf8(body)
        .map_err(|error| invalid("body", format!("It is not UTF-8: {error}.")))?;
    let value = serde_json::from_str(text);
    value.map(Some).map_err(|error| {
        // Of a body that is no JSON, and of one with another shape.
        invalid("body", format!("Send JSON: {error}."))
    })
}

/// What asks for one execution, with a page of its steps.
pub struct DetailsParameters<'a> {
    /// The execution.
    pub execution_id: ExecutionId,
    /// How many steps; all that fit where it is absent.
    pub limit: Option<PageSize>,
    /// From the page before.
    pub next_token: Option<&'a str>,
}

impl<'a> DetailsParameters<'a> {
    /// Those of a request whose path has the execution's id under that name.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub fn of(request: &'a Request, id: &'static str) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        Ok(Self {
            execution_id: parameters.path_id(id)?,
            limit: parameters.page_size("limit")?,
            next_token: parameters.text("nextToken")?,
        })
    }
}

/// How many days back a request looks that names none.
pub const DEFAULT_DAYS: u64 = 30;

/// The most days that one does: ten years.
pub const MAX_DAYS: u64 = 3_660;

const HOUR_MS: i64 = 3_600 * 1_000;

const DAY_MS: i64 = 24 * HOUR_MS;

/// The largest whole number of [`Parameters::whole_number`]: more than any table
/// has, and small enough that a page's number times its size is a number.
pub const MAX_WHOLE_NUMBER: u64 = 1_000_000_000_000;

/// A plus sign in a query is a space, to everyone who forgot to write %2B in an
/// offset such as +01:00.
fn with_plus(time: &str) -> String {
    time.replace(' ', "+")
}

fn parse_id<T: FromStr<Err = InvalidId>>(name: &'static str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|error| {
        // The error's own words, as a sentence.
        let words = InvalidId::to_string(&error);
        invalid(name, format!("A{}.", &words[1..]))
    })
}

/// Refuses the value of a parameter.
pub fn invalid(parameter: &'static str, message: impl Display) -> Problem {
    Problem::InvalidParameter {
        parameter,
        message: format!("The parameter {parameter} is not valid. {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_an_end_begin_with_a_full_hour() {
        let before = Timestamp::now().milliseconds() - 30 * DAY_MS;
        let from = back(30, None).from().expect("a beginning").milliseconds();
        let after = Timestamp::now().milliseconds() - 30 * DAY_MS;
        assert_eq!(from % HOUR_MS, 0);
        assert!(from <= after && before - from < HOUR_MS, "{before} {from}");
    }

    #[test]
    fn days_before_an_end_are_so_many_to_the_millisecond() {
        let end = "2026-02-17T10:30:00.000Z".parse().expect("a time");
        let time = back(1, Some(end));
        let from = time.from().expect("a beginning").to_string();
        assert_eq!(from, "2026-02-16T10:30:00.001Z");
        assert_eq!(time.to(), Some(end));
    }
}
