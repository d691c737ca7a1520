//! What arrives, and what it shares with what was sent.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use chapter_tests::TemporaryDirectory;
use fd_passing::{MAX_DESCRIPTORS, receive, send};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

#[test]
fn both_descriptors_share_one_offset_under_different_numbers() {
    let directory = TemporaryDirectory::new();
    std::fs::write(directory.join("file"), b"0123456789").unwrap();
    let mut sent = File::open(directory.join("file")).unwrap();
    let (ours, theirs) = pair();
    send(&ours, &[sent.as_fd()], b"file").unwrap();

    let mut payload = [0; 16];
    let received = receive(&theirs, &mut payload).unwrap();
    assert_eq!(&payload[..received.bytes], b"file");
    let [descriptor] = <[_; 1]>::try_from(received.descriptors).unwrap();
    assert_ne!(descriptor.as_raw_fd(), sent.as_raw_fd());
    let mut same = File::from(descriptor);
    same.read_exact(&mut [0; 5]).unwrap();
    assert_eq!(sent.stream_position().unwrap(), 5);
}

#[test]
fn what_arrives_is_closed_on_exec_even_if_the_original_is_not() {
    let (ours, theirs) = pair();
    let (original, _other) = pair();
    fcntl_setfd(&original, FdFlags::empty()).unwrap();
    send(&ours, &[original.as_fd()], b"x").unwrap();
    let received = receive(&theirs, &mut [0]).unwrap();
    let flags = fcntl_getfd(&received.descriptors[0]).unwrap();
    assert_eq!(flags, FdFlags::CLOEXEC);
}

#[test]
fn a_message_keeps_its_files_open_by_itself() {
    let (ours, theirs) = pair();
    let (reader, mut writer) = std::io::pipe().unwrap();
    send(&ours, &[reader.as_fd()], b"x").unwrap();
    drop(reader);
    // Without a reader this would be EPIPE.
    writer.write_all(b"on its way").unwrap();
    drop(writer);
    let received = receive(&theirs, &mut [0]).unwrap();
    let mut text = String::new();
    let [descriptor] = <[_; 1]>::try_from(received.descriptors).unwrap();
    File::from(descriptor).read_to_string(&mut text).unwrap();
    assert_eq!(text, "on its way");
}

#[test]
fn as_many_as_a_message_can_carry_arrive_in_order() {
    let (ours, theirs) = pair();
    let directory = TemporaryDirectory::new();
    let files: Vec<File> = (0..MAX_DESCRIPTORS)
        .map(|number| File::create(directory.join(number.to_string())).unwrap())
        .collect();
    let descriptors: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    send(&ours, &descriptors, b"x").unwrap();
    let received = receive(&theirs, &mut [0; 8]).unwrap();
    assert_eq!(received.descriptors.len(), MAX_DESCRIPTORS);
    for (number, descriptor) in received.descriptors.iter().enumerate() {
        let link = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        let name = std::fs::read_link(link).unwrap();
        assert_eq!(name, directory.join(number.to_string()));
    }
}

#[test]
fn descriptors_come_no_later_than_their_first_byte_and_never_mixed() {
    let (ours, theirs) = pair();
    let (a, b) = pair();
    send(&ours, &[], b"plain ").unwrap();
    send(&ours, &[a.as_fd()], b"one ").unwrap();
    send(&ours, &[a.as_fd(), b.as_fd()], b"two ").unwrap();
    send(&ours, &[], b"plain").unwrap();
    drop(ours);
    let (mut text, mut seen) = (Vec::new(), Vec::new());
    loop {
        let mut buffer = [0; 64];
        let received = receive(&theirs, &mut buffer).unwrap();
        if received.bytes == 0 {
            break;
        }
        if !received.descriptors.is_empty() {
            seen.push((text.len(), received.descriptors.len()));
        }
        text.extend_from_slice(&buffer[..received.bytes]);
    }
    assert_eq!(text, b"plain one two plain");
    // A call may begin with plain bytes before the message; it ends behind it.
    let counts: Vec<usize> = seen.iter().map(|&(_, count)| count).collect();
    assert_eq!(counts, [1, 2]);
    assert!(seen[0].0 <= "plain ".len() && seen[1].0 <= "plain one ".len());
}

#[test]
fn a_plain_read_drops_the_descriptor_and_leaks_nothing() {
    let (ours, mut theirs) = pair();
    let (mut reader, writer) = std::io::pipe().unwrap();
    send(&ours, &[writer.as_fd()], b"x").unwrap();
    drop(writer);
    theirs.read_exact(&mut [0]).unwrap();
    // The writing end is closed everywhere: the kernel has dropped what read(2)
    // has no place for.
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}
