//! From where a request comes, and whether anything is taken from there.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use super::Refusal;

/// The longest way through proxies that is followed.
const HOPS_MAX: usize = 32;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Which header tells a proxy's client. A proxy writes one of them and hands on what its client wrote into the other, so only one
/// can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The sources that are taken from, and the proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// Networks that webhooks may come from; empty: any.
    pub allowed: Vec<IpNet>,
    /// Networks of proxies that tell whose request they hand on.
    pub proxies: Vec<IpNet>,
    /// The header by which they tell.
    pub header: ForwardedHeader,
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

impl Sources {
    /// Whether this is one of the proxies.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        contains(&self.proxies, address)
    }

    /// Whether nothing is taken from this address.
    pub fn is_refused(&self, address: IpAddr) -> bool {
        !self.allowed.is_empty() && !contains(&self.allowed, address)
    }

    /// Whether nothing can come of a connection from this address, whatever its requests say.
    pub fn is_hopeless(&self, peer: IpAddr) -> bool {
        self.is_refused(peer) && !self.is_proxy(peer)
    }

    /// Where a request comes from that came by a connection from `peer`: the last address on its way that is no proxy of ours.
    /// Whatever stands before that was written by somebody whom nobody vouches for.
    ///
    /// Refusals: [`Refusal::MalformedHeader`] where a proxy names something that is no address, and
    /// [`Refusal::AddressNotAllowed`].
    pub fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
        let address = self.resolve(peer.to_canonical(), headers)?;
        if self.is_refused(address) {
            return Err(Refusal::AddressNotAllowed);
        }
        Ok(address)
    }

    fn resolve(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
        if !self.is_proxy(peer) {
            return Ok(peer);
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let mut last = peer;
        let mut hops = 0;
        for value in headers.get_all(name).iter().rev() {
            let value = value.to_str().map_err(|_| Refusal::MalformedHeader)?;
            for element in elements(value).into_iter().rev() {
                hops += 1;
                let address = match self.header {
                    ForwardedHeader::XForwardedFor => address(element),
                    ForwardedHeader::Forwarded => forwarded_for(element).and_then(|node| address(&node)),
                };
                last = address
                    .filter(|_| hops <= HOPS_MAX)
                    .ok_or(Refusal::MalformedHeader)?;
                if !self.is_proxy(last) {
                    return Ok(last);
                }
            }
        }
        Ok(last)
    }
}

/// The elements of a list, which commas separate where they are not within quotes.
fn elements(list: &str) -> Vec<&str> {
    split(list, ',')
}

fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|c: char| {
        let ends = c == at && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    });
    parts.map(str::trim).collect()
}

/// The `for` of an element of `Forwarded`, which must be there once.
fn forwarded_for(element: &str) -> Option<String> {
    let mut found = None;
    for pair in split(element, ';') {
        let (name, value) = pair.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("for") {
            continue;
        }
        let value = value.trim();
        let value = match value.strip_prefix('"') {
            // No address needs an escape.
            Some(quoted) => quoted
                .strip_suffix('"')
                .filter(|inner| !inner.contains(['"', '\\']))?,
            None => value,
        };
        if found.replace(value.to_owned()).is_some() {
            return None;
        }
    }
    found
}

/// An address, as proxies write it: alone, or with a port, which needs brackets around IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let in_brackets = || {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        inner.and_then(|inner| inner.parse().ok().map(IpAddr::V6))
    };
    let address = plain.or_else(|_| with_port()).ok().or_else(in_brackets)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sources(allowed: &[&str], header: ForwardedHeader) -> Sources {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Sources {
            allowed: networks(allowed),
            proxies: networks(&["10.0.0.0/8", "2001:db8:1::/48"]),
            header,
        }
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    const ALLOWED: [&str; 2] = ["192.0.2.0/24", "2001:db8:8::/48"];

    #[rstest]
    // A peer that is no proxy is where the request comes from, whatever it says.
    #[case("192.0.2.1", &[], Ok("192.0.2.1"))]
    #[case("::ffff:192.0.2.1", &[], Ok("192.0.2.1"))]
    #[case("203.0.113.9", &["192.0.2.1"], Err(Refusal::AddressNotAllowed))]
    // What a proxy says is believed, from its end on.
    #[case("10.0.0.1", &["192.0.2.1"], Ok("192.0.2.1"))]
    #[case("10.0.0.1", &["192.0.2.1, 203.0.113.9"], Err(Refusal::AddressNotAllowed))]
    #[case("10.0.0.1", &["rubbish, 192.0.2.1, 10.2.3.4"], Ok("192.0.2.1"))]
    #[case("10.0.0.1", &["192.0.2.1", "203.0.113.9"], Err(Refusal::AddressNotAllowed))]
    #[case("10.0.0.1", &["203.0.113.9", "192.0.2.1:4711"], Ok("192.0.2.1"))]
    #[case("2001:db8:1::7", &["[2001:db8:8::1]:443"], Ok("2001:db8:8::1"))]
    #[case("10.0.0.1", &["2001:db8:8::1"], Ok("2001:db8:8::1"))]
    // A proxy that says nothing is a source like another.
    #[case("10.0.0.1", &[], Err(Refusal::AddressNotAllowed))]
    #[case("10.0.0.1", &["10.0.0.2"], Err(Refusal::AddressNotAllowed))]
    #[case("10.0.0.1", &["192.0.2.1, rubbish"], Err(Refusal::MalformedHeader))]
    #[case("10.0.0.1", &["192.0.2.1,"], Err(Refusal::MalformedHeader))]
    #[case("10.0.0.1", &["unknown"], Err(Refusal::MalformedHeader))]
    fn the_last_address_that_is_no_proxy_counts(
        #[case] peer: &str,
        #[case] forwarded: &[&str],
        #[case] expected: Result<&str, Refusal>,
    ) {
        let sources = sources(&ALLOWED, ForwardedHeader::XForwardedFor);
        let mut headers = headers("x-forwarded-for", forwarded);
        // The other header is anybody's.
        headers.insert("forwarded", "for=192.0.2.1".parse().unwrap());
        let admitted = sources.admit(peer.parse().unwrap(), &headers);
        assert_eq!(admitted, expected.map(|text| text.parse().unwrap()));
    }

    #[rstest]
    #[case("for=192.0.2.1", Some("192.0.2.1"))]
    #[case("For=\"192.0.2.1:80\";proto=https;by=10.0.0.9", Some("192.0.2.1"))]
    #[case("for=203.0.113.9, for=192.0.2.1;by=\"a,b\", for=10.0.0.3", Some("192.0.2.1"))]
    #[case("for=\"[2001:db8:8::1]:4711\"", Some("2001:db8:8::1"))]
    #[case("for=\"[2001:db8:8::1]\"", Some("2001:db8:8::1"))]
    #[case("for=192.0.2.1;for=192.0.2.2", None)]
    #[case("for=unknown", None)]
    #[case("for=_hidden", None)]
    #[case("proto=https", None)]
    #[case("for=\"192.0.2.1", None)]
    #[case("for=\"192.0.2.\\1\"", None)]
    fn forwarded_is_read_as_rfc_7239_says(#[case] value: &str, #[case] expected: Option<&str>) {
        let sources = sources(&[], ForwardedHeader::Forwarded);
        let mut headers = headers("forwarded", &[value]);
        headers.insert("x-forwarded-for", "203.0.113.1".parse().unwrap());
        let admitted = sources.admit("10.0.0.1".parse().unwrap(), &headers);
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(admitted, expected.ok_or(Refusal::MalformedHeader));
    }

    #[test]
    fn a_way_of_any_length_costs_a_bounded_time() {
        let sources = sources(&[], ForwardedHeader::XForwardedFor);
        let way = vec!["10.0.0.2"; 33].join(",");
        let headers = headers("x-forwarded-for", &[&way]);
        let admitted = sources.admit("10.0.0.1".parse().unwrap(), &headers);
        assert_eq!(admitted, Err(Refusal::MalformedHeader));
    }

    #[test]
    fn only_a_proxy_or_an_allowed_address_is_worth_a_handshake() {
        let sources = sources(&ALLOWED, ForwardedHeader::XForwardedFor);
        let hopeless = |text: &str| sources.is_hopeless(text.parse().unwrap());
        assert!(hopeless("203.0.113.9") && !hopeless("10.0.0.1") && !hopeless("192.0.2.7"));
        assert!(!Sources::default().is_hopeless("203.0.113.9".parse().unwrap()));
    }
}
