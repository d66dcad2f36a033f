use proptest::prelude::*;

use super::*;

#[test]
fn numbers_are_whole_and_unsigned() {
    assert_eq!(number(b"0\n"), Some(0));
    assert_eq!(number(b"18446744073709551615\n"), Some(u64::MAX));
    for text in [&b""[..], b"\n", b"-1\n", b"+1", b"1 2\n", b"max\n", b"18446744073709551616\n"] {
        assert_eq!(number(text), None, "{}", text.escape_ascii());
    }
}

#[test]
fn no_limit_differs_from_no_reading() {
    assert_eq!(limit(b"max\n"), Some(Limit::Max));
    assert_eq!(limit(b"42\n"), Some(Limit::Value(42)));
    assert_eq!(limit(b"\n"), None);
}

#[test]
fn v1_says_unlimited_with_its_largest_page_count() {
    assert_eq!(v1_memory_limit(b"9223372036854771712\n"), Some(Limit::Max), "4 KiB pages");
    assert_eq!(v1_memory_limit(b"9223372036854710272\n"), Some(Limit::Max), "64 KiB pages");
    assert_eq!(v1_memory_limit(b"67108864\n"), Some(Limit::Value(67_108_864)));
    assert_eq!(v1_quota(b"-1\n"), Some(Limit::Max));
    assert_eq!(v1_quota(b"50000\n"), Some(Limit::Value(50_000)));
    assert_eq!(v1_quota(b"\n"), None);
}

#[test]
fn cpu_max_has_quota_and_period() {
    assert_eq!(cpu_max(b"max 100000\n"), Some((Limit::Max, 100_000)));
    assert_eq!(cpu_max(b"20000 100000\n"), Some((Limit::Value(20_000), 100_000)));
    assert_eq!(cpu_max(b"max\n"), None);
}

#[test]
fn flat_keyed_lines_survive_what_they_do_not_know() {
    let text = b"anon 4096\nnew_key 1 2\n\nno_value\nfile 8192";
    let pairs: Vec<_> = flat_keyed(text).collect();
    assert_eq!(pairs, [(&b"anon"[..], 4096), (&b"file"[..], 8192)]);
}

#[test]
fn pressure_of_old_kernels_lacks_full() {
    let some = PressureAverages { avg10: 1.25, avg60: 0.5, avg300: 0.0, total_us: 123 };
    let text = b"some avg10=1.25 avg60=0.50 avg300=0.00 total=123\n";
    assert_eq!(pressure(text), Some(Pressure { some: Some(some), full: None }));

    let text = b"some avg10=1.25 avg60=0.50 avg300=0.00 total=123\n\
                 full avg10=100.00 avg60=0.00 avg300=0.00 total=7\n";
    let full = PressureAverages { avg10: 100.0, total_us: 7, ..PressureAverages::default() };
    assert_eq!(pressure(text), Some(Pressure { some: Some(some), full: Some(full) }));
}

#[test]
fn incomplete_pressure_is_not_measured() {
    assert_eq!(pressure(b""), None);
    assert_eq!(pressure(b"some avg10=0.00 avg60=0.00 avg300=0.00\n"), None);
    assert_eq!(pressure(b"some avg10=nan avg60=0.00 avg300=0.00 total=1\n"), None);
}

#[test]
fn first_pid_skips_processes_of_other_namespaces() {
    assert_eq!(first_pid(b"17\n20\n"), Some(17));
    assert_eq!(first_pid(b""), None);
    assert_eq!(first_pid(b"0\n"), None);
}

#[test]
fn escapes_in_mount_points_are_octal() {
    assert_eq!(unescape(r"/a\040b\134c"), r"/a b\c");
    assert_eq!(unescape(r"/a\9\0"), r"/a\9\0");
}

#[test]
fn a_named_hierarchy_is_no_controller() {
    let membership = "12:name=systemd:/x\n3:net_cls,net_prio:/\n0::/user.slice:odd\n";
    assert_eq!(v1_hierarchies(membership), [(3, vec!["net_cls".to_owned(), "net_prio".to_owned()])]);
}

proptest! {
    #[test]
    fn bytes_never_panic(text: Vec<u8>) {
        let _ = (number(&text), limit(&text), v1_memory_limit(&text), v1_quota(&text), cpu_max(&text));
        let _ = (pressure(&text), first_pid(&text), cpu_list(&text));
        flat_keyed(&text).for_each(drop);
    }

    #[test]
    fn tables_never_panic(text in r"[ -~\n\\]{0,200}") {
        let _ = (cgroup_mounts(&text), v1_hierarchies(&text), disabled_controllers(&text), unescape(&text));
    }

    #[test]
    fn numbers_round_trip(value: u64) {
        prop_assert_eq!(number(format!("{value}\n").as_bytes()), Some(value));
    }

    #[test]
    fn paths_without_backslash_are_unescaped_to_themselves(path in r"[^\\]{0,60}") {
        prop_assert_eq!(unescape(&path), path);
    }
}

#[test]
fn io_stat_has_a_line_for_each_device_that_did_anything() {
    // From 6.18, with a device that was only looked at and the keys of a controller that adds its own.
    let text = b"254:0 rbytes=4198400 wbytes=8192 rios=129 wios=2 dbytes=0 dios=0\n\
        7:0 \n\
        8:16 rbytes=0 wbytes=0 rios=0 wios=0 dbytes=4096 dios=1 cost.usage=12\n";
    let first = IoDevice {
        major: 254,
        read_bytes: 4_198_400,
        write_bytes: 8192,
        reads: 129,
        writes: 2,
        ..IoDevice::default()
    };
    let second = IoDevice { major: 8, minor: 16, discard_bytes: 4096, discards: 1, ..IoDevice::default() };
    assert_eq!(io_stat(text), [first, second]);
    assert_eq!(io_stat(b""), []);
    assert_eq!(io_stat(b"8:0 rbytes=x wbytes=1"), []);
}

#[test]
fn v1_io_is_one_line_for_each_device_and_operation() {
    // From 5.10.
    let text = b"259:0 Read 4224000\n259:0 Write 4194304\n259:0 Sync 8418304\n259:0 Async 0\n\
        259:0 Discard 0\n259:0 Total 8418304\nTotal 8418304\n";
    let lines: Vec<_> = v1_io(text).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[1], ((259, 0), &b"Write"[..], 4_194_304));
    // A recent kernel without a limit on any device.
    assert_eq!(v1_io(b"Total 0\n").count(), 0);
}

#[test]
fn memory_by_node_is_in_bytes_on_v2_and_in_pages_on_v1() {
    // By hand, after mm/memcontrol.c, `memory_numa_stat_show`.
    let v2 = b"anon N0=811008 N1=573440\nfile N0=3440640 N1=0\nkernel_stack N0=81920 N1=65536\npagetables N0=0 N1=0\n\
               unevictable N0=0 N1=0\n";
    let node = |node, anon, file| NumaNode {
        node,
        anon_bytes: Some(anon),
        file_bytes: Some(file),
        unevictable_bytes: Some(0),
    };
    assert_eq!(numa_stat(v2), Some(vec![node(0, 811_008, 3_440_640), node(1, 573_440, 0)]));
    let v1 = b"total=12 N0=7 N1=5\nfile=0 N0=0 N1=0\nanon=12 N0=7 N1=5\nunevictable=0 N0=0 N1=0\n\
               hierarchical_total=299 N0=290 N1=9\nhierarchical_file=259 N0=259 N1=0\n\
               hierarchical_anon=40 N0=31 N1=9\nhierarchical_unevictable=0 N0=0 N1=0\n";
    let expected = vec![node(0, 31 * 4096, 259 * 4096), node(1, 9 * 4096, 0)];
    assert_eq!(v1_numa_stat(v1, 4096), Some(expected));
    assert_eq!((numa_stat(b""), numa_stat(b"slab N0=1\n"), numa_stat(b"anon Nx=1 N1\n")), (None, None, None));
}
