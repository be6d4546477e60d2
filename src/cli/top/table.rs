//! A table in columns that are as wide as what is in them.

/// Which side of its column a text is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    /// Numbers.
    Right,
}

/// Lines of a table, its head first; nothing where there are no rows.
pub(super) fn table<const N: usize>(head: [(&str, Side); N], rows: &[[String; N]]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let named = head.map(|(name, _)| name.to_owned());
    let all: Vec<&[String; N]> = std::iter::once(&named).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let line = |row: &&[String; N]| {
        let cells = (0..N).map(|column| {
            let (text, width) = (&row[column], widths[column]);
            match head[column].1 {
                Side::Left => format!("{text:<width$}"),
                Side::Right => format!("{text:>width$}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let head = [("NAME", Side::Left), ("LAG", Side::Right)];
        let row = |name: &str, lag: &str| [name.to_owned(), lag.to_owned()];
        let lines = table(head, &[row("a", "7"), row("böt", "1234")]);
        assert_eq!(lines, ["NAME   LAG", "a        7", "böt   1234"]);
        assert!(table(head, &[]).is_empty());
    }
}
