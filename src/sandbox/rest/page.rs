//! Lists: which page is asked for, and how it is answered.

use axum::{
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{
    PREFIX, hal,
    problem::{Fault, Problem},
};

const DEFAULT_SIZE: usize = 20;
/// Larger pages are answered with this many. The vendor's own limit is not published.
const LARGEST_SIZE: usize = 100;

/// What a list can be sorted and filtered by.
pub(crate) struct Rules {
    /// Fields to sort by; the first, ascending or not, is what absence means.
    pub(crate) sort: &'static [&'static str],
    pub(crate) ascending: bool,
    /// Fields to filter by.
    pub(crate) filter: &'static [&'static str],
}

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageRequest {
    size: usize,
    number: usize,
    /// The field to sort by.
    pub(crate) sort: &'static str,
    ascending: bool,
    /// Pairs of field and value, all of which must match.
    filter: Vec<(String, String)>,
}

impl PageRequest {
    /// Reads a query; parameters that no list has are ignored.
    pub(crate) fn read(uri: &Uri, rules: &Rules) -> Result<Self, Problem> {
        let mut it = Self {
            size: DEFAULT_SIZE,
            number: 0,
            sort: rules.sort.first().copied().unwrap_or_default(),
            ascending: rules.ascending,
            filter: Vec::new(),
        };
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "size" => it.size = number("size", &value, 1)?.min(LARGEST_SIZE),
                "page" => it.number = number("page", &value, 0)?,
                "sort" => (it.sort, it.ascending) = sort(&value, rules.sort)?,
                "filter" => it.filter = filter(&value, rules.filter)?,
                _ => {}
            }
        }
        Ok(it)
    }

    /// All on one page, for lists that the vendor describes without parameters.
    pub(crate) fn whole() -> Self {
        Self {
            size: usize::MAX,
            number: 0,
            sort: "",
            ascending: true,
            filter: Vec::new(),
        }
    }

    /// Whether an item matches, given what it has in a field.
    pub(crate) fn admits<'a>(&self, field: impl Fn(&str) -> &'a str) -> bool {
        self.filter.iter().all(|(name, wanted)| field(name) == wanted)
    }

    /// Answers with one page of `items`, which are sorted upwards.
    pub(crate) fn answer<T>(
        &self,
        uri: &Uri,
        name: &str,
        mut items: Vec<T>,
        to_json: impl Fn(&T) -> Value,
    ) -> Response {
        if !self.ascending {
            items.reverse();
        }
        let total = items.len();
        let size = self.size.min(total.max(LARGEST_SIZE));
        let page: Vec<Value> = items
            .iter()
            .skip(self.number.saturating_mul(self.size))
            .take(self.size)
            .map(to_json)
            .collect();
        let embedded: Map<String, Value> = [(name.to_owned(), page.into())].into_iter().collect();
        let mut answer = json!({
            "_embedded": embedded,
            "page": {
                "size": size,
                "number": self.number,
                "totalElements": total,
                "totalPages": total.div_ceil(size),
            },
        });
        // Of all lists, that of messages is described without it.
        if name != "messages" {
            answer["_links"] = json!({"self": {"href": format!("{PREFIX}{uri}")}});
        }
        hal(StatusCode::OK, &answer)
    }
}

fn refuse(code: &'static str, message: String) -> Problem {
    Problem::general(StatusCode::BAD_REQUEST, &Fault::new(code, message))
}

fn number(name: &str, value: &str, least: usize) -> Result<usize, Problem> {
    // The vendor's numbers have 32 bits.
    let read = value.parse::<i32>().ok().and_then(|n| usize::try_from(n).ok());
    read.filter(|n| *n >= least).ok_or_else(|| {
        refuse(
            "invalid_page",
            format!("The parameter {name} must be a whole number from {least} on."),
        )
    })
}

fn sort(value: &str, fields: &'static [&'static str]) -> Result<(&'static str, bool), Problem> {
    let asked = value.split_once(':');
    let found = asked.and_then(|(field, direction)| {
        let field = fields.iter().find(|f| **f == field)?;
        match direction {
            "asc" => Some((*field, true)),
            "desc" => Some((*field, false)),
            _ => None,
        }
    });
    found.ok_or_else(|| {
        refuse(
            "invalid_sort",
            format!(
                "The parameter sort must be FIELD:asc or FIELD:desc, with FIELD one of {}.",
                fields.join(", ")
            ),
        )
    })
}

fn filter(value: &str, fields: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let comparison = |part: &str| {
        let (field, wanted) = part.split_once("==")?;
        let is_value = !wanted.is_empty() && !wanted.contains(['(', ')', ',']);
        (is_value && fields.contains(&field)).then(|| (field.to_owned(), wanted.to_owned()))
    };
    let read: Option<Vec<_>> = value.split(';').map(comparison).collect();
    read.ok_or_else(|| {
        refuse(
            "invalid_filter",
            format!(
                "This sandbox filters by FIELD==VALUE, several joined by `;`, with FIELD one of {}.",
                fields.join(", ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const RULES: Rules = Rules {
        sort: &["id", "createdAt"],
        ascending: true,
        filter: &["id", "state"],
    };

    fn read(query: &str) -> Result<PageRequest, Problem> {
        PageRequest::read(&format!("/x?{query}").parse().unwrap(), &RULES)
    }

    #[test]
    fn absence_means_the_defaults_and_a_large_page_is_cut() {
        let it = read("").unwrap();
        assert_eq!((it.size, it.number, it.sort, it.ascending), (20, 0, "id", true));
        let it = read("size=5000&page=3&sort=createdAt%3Adesc&filter=state==idle;id==a%26b&other=1").unwrap();
        assert_eq!(
            (it.size, it.number, it.sort, it.ascending),
            (100, 3, "createdAt", false)
        );
        assert!(it.admits(|field| if field == "id" { "a&b" } else { "idle" }));
        assert!(!it.admits(|_| "idle"));
    }

    #[rstest]
    fn what_makes_no_sense_is_refused(
        #[values(
            "size=0",
            "size=-1",
            "size=x",
            "size=",
            "page=-1",
            "page=99999999999",
            "sort=id",
            "sort=name:asc",
            "sort=id:up",
            "filter=state",
            "filter=name==x",
            "filter=(id==x)",
            "filter=state==idle,state==active",
            "filter=state==",
            "filter="
        )]
        query: &str,
    ) {
        assert!(read(query).is_err(), "{query}");
    }
}
