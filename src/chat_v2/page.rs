//! Lists in v2's pages: `size` and `page` in, `data` and `page` out.

use serde_json::{Value, json};

use super::problem::{Problem, Wrong};

const SIZE: usize = 20;
/// Larger pages are answered with this many.
const SIZE_MAX: usize = 100;

/// The parameters of a request's query, in their order.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query.
    pub(super) fn read(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The value of a parameter, the last where there are several; `None` where it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All parameters.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// How many at most.
    pub(super) size: usize,
    /// Which one, from 0.
    pub(super) index: usize,
}

impl Page {
    /// The page that a query asks for.
    pub(super) fn read(query: &Query) -> Result<Self, Problem> {
        let number = |name: &str, least: usize, default: usize| {
            let Some(text) = query.get(name) else {
                return Ok(default);
            };
            // v2's numbers have 32 bits, and some clients write them as 20.0.
            let read = text.trim_end_matches(".0").parse::<i32>().ok();
            let read = read.and_then(|number| usize::try_from(number).ok());
            read.filter(|number| *number >= least).ok_or_else(|| {
                let problem = format!("must be a whole number from {least} on.");
                Problem::wrong(vec![Wrong::new(name, "invalid_page", problem).with(text)])
            })
        };
        Ok(Self {
            size: number("size", 1, SIZE)?.min(SIZE_MAX),
            index: number("page", 0, 0)?,
        })
    }

    /// The answer with this page of all items.
    pub(super) fn cut<T>(self, all: Vec<T>, to_json: impl Fn(T) -> Value) -> Value {
        let total = all.len();
        let items = all
            .into_iter()
            .skip(self.index.saturating_mul(self.size))
            .take(self.size);
        self.answer(&items.map(to_json).collect::<Vec<_>>(), total, None)
    }

    /// The answer with items that are this page already.
    pub(super) fn answer(self, items: &[Value], total: usize, pages: Option<usize>) -> Value {
        json!({
            "data": items,
            "page": {
                "pageSize": self.size,
                "pageIndex": self.index,
                "elementCount": total,
                "pageCount": pages.unwrap_or_else(|| total.div_ceil(self.size)),
            },
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Some((20, 0)))]
    #[case("size=5&page=2", Some((5, 2)))]
    #[case("size=5.0", Some((5, 0)))]
    #[case("size=1000", Some((100, 0)))]
    #[case("size=", Some((20, 0)))]
    #[case("size=0", None)]
    #[case("size=-1", None)]
    #[case("page=-1", None)]
    #[case("page=x", None)]
    #[case("page=99999999999", None)]
    fn pages_are_read(#[case] query: &str, #[case] expected: Option<(usize, usize)>) {
        let read = Page::read(&Query::read(Some(query))).ok();
        assert_eq!(read.map(|page| (page.size, page.index)), expected);
    }

    proptest! {
        #[test]
        fn pages_are_all_items_once_in_order(count in 0_usize..60, size in 1_usize..20) {
            let all: Vec<usize> = (0..count).collect();
            let mut found = Vec::new();
            let mut index = 0;
            loop {
                let answer = Page { size, index }.cut(all.clone(), Value::from);
                prop_assert_eq!(answer["page"]["elementCount"].as_u64(), Some(count as u64));
                let items = answer["data"].as_array().unwrap().clone();
                found.extend(items.iter().map(|n| usize::try_from(n.as_u64().unwrap()).unwrap()));
                index += 1;
                if answer["page"]["pageCount"].as_u64().unwrap() <= index as u64 {
                    break;
                }
            }
            prop_assert_eq!(found, all);
        }
    }
}
