//! Lets in so many and no more, in all and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many may be in at once; 0: any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// From one address; of IPv6, from one network of 64 bits.
    pub per_address: usize,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// That of all.
    Total,
    /// That of an address.
    Address,
}

/// What an address is counted as. Whoever has an IPv6 address has as a rule all those of its network, which is 64 bits wide.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & NETWORK).into(),
        v4 => v4,
    }
}

/// Lets in so many and no more.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Whoever was let in; out again when this is dropped.
#[derive(Debug)]
pub struct Admitted {
    gate: Arc<Gate>,
    address: Option<IpAddr>,
}

impl Gate {
    /// A gate with nobody inside.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            inside: Mutex::default(),
        })
    }

    /// Lets somebody in. One whose address is not known counts only among all.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admitted, Refused> {
        let Limits { total, per_address } = self.limits;
        let mut inside = self.inside();
        if total > 0 && inside.total >= total {
            return Err(Refused::Total);
        }
        // Where addresses do not matter, none is kept.
        let address = address.filter(|_| per_address > 0).map(counted);
        if let Some(address) = address {
            let count = inside.by_address.entry(address).or_default();
            if *count >= per_address {
                return Err(Refused::Address);
            }
            *count += 1;
        }
        inside.total += 1;
        Ok(Admitted {
            gate: Arc::clone(self),
            address,
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing that holds the lock leaves the counts half changed.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut inside = self.gate.inside();
        inside.total -= 1;
        if let Some(address) = self.address
            && let Some(count) = inside.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(Ipv4Addr::new(10, 0, 0, last).into())
    }

    #[test]
    fn so_many_are_let_in_and_others_once_they_left() {
        let gate = Gate::new(Limits {
            total: 3,
            per_address: 2,
        });
        let first = gate.admit(address(1));
        let _second = gate.admit(address(1)).unwrap();
        assert_eq!(gate.admit(address(1)).unwrap_err(), Refused::Address);
        let mapped = Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped();
        assert_eq!(gate.admit(Some(mapped.into())).unwrap_err(), Refused::Address);
        let _third = gate.admit(address(2)).unwrap();
        assert_eq!(gate.admit(address(3)).unwrap_err(), Refused::Total);
        drop(first);
        let again = gate.admit(address(1)).unwrap();
        assert_eq!(gate.admit(None).unwrap_err(), Refused::Total);
        drop(again);
        assert!(gate.admit(None).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let gate = Gate::new(Limits {
            total: 0,
            per_address: 1,
        });
        let v6 = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let _first = gate.admit(v6("2001:db8:1:2::1")).unwrap();
        assert_eq!(
            gate.admit(v6("2001:db8:1:2:ffff::2")).unwrap_err(),
            Refused::Address
        );
        assert!(gate.admit(v6("2001:db8:1:3::1")).is_ok(), "another network");
    }

    #[test]
    fn addresses_of_those_who_left_are_forgotten() {
        let gate = Gate::new(Limits {
            total: 0,
            per_address: 1,
        });
        for last in 0..=255 {
            assert!(gate.admit(address(last)).is_ok());
        }
        assert!(gate.inside().by_address.is_empty());
    }
}
