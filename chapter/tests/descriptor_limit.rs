//! The descriptor limit, in a process of its own: it is one for the whole process.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard / 2, hard).unwrap();

    assert_eq!(chapter::descriptor_limit().unwrap(), hard / 2);
    assert_eq!(chapter::raise_descriptor_limit().unwrap(), hard);
    assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (hard, hard));

    assert_eq!(
        chapter::raise_descriptor_limit().unwrap(),
        hard,
        "a second call changes nothing"
    );
}
