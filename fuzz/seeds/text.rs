//! Headers and filters: texts as they are.

use crate::{Seed, numbered};

pub(crate) fn dispositions() -> Vec<Seed> {
    let mut seeds = numbered([
        "attachment",
        "attachment; filename=plain.txt",
        "attachment; filename=\"with space; and = more.txt\"",
        "attachment; filename=\"a \\\"quoted\\\" name.txt\"",
        "inline;FILENAME=\"upper.txt\"; size=7",
        "attachment; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt",
        "attachment; filename*=ISO-8859-1'en'%A3.txt; filename=\"fallback.txt\"",
        "attachment; filename=\"../../etc/passwd\"",
        "attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd",
        "attachment; filename=\"C:\\\\Windows\\\\evil.exe\"",
        "attachment; filename*=UTF-8''a%0D%0Ab%00.txt",
        "attachment; filename=\"unclosed.txt",
        "attachment; filename=\"..\"",
    ]);
    for (name, before) in [("long", 200), ("cut-at-a-space", 254)] {
        let header = format!(
            "attachment; filename=\"{} {}\"",
            "a".repeat(before),
            "ü b".repeat(60)
        );
        seeds.push((name.into(), header.into_bytes()));
    }
    seeds
}

pub(crate) fn filters() -> Vec<Seed> {
    let mut seeds = numbered([
        "state==active",
        "state==active;channelId==25",
        "name==Ann,(routingOption.id==11)",
        "((a==1;b!=2),c=gt=3)",
        "updated=lt=-P1D;title==foo*",
        "createdAt=ge=2024-01-01T00:00:00.000+01:00",
        "a%20b==Ann of Cleves",
        "name==Łódź;updated",
        "a===b",
        "a==",
        "a>1",
        "(a==1",
        "a==1)",
        "()",
    ]);
    let deep = format!("{}a==1{}", "(".repeat(32), ")".repeat(32));
    seeds.push(("deep".into(), deep.into_bytes()));
    seeds
}
