//! What was seen of a simulation, and what of it must not have happened.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use chatbridge::store::subscription::{SlotAnswer, SlotOp};

use super::{door::Witness, simulation::LEASE_MS};

/// A share, and a generation of its owners.
pub(super) type Tenure = (u16, u64);

/// Number, conversation, sequence and member.
pub(super) type Delivered = (u64, String, u64, u64);

/// The clocks of a member and of the store are not the same.
const SLACK_MS: u64 = 100;

/// What was seen.
#[derive(Default)]
pub(super) struct Ledger {
    /// By tenure: deliveries in their order.
    pub(super) delivered: BTreeMap<Tenure, Vec<Delivered>>,
    /// By tenure: the number up to which somebody set out to commit. Who is cut off then does not hear that it was done.
    pub(super) tried: BTreeMap<Tenure, u64>,
    /// By tenure: the number up to which was committed.
    pub(super) committed: BTreeMap<Tenure, u64>,
    /// Of each conversation: how many events it has.
    pub(super) appended: HashMap<String, u64>,
    /// By share: the last owner, its generation, and until when its lease lasts at the least, Unix ms.
    leases: HashMap<u16, (String, u64, u64)>,
    /// By tenure: until when its lease lasts at the most, Unix ms.
    ends: HashMap<Tenure, u64>,
    /// What must not happen.
    pub(super) wrong: Vec<String>,
    pub(super) doubled: usize,
}

impl Witness for Mutex<Ledger> {
    /// Notes what is about to be given back: whoever takes it next may hear of that earlier.
    fn asks(&self, member: &str, (share, op): &(u16, SlotOp)) {
        let mut ledger = self.lock().unwrap();
        let Some((owner, known, _)) = ledger.leases.get(share) else {
            return;
        };
        let gives_back = match op {
            SlotOp::Release { generation } => known == generation,
            SlotOp::Leave => owner == member,
            _ => false,
        };
        if gives_back {
            let known = *known;
            ledger.leases.insert(*share, (String::new(), known, 0));
        }
    }

    /// Notes what became of wishes that were made at `before` or later and answered at `after`.
    fn answered(&self, member: &str, op: &(u16, SlotOp), answer: &SlotAnswer, before: u64, after: u64) {
        let mut ledger = self.lock().unwrap();
        let (share, op) = op;
        let known = ledger.leases.get(share).cloned();
        match (op, answer) {
            (SlotOp::Take, SlotAnswer::Taken { generation, .. }) => {
                if let Some((owner, known, until)) = known
                    && *generation > known
                {
                    // At the time of the taking, which is no later than `after`, the former lease must have been over.
                    if !owner.is_empty() && owner != member && after < until {
                        ledger
                            .wrong
                            .push(format!("share {share} was taken {} ms too early", until - after));
                    }
                    if owner == member && *generation == known {
                        ledger.wrong.push(format!("share {share} has no new generation"));
                    }
                }
                ledger.ends.insert((*share, *generation), after + LEASE_MS);
                ledger
                    .leases
                    .insert(*share, (member.to_owned(), *generation, before + LEASE_MS));
            }
            (SlotOp::Hold { generation }, SlotAnswer::Done(_)) => {
                let until = before + LEASE_MS;
                ledger.ends.insert((*share, *generation), after + LEASE_MS);
                match known {
                    Some((_, known, _)) if known > *generation => {}
                    _ => {
                        ledger
                            .leases
                            .insert(*share, (member.to_owned(), *generation, until));
                    }
                }
            }
            _ => {}
        }
    }
}

impl Ledger {
    /// Notes a delivery that came at this time by the store's clock, or later.
    pub(super) fn deliver(&mut self, tenure: Tenure, delivery: Delivered, now_ms: u64) {
        match self.ends.get(&tenure) {
            Some(ends) if now_ms > ends + SLACK_MS => {
                let late = now_ms - ends;
                self.wrong
                    .push(format!("{tenure:?} delivers {late} ms after its lease"));
            }
            Some(_) => {}
            None => self.wrong.push(format!("{tenure:?} was never taken")),
        }
        self.delivered.entry(tenure).or_default().push(delivery);
    }

    /// Events that nobody has set out to commit yet, by conversation.
    pub(super) fn open(&self) -> HashMap<String, u64> {
        let mut done: HashMap<&str, u64> = HashMap::new();
        for (tenure, delivered) in &self.delivered {
            let upto = self.tried.get(tenure).copied().unwrap_or(0);
            for (_, conversation, sequence, _) in delivered.iter().filter(|(seq, ..)| *seq <= upto) {
                let last = done.entry(conversation).or_default();
                *last = (*last).max(*sequence);
            }
        }
        let open = self.appended.iter().filter_map(|(conversation, count)| {
            let left = count - done.get(conversation.as_str()).copied().unwrap_or(0).min(*count);
            (left > 0).then(|| (conversation.clone(), left))
        });
        open.collect()
    }

    /// Finds what must not have happened.
    pub(super) fn judge(&mut self) {
        // What was committed for certain, and what may have been.
        let mut done: HashMap<String, (u64, u64)> = HashMap::new();
        let mut furthest: HashMap<String, u64> = HashMap::new();
        // Generations of a share are numbered in the order of its owners.
        for (tenure, delivered) in &self.delivered {
            let upto = self.committed.get(tenure).copied().unwrap_or(0);
            let mut last: HashMap<&str, u64> = HashMap::new();
            let owner = delivered.first().map(|(.., member)| *member);
            for (_, conversation, sequence, member) in delivered {
                if Some(*member) != owner {
                    self.wrong.push(format!("{tenure:?} went to two members"));
                }
                let (committed, tried) = done.get(conversation).copied().unwrap_or_default();
                let expected = match last.get(conversation.as_str()) {
                    Some(last) => last + 1..=last + 1,
                    None => committed + 1..=tried.max(committed) + 1,
                };
                if !expected.contains(sequence) {
                    self.wrong.push(format!(
                        "{tenure:?} {conversation}: {sequence} came, not {expected:?}"
                    ));
                }
                last.insert(conversation, *sequence);
                let far = furthest.entry(conversation.clone()).or_default();
                self.doubled += usize::from(*sequence <= *far);
                *far = (*far).max(*sequence);
            }
            let tried = self.tried.get(tenure).copied().unwrap_or(0);
            for (seq, conversation, sequence, _) in delivered.iter().filter(|(seq, ..)| *seq <= tried) {
                let of = done.entry(conversation.clone()).or_default();
                of.1 = *sequence;
                if *seq <= upto {
                    of.0 = *sequence;
                }
            }
        }
    }
}
