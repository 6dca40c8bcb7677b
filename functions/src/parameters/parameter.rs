//! A parameter as one value, and groups of parameters.

use lambda_http::Request;
use serde_json::Value;
use shared::model::PageSize;

use super::kinds::query_text;
use crate::openapi::parameter::ParameterDescription;
use crate::problem::Problem;

/// A function that reads a value from a request.
pub(crate) type Reader<T> = Box<dyn Fn(&Request) -> Result<T, Problem> + Send + Sync>;

/// One parameter: its description, and the function that reads it. The modules
/// [`kinds`](super::kinds) and [`time`](super::time) have a constructor for each kind.
pub(crate) struct Parameter<T> {
    description: ParameterDescription,
    read: Reader<T>,
}

impl<T: 'static> Parameter<T> {
    pub(crate) fn new(
        description: ParameterDescription,
        read: impl Fn(&Request) -> Result<T, Problem> + Send + Sync + 'static,
    ) -> Self {
        let read = Box::new(read);
        Self { description, read }
    }

    /// Sets the description of its effect.
    pub(crate) fn about(mut self, description: impl Into<String>) -> Self {
        self.description.description = description.into();
        self
    }

    /// Sets the example of a valid value.
    pub(crate) fn example(mut self, example: impl Into<Value>) -> Self {
        self.description.example = Some(example.into());
        self
    }

    /// Describes a default that is applied elsewhere, because it depends on other parts of the
    /// request.
    pub(crate) fn described_default(mut self, default: impl Into<Value>) -> Self {
        self.description.schema["default"] = default.into();
        self
    }

    /// Describes a list as one parameter with commas, not one parameter for each item.
    pub(super) fn with_commas(mut self) -> Self {
        self.description.explode = Some(false);
        self
    }
}

impl<T: 'static> Parameter<Option<T>> {
    /// Refuses a request without the parameter, or with an empty one.
    pub(crate) fn required(mut self) -> Parameter<T> {
        self.description.required = true;
        let name = self.description.name;
        Parameter::new(self.description, move |request| {
            require_sent(request, name)?;
            (self.read)(request)?.ok_or_else(|| missing(name))
        })
    }

    /// Requires the parameter if any parameter of `names` is sent, so that all of them are sent
    /// together or not at all.
    pub(crate) fn required_with(self, names: &'static [&'static str]) -> Self {
        let name = self.description.name;
        Self::new(self.description, move |request| {
            for sent in names {
                if query_text(request, sent)?.is_some() {
                    require_sent(request, name)?;
                    break;
                }
            }
            (self.read)(request)
        })
    }
}

impl<T: Copy + Send + Sync + 'static> Parameter<Option<T>> {
    /// Reads an absent parameter as `default`, which the description shows as `described`.
    pub(super) fn or(self, default: T, described: impl Into<Value>) -> Parameter<T> {
        let Self { description, read } = self.described_default(described);
        Parameter::new(description, move |request| {
            Ok(read(request)?.unwrap_or(default))
        })
    }
}

impl Parameter<Option<PageSize>> {
    /// Reads an absent parameter as `default`.
    pub(crate) fn default(self, default: PageSize) -> Parameter<PageSize> {
        self.or(default, default.get())
    }
}

/// Several parameters that are read as one value.
pub(crate) struct Parameters<T> {
    descriptions: Vec<ParameterDescription>,
    read: Reader<T>,
}

impl<T> From<Parameter<T>> for Parameters<T> {
    fn from(parameter: Parameter<T>) -> Self {
        Self {
            descriptions: vec![parameter.description],
            read: parameter.read,
        }
    }
}

impl<T: 'static> Parameters<T> {
    /// The descriptions, in the order of `/openapi.json`.
    pub(crate) fn descriptions(&self) -> &[ParameterDescription] {
        &self.descriptions
    }

    /// Reads the value.
    ///
    /// # Errors
    /// [`Problem::MissingParameter`] if a required parameter is missing, and
    /// [`Problem::InvalidParameter`] if a value is not valid.
    pub(crate) fn read(&self, request: &Request) -> Result<T, Problem> {
        (self.read)(request)
    }

    /// Requires the query parameter `name` of the group. This is checked before any parameter is
    /// read.
    pub(crate) fn requiring(mut self, name: &'static str) -> Self {
        for description in &mut self.descriptions {
            description.required |= description.name == name;
        }
        let read = self.read;
        self.read = Box::new(move |request| {
            require_sent(request, name)?;
            read(request)
        });
        self
    }
}

/// Declares [`Parameters`] one by one.
///
/// The description lists them in the order of the calls of [`Self::add`]. The function of
/// [`Self::reads`] decides in which order they are read: if several parameters are not valid, the
/// response reports the one that is read first. If the two orders are the same, [`group!`] is
/// shorter.
#[derive(Default)]
pub(crate) struct Group {
    descriptions: Vec<ParameterDescription>,
}

impl Group {
    /// Adds a parameter, or all of another group, and returns the function that reads it.
    pub(crate) fn add<T>(&mut self, added: impl Into<Parameters<T>>) -> Reader<T> {
        let Parameters { descriptions, read } = added.into();
        self.descriptions.extend(descriptions);
        read
    }

    /// Completes the group with the function that reads its value.
    pub(crate) fn reads<T>(
        self,
        read: impl Fn(&Request) -> Result<T, Problem> + Send + Sync + 'static,
    ) -> Parameters<T> {
        Parameters {
            descriptions: self.descriptions,
            read: Box::new(read),
        }
    }
}

/// Declares a [`Group`] that is read as a struct. Its fields are described and read in this order.
macro_rules! group {
    ($made:ident { $($field:ident: $parameter:expr),* $(,)? }) => {{
        let mut group = $crate::parameters::Group::default();
        $(let $field = group.add($parameter);)*
        group.reads(move |request| Ok($made { $($field: $field(request)?),* }))
    }};
}

pub(crate) use group;

/// Refuses a request without a query parameter, or with an empty one.
fn require_sent(request: &Request, name: &'static str) -> Result<(), Problem> {
    match query_text(request, name)? {
        None | Some("") => Err(missing(name)),
        Some(_) => Ok(()),
    }
}

fn missing(name: &'static str) -> Problem {
    Problem::MissingParameter {
        parameter: name,
        message: format!("Send the parameter {name}."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use lambda_http::RequestExt;
    use serde_json::json;
    use shared::model::FlowId;

    use super::*;
    use crate::parameters::{flag, id, number, page_size, path_id_or, some_of, whole_number};

    /// A request with these parameters in its query.
    fn request(query: &[(&str, &str)]) -> Request {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in query {
            values
                .entry((*name).to_owned())
                .or_default()
                .push((*value).to_owned());
        }
        Request::default().with_query_string_parameters(values)
    }

    /// The code, the parameter and the reason of a problem.
    fn refused<T>(result: Result<T, Problem>) -> [String; 3] {
        let problem = result.err().expect("a problem");
        let view = json!(problem.view("request-1"));
        let text = |name: &str| view[name].as_str().unwrap_or_default().to_owned();
        [text("code"), text("parameter"), text("reason")]
    }

    fn described<T: 'static>(parameters: &Parameters<T>) -> Value {
        json!(parameters.descriptions())
    }

    #[test]
    fn a_default_is_both_read_and_described() {
        let limit: Parameters<PageSize> = page_size("limit")
            .default(PageSize::constant::<50>())
            .about("How many.")
            .into();
        let schema = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50});
        let description =
            json!([{"name": "limit", "in": "query", "description": "How many.", "schema": schema}]);
        assert_eq!(described(&limit), description);
        assert_eq!(limit.read(&request(&[])).expect("a size").get(), 50);
        let given = limit.read(&request(&[("limit", "7")]));
        assert_eq!(given.expect("a size").get(), 7);
        let problem = refused(limit.read(&request(&[("limit", "501")])));
        let reason = "Use a whole number from 1 to 500.";
        assert_eq!(problem, ["INVALID_PARAMETER", "limit", reason]);

        let flag: Parameters<bool> = flag("reveal", true).into();
        assert_eq!(described(&flag)[0]["schema"]["default"], true);
        assert!(flag.read(&request(&[])).expect("a flag"));
        assert!(!flag.read(&request(&[("reveal", "false")])).expect("a flag"));

        let offset: Parameters<u64> = whole_number("offset").into();
        assert_eq!(described(&offset)[0]["schema"]["default"], 0);
        assert_eq!(offset.read(&request(&[])).expect("a number"), 0);
    }

    #[test]
    fn required_parameters_must_not_be_absent_or_empty() {
        let flow: Parameters<FlowId> = id("flowId").required().into();
        assert_eq!(described(&flow)[0]["required"], true);
        for query in [&[][..], &[("flowId", "")]] {
            let problem = refused(flow.read(&request(query)));
            assert_eq!(problem, ["MISSING_PARAMETER", "flowId", ""]);
        }
        let problem = refused(flow.read(&request(&[("flowId", "a"), ("flowId", "a")])));
        assert_eq!(
            problem,
            ["INVALID_PARAMETER", "flowId", "Send it only once."]
        );
        let given = flow.read(&request(&[("flowId", "flow-1")]));
        assert_eq!(given.expect("an id").as_str(), "flow-1");
    }

    #[test]
    fn parameters_required_together_are_checked_together() {
        let one: Parameters<Option<u64>> =
            number("one", 0, 9).required_with(&["one", "other"]).into();
        assert_eq!(described(&one)[0].get("required"), None);
        assert_eq!(one.read(&request(&[])).expect("a number"), None);
        let both = request(&[("one", "1"), ("other", "")]);
        assert_eq!(one.read(&both).expect("a number"), Some(1));
        for query in [&[("other", "x")][..], &[("one", "")]] {
            let problem = refused(one.read(&request(query)));
            assert_eq!(problem, ["MISSING_PARAMETER", "one", ""]);
        }
    }

    /// The parameters `first` and `second`. `second` is read first.
    fn group() -> Parameters<[u64; 2]> {
        let mut group = Group::default();
        let first = group.add(whole_number("first"));
        let second = group.add(whole_number("second"));
        group.reads(move |request| {
            let second = second(request)?;
            Ok([first(request)?, second])
        })
    }

    fn names<T: 'static>(parameters: &Parameters<T>) -> Vec<&'static str> {
        let descriptions = parameters.descriptions().iter();
        descriptions.map(|description| description.name).collect()
    }

    #[test]
    fn a_group_may_read_in_another_order_than_it_describes() {
        let group = group();
        assert_eq!(names(&group), ["first", "second"]);
        let read = group.read(&request(&[("second", "2"), ("first", "1")]));
        assert_eq!(read.expect("two numbers"), [1, 2]);
        let problem = refused(group.read(&request(&[("first", "x"), ("second", "x")])));
        assert_eq!(problem[1], "second");
    }

    #[test]
    fn a_group_may_contain_another_group() {
        let mut outer = Group::default();
        let inner = outer.add(group());
        let third = outer.add(whole_number("third"));
        let outer = outer.reads(move |request| Ok((inner(request)?, third(request)?)));
        assert_eq!(names(&outer), ["first", "second", "third"]);
        let read = outer.read(&request(&[("first", "1"), ("third", "3")]));
        assert_eq!(read.expect("three numbers"), ([1, 0], 3));
    }

    #[test]
    fn a_required_parameter_of_a_group_is_checked_first() {
        let group = group().requiring("first");
        let required: Vec<_> = group.descriptions().iter().map(|it| it.required).collect();
        assert_eq!(required, [true, false]);
        let problem = refused(group.read(&request(&[("second", "x")])));
        assert_eq!(problem, ["MISSING_PARAMETER", "first", ""]);
        let problem = refused(group.read(&request(&[("first", "x"), ("second", "x")])));
        assert_eq!(problem[1], "second");
    }

    #[test]
    fn repeated_words_of_a_list_count_once() {
        let words: Parameters<Option<Vec<u8>>> =
            some_of("words", [("one", 1_u8), ("two", 2)]).into();
        assert_eq!(described(&words)[0]["explode"], false);
        let given = words.read(&request(&[("words", "two,one,two")]));
        assert_eq!(given.expect("words"), Some(vec![2, 1]));
        let problem = refused(words.read(&request(&[("words", "one,three")])));
        let reason = "Use one or more of these, separated by commas: one, two.";
        assert_eq!(problem, ["INVALID_PARAMETER", "words", reason]);
    }

    #[test]
    fn a_blank_id_in_a_path_has_its_own_problem() {
        let missing = || Problem::MissingId {
            parameter: "flowId",
            error: "flowId is required",
            code: "MISSING_FLOW_ID",
            message: "Send it.",
        };
        let flow: Parameters<FlowId> = path_id_or("flowId", missing).into();
        let description = &described(&flow)[0];
        assert_eq!(description["in"], "path");
        assert_eq!(description["required"], true);
        let read = |text: &str| {
            let path = HashMap::from([("flowId".to_owned(), text.to_owned())]);
            flow.read(&Request::default().with_path_parameters(path))
        };
        for blank in ["", " ", "%20"] {
            assert_eq!(refused(read(blank)), ["MISSING_FLOW_ID", "flowId", ""]);
        }
        assert_eq!(read("a%2Fb").expect("an id").as_str(), "a/b");
        assert_eq!(refused(read("a#b"))[..2], ["INVALID_PARAMETER", "flowId"]);
    }
}
