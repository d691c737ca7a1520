//! In which order the addresses of a name are tried.
//!
//! Shows: the kinds of address take turns, so that where one of two networks is broken the second
//! attempt is in the other one (RFC 8305, section 4).
//! Leaves out: sorting by reachability. `getaddrinfo(3)` has done that (RFC 6724).

use std::collections::VecDeque;
use std::net::SocketAddr;

/// Puts addresses in the order in which to try them, each with this port and only once.
#[must_use]
pub fn race_order(addresses: &[SocketAddr], port: u16) -> VecDeque<SocketAddr> {
    let mut kinds = [VecDeque::new(), VecDeque::new()];
    for &address in addresses {
        let mut address = address;
        address.set_port(port);
        // The kind that the system prefers begins.
        let kind = usize::from(address.is_ipv4() != addresses[0].is_ipv4());
        if !kinds[kind].contains(&address) {
            kinds[kind].push_back(address);
        }
    }
    let [mut first, mut second] = kinds;
    let mut order = VecDeque::with_capacity(first.len() + second.len());
    while !first.is_empty() || !second.is_empty() {
        order.extend(first.pop_front());
        order.extend(second.pop_front());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(ips: &[&str]) -> Vec<String> {
        let addresses: Vec<SocketAddr> = ips
            .iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0))
            .collect();
        let order = race_order(&addresses, 80);
        order.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn the_kinds_take_turns_and_the_preferred_one_begins() {
        assert_eq!(
            order(&["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"]),
            [
                "[::1]:80",
                "10.0.0.1:80",
                "[::2]:80",
                "10.0.0.2:80",
                "[::3]:80"
            ]
        );
        assert_eq!(
            order(&["10.0.0.1", "10.0.0.2", "::1"]),
            ["10.0.0.1:80", "[::1]:80", "10.0.0.2:80"]
        );
    }

    #[test]
    fn an_address_that_is_given_twice_is_tried_once() {
        assert_eq!(
            order(&["127.0.0.1", "127.0.0.1", "::1", "127.0.0.1"]),
            ["127.0.0.1:80", "[::1]:80"]
        );
        assert!(order(&[]).is_empty());
    }
}
