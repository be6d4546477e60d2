//! Cursors and page tokens, as this service makes them.

use chatbridge::{
    event::{EntryId, Position},
    store::cursor::{Cursor, Lane, Mark},
};

use crate::Seed;

pub(crate) fn cursors() -> Vec<Seed> {
    let id = |n: u64| EntryId {
        epoch: 0x0123_4567_89ab_cdef,
        ms: 1_629_804_577_105 + n,
        n,
    };
    let at_time = Cursor::at_time(1_629_804_577_105, 16);
    let placed = Cursor {
        positions: (0..16)
            .map(|partition| (partition, id(u64::from(partition))))
            .collect(),
        ..at_time.clone()
    };
    let lane = |n: u64, at: Position| Lane {
        conversation: [n, !n],
        at,
    };
    let with_lanes = Cursor {
        lanes: vec![
            lane(1, Position::Earliest),
            lane(2, Position::Since(1_629_804_577_105)),
            lane(3, Position::After(id(7))),
        ],
        ..placed.clone()
    };
    let mark = |share: Option<u16>| Mark {
        subscription: 77,
        share,
        generation: 1_629_804_577_105,
        seq: 9,
    };
    let whole = [
        ("earliest", Cursor::at_time(0, 1).encode()),
        ("time", at_time.encode()),
        ("placed", placed.encode()),
        ("lanes", with_lanes.encode()),
        ("durable", placed.encode_marked(&mark(None))),
        ("shared", at_time.encode_marked(&mark(Some(255)))),
    ];
    let mut seeds = Vec::new();
    for (name, cursor) in whole {
        // The target adds the checksum itself.
        seeds.push((format!("{name}-open"), cursor[..cursor.len() - 4].to_vec()));
        seeds.push((name.to_owned(), cursor));
    }
    seeds
}

pub(crate) fn page_tokens() -> Vec<Seed> {
    // Behind four bytes of scope and eight of a number.
    let inside = [
        "",
        "1.00000000.1",
        "1.00000000.1629804577105.vXg39aMTRlq4xCBFaUCTlA",
        "1.00000000.name",
        "2.00000000.1",
        "1.00000000.0",
        "1.00000000.+1",
        "1.00000000.01.c1",
    ];
    let tokens = [
        "MS4wMDAwMDAwMC4x",
        "MS4wMDAwMDAwMC43LmMx",
        "rubbish",
        "MS4wMDAwMDAwMC4x==",
    ];
    let texts = inside.into_iter().chain(tokens).enumerate();
    texts
        .map(|(n, text)| (format!("{n:02}"), [&[0; 12], text.as_bytes()].concat()))
        .collect()
}
