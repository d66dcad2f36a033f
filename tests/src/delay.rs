//! A way through the network that takes a known time, since netem is not in every kernel.
#![expect(unsafe_code, reason = "a tunnel device has no other call than ioctl(2)")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::fd::AsFd as _,
    os::unix::fs::OpenOptionsExt as _,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    ioctl::{Setter, ioctl, opcode},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

/// A tunnel device in a network namespace that sends each packet back after a while, with source and destination exchanged: who
/// connects to any other address of its network comes to the same port of its own. It goes on drop, or with the namespace.
#[derive(Debug)]
pub struct DelayLine {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// `struct ifreq` with a name and flags.
#[repr(C)]
struct Request {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// `TUNSETIFF` (`include/uapi/linux/if_tun.h`), whose type is written there as `int`.
const SET_INTERFACE: rustix::ioctl::Opcode = opcode::write::<libc::c_int>(b'T', 202);
const NAME: &str = "delay";

type Packet = (Instant, Vec<u8>);

impl DelayLine {
    /// In the network namespace of a process, under an address such as `10.99.0.1/24`; `delay` is one way.
    #[must_use]
    pub fn start(pid: u32, address: &str, delay: Duration) -> Self {
        let device = thread::spawn(move || open_tunnel(pid)).join().expect("open a tunnel");
        let device =
            device.unwrap_or_else(|error| panic!("open a tunnel in the namespace of {pid}: {error}"));
        ip(pid, &["address", "add", address, "dev", NAME]);
        ip(pid, &["link", "set", NAME, "up"]);
        let is_over = Arc::new(AtomicBool::new(false));
        let (sender, packets) = mpsc::channel();
        let (input, end) = (device.try_clone().expect("share a tunnel"), Arc::clone(&is_over));
        let threads = vec![
            thread::spawn(move || take_packets(input, &end, &sender)),
            thread::spawn(move || return_packets(device, &packets, delay)),
        ];
        Self { is_over, threads }
    }
}

impl Drop for DelayLine {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "a delay line panicked");
        }
    }
}

fn ip(pid: u32, args: &[&str]) {
    let namespace = format!("--net=/proc/{pid}/ns/net");
    let status = Command::new("nsenter").args([&namespace, "ip"]).args(args).status();
    assert!(status.expect("run nsenter").success(), "ip {args:?}");
}

/// On a thread of its own, which ends in the other namespace.
fn open_tunnel(pid: u32) -> io::Result<File> {
    /// `IFF_TUN` and `IFF_NO_PI`.
    const FLAGS: u16 = 0x0001 | 0x1000;
    let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    let device =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    let mut request = Request { name: [0; 16], flags: FLAGS, rest: [0; 22] };
    request.name[..NAME.len()].copy_from_slice(NAME.as_bytes());
    // SAFETY: the kernel reads a `struct ifreq`, which `Request` is as long as.
    unsafe { ioctl(&device, Setter::<SET_INTERFACE, Request>::new(request))? };
    Ok(device)
}

fn take_packets(mut device: File, is_over: &AtomicBool, packets: &Sender<Packet>) {
    /// Short beside any delay.
    const PAUSE: Duration = Duration::from_micros(300);
    let mut buffer = vec![0; 1 << 16];
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
        // In vain where there is none, or where the namespace is gone.
        while let Ok(length) = device.read(&mut buffer) {
            let mut packet = buffer[..length].to_vec();
            exchange_ends(&mut packet);
            if packets.send((Instant::now(), packet)).is_err() {
                return;
            }
        }
    }
}

fn return_packets(mut device: File, packets: &Receiver<Packet>, delay: Duration) {
    for (taken, packet) in packets {
        thread::sleep(delay.saturating_sub(taken.elapsed()));
        // In vain where the namespace is gone.
        let _ = device.write(&packet);
    }
}

/// Of IPv4; the checksums stay right, since they are sums. Other packets are sent back as they are, for nobody.
fn exchange_ends(packet: &mut [u8]) {
    const SOURCE: std::ops::Range<usize> = 12..16;
    const DESTINATION: usize = 16;
    if packet.len() >= 20 && packet[0] >> 4 == 4 {
        for place in SOURCE {
            packet.swap(place, place - SOURCE.start + DESTINATION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exchanged() {
        let mut packet: Vec<u8> = (0..24).collect();
        packet[0] = 0x45;
        exchange_ends(&mut packet);
        assert_eq!(packet[10..22], [10, 11, 16, 17, 18, 19, 12, 13, 14, 15, 20, 21]);
    }
}
