//! The claims, one file each.

pub(crate) mod aborted_client;
pub(crate) mod async_sockets;
pub(crate) mod backlog;
pub(crate) mod blocking_write;
pub(crate) mod busy_loops;
pub(crate) mod close_and_epoll;
pub(crate) mod close_wakes;
pub(crate) mod connect_result;
pub(crate) mod connect_timeout;
pub(crate) mod cost_by_number;
pub(crate) mod cost_per_client;
pub(crate) mod create_size;
pub(crate) mod descriptor_flags;
pub(crate) mod edge_calls;
pub(crate) mod edge_events;
pub(crate) mod edge_listener;
pub(crate) mod fd_set_size;
pub(crate) mod fin_segments;
pub(crate) mod hang_up;
pub(crate) mod inherited_flags;
pub(crate) mod interrupted_sleep;
pub(crate) mod mmap;
pub(crate) mod one_buffer;
pub(crate) mod passed_descriptor;
pub(crate) mod reentrant;
pub(crate) mod regular_file;
pub(crate) mod reuse_address;
pub(crate) mod segment_order;
pub(crate) mod thundering_herd;
pub(crate) mod urgent_byte;
pub(crate) mod writable_mark;
pub(crate) mod write_after_close;
pub(crate) mod zombies;

use crate::claim::Claim;

/// All claims, by number.
pub const ALL: [&Claim; 33] = [
    &mmap::CLAIM,
    &fd_set_size::CLAIM,
    &create_size::CLAIM,
    &connect_timeout::CLAIM,
    &connect_result::CLAIM,
    &write_after_close::CLAIM,
    &hang_up::CLAIM,
    &aborted_client::CLAIM,
    &backlog::CLAIM,
    &thundering_herd::CLAIM,
    &edge_calls::CLAIM,
    &edge_events::CLAIM,
    &edge_listener::CLAIM,
    &urgent_byte::CLAIM,
    &close_and_epoll::CLAIM,
    &blocking_write::CLAIM,
    &writable_mark::CLAIM,
    &busy_loops::CLAIM,
    &interrupted_sleep::CLAIM,
    &one_buffer::CLAIM,
    &async_sockets::CLAIM,
    &descriptor_flags::CLAIM,
    &cost_by_number::CLAIM,
    &fin_segments::CLAIM,
    &segment_order::CLAIM,
    &zombies::CLAIM,
    &reentrant::CLAIM,
    &reuse_address::CLAIM,
    &inherited_flags::CLAIM,
    &regular_file::CLAIM,
    &close_wakes::CLAIM,
    &passed_descriptor::CLAIM,
    &cost_per_client::CLAIM,
];

/// The claim with this number or name.
pub(crate) fn find(called: &str) -> Result<&'static Claim, String> {
    let number = called.parse().ok();
    let found = ALL
        .into_iter()
        .find(|claim| claim.name == called || Some(claim.number) == number);
    found.ok_or_else(|| "no such claim; without arguments they are listed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn numbers_rise_and_names_are_those_of_the_files() {
        assert!(ALL.is_sorted_by(|one, next| one.number < next.number));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/experiments");
        for claim in ALL {
            let file = format!("{}.rs", claim.name.replace('-', "_"));
            assert!(folder.join(&file).exists(), "{file}");
            assert!(
                claim.name.len() <= 18,
                "{}: too wide for the list",
                claim.name
            );
        }
    }

    #[test]
    fn a_claim_is_found_by_its_number_and_by_its_name() {
        for claim in ALL {
            assert_eq!(find(claim.name).unwrap().number, claim.number);
            assert_eq!(find(&claim.number.to_string()).unwrap().name, claim.name);
        }
        assert!(find("0").is_err());
        assert!(find("mmap ").is_err());
    }

    #[test]
    fn every_claim_has_all_its_text() {
        for claim in ALL {
            let name = claim.name;
            assert!(!claim.sentences.is_empty(), "{name}: no sentence");
            assert!(
                claim.question.len() <= 54,
                "{name}: a question too long for the list"
            );
            assert!(
                (2..=4).contains(&claim.answers.len()),
                "{name}: two to four answers"
            );
            let answer = claim.lettered().find(|(letter, _)| *letter == claim.answer);
            assert!(answer.is_some(), "{name}: {} is no answer", claim.answer);
            assert!(!claim.code.is_empty(), "{name}: no place in our code");
            assert!(!claim.sources.is_empty(), "{name}: no source");
        }
    }
}
