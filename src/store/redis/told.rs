//! What a node of a cluster says of the cluster.

use ::redis::{FromRedisValue as _, Pipeline, Value};

use super::{
    link::Request,
    topology::{Lane, Server},
    url::Address,
    wire,
};
use crate::store::StoreError;

/// How many slots a cluster has.
pub(super) const SLOTS: usize = 16_384;

/// What a node says of the cluster.
pub(super) struct Told {
    /// Whether the cluster is well, as the node sees it; and how new what it knows is.
    pub(super) rank: (bool, u64),
    pub(super) ranges: Vec<(usize, usize, Address)>,
}

/// Asks a node what the cluster is.
pub(super) async fn ask(node: &Server) -> Result<Told, StoreError> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
    let answer = node
        .link(Lane::Urgent)
        .run(&Request::Pipeline(&pipeline), false)
        .await;
    let [info, slots] = wire::array_of(answer.map_err(|failed| failed.explain())?)?;
    let info = String::from_redis_value(info).unwrap_or_default();
    let told = |name: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    let is_well = told("cluster_state").as_deref() == Some("ok");
    let epoch = told("cluster_current_epoch").and_then(|epoch| epoch.parse().ok());
    Ok(Told {
        rank: (is_well, epoch.unwrap_or_default()),
        ranges: ranges(slots, node.address())?,
    })
}

/// Reads `CLUSTER SLOTS`. A node that does not know its own name is the one that was asked.
fn ranges(slots: Value, asked: &Address) -> Result<Vec<(usize, usize, Address)>, StoreError> {
    let unreadable = || StoreError::Corrupt("the slots of the Redis cluster cannot be read".into());
    let range = |range: Value| {
        let mut parts = wire::array(range)?.into_iter();
        let mut number = || wire::number(&parts.next().unwrap_or_default());
        let (from, to) = (number()?, number()?);
        let mut master = wire::array(parts.next().unwrap_or_default())?.into_iter();
        let host = match master.next() {
            None | Some(Value::Nil) => String::new(),
            Some(host) => wire::text(host)?,
        };
        let port = wire::number(&master.next().unwrap_or_default())?;
        let address = Address {
            host: if matches!(host.as_str(), "" | "?") {
                asked.host.clone()
            } else {
                host
            },
            port: u16::try_from(port).map_err(|_| unreadable())?,
        };
        let place = |slot: u64| usize::try_from(slot).ok().filter(|slot| *slot < SLOTS);
        let (from, to) = place(from).zip(place(to)).ok_or_else(unreadable)?;
        Ok((from, to, address))
    };
    wire::array(slots)?.into_iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn range(from: i64, to: i64, host: Value) -> Value {
        let node = Value::Array(vec![host, Value::Int(7000), text("id")]);
        Value::Array(vec![Value::Int(from), Value::Int(to), node])
    }

    #[test]
    fn slots_are_read_and_a_node_without_a_name_is_the_one_that_was_asked() {
        let asked = Address {
            host: "asked".into(),
            port: 1,
        };
        let slots = vec![
            range(0, 5, text("10.0.0.1")),
            range(6, 9, Value::Nil),
            range(10, 16_383, text("?")),
        ];
        let read = ranges(Value::Array(slots), &asked).unwrap();
        let hosts: Vec<_> = read
            .iter()
            .map(|(from, to, at)| (*from, *to, at.host.as_str()))
            .collect();
        assert_eq!(
            hosts,
            [(0, 5, "10.0.0.1"), (6, 9, "asked"), (10, 16_383, "asked")]
        );
        assert!(ranges(Value::Array(vec![range(0, 16_384, text("h"))]), &asked).is_err());
        assert!(ranges(Value::Array(vec![Value::Int(1)]), &asked).is_err());
    }
}
