//! Which system calls the calling thread may not make any more.
//!
//! A list of what is forbidden and not of what is allowed: what a libc, a version of it or the standard library calls for
//! the same work changes, and a daemon that dies of that at night is worse than one that may read a clock. What is forbidden
//! fails with `EPERM`, which is told as any failure is.

use std::{collections::BTreeMap, process};

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

use super::{Also, Files, Rights};

/// What no thread does after the start: become another program, look into or signal other processes, change what is mounted,
/// loaded, set or accounted in the system, become another user, watch all CPUs, or go around this filter.
const NEVER: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_capset,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mknodat,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setdomainname,
    libc::SYS_setfsgid,
    libc::SYS_setfsuid,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_settimeofday,
    libc::SYS_setuid,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_tkill,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[libc::c_long] =
    &[libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_mknod, libc::SYS_modify_ldt, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[libc::c_long] = &[];

/// What changes files, their names and what is kept with them, besides opening them to write.
const CHANGES: &[libc::c_long] = &[
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_ftruncate,
    libc::SYS_linkat,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_mkdirat,
    // Its flags are behind a pointer, where a filter does not see them. Nobody here calls it.
    libc::SYS_openat2,
    libc::SYS_removexattr,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_setxattr,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_utimensat,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
];
// Calls that the crate libc has no names for yet, with the same number on every architecture.
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const OPEN_TREE_ATTR: libc::c_long = 467;
const FILE_SETATTR: libc::c_long = 469;
#[cfg(target_arch = "x86_64")]
const CHANGES_HERE: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_creat,
    libc::SYS_futimesat,
    libc::SYS_lchown,
    libc::SYS_link,
    libc::SYS_mkdir,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_symlink,
    libc::SYS_utime,
    libc::SYS_utimes,
];
#[cfg(not(target_arch = "x86_64"))]
const CHANGES_HERE: &[libc::c_long] = &[];

#[cfg(target_arch = "x86_64")]
const REMOVES: &[libc::c_long] = &[libc::SYS_unlink, libc::SYS_unlinkat];
#[cfg(not(target_arch = "x86_64"))]
const REMOVES: &[libc::c_long] = &[libc::SYS_unlinkat];

/// The calls that open a file, each with the number of its argument that has the flags.
#[cfg(target_arch = "x86_64")]
const OPENS: &[(libc::c_long, u8)] = &[(libc::SYS_open, 1), (libc::SYS_openat, 2)];
#[cfg(not(target_arch = "x86_64"))]
const OPENS: &[(libc::c_long, u8)] = &[(libc::SYS_openat, 2)];

/// Commands of `bpf(2)` that read what is loaded and free entries of it, run a loaded program, or start one that looks at tasks
/// (include/uapi/linux/bpf.h): `MAP_LOOKUP_ELEM` to `MAP_GET_NEXT_KEY`, `PROG_TEST_RUN`, `OBJ_GET_INFO_BY_FD`,
/// `MAP_LOOKUP_AND_DELETE_ELEM`, the batched ones, `LINK_CREATE`, `ITER_CREATE`.
const READS_OF_MAPS: &[u64] = &[1, 2, 3, 4, 10, 15, 21, 24, 25, 26, 27, 28, 33];

/// Kinds of sockets to databases and runtimes, and what names are looked up with.
const FAMILIES: &[libc::c_int] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// The part of a socket's type that has no flags (`SOCK_TYPE_MASK`, include/linux/net.h).
const KIND_OF_SOCKET: u64 = 0xf;

/// Kinds of namespaces, which `clone` makes, too, if it is told so.
const NEW_NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// On x86-64 a number with this bit is a call all the same, for programs with short pointers (`__X32_SYSCALL_BIT`,
/// arch/x86/include/uapi/asm/unistd.h), which a filter has to think of by itself.
const X32: u32 = 0x4000_0000;

/// Why system calls could not be forbidden.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyscallsError {
    /// The filter cannot be made.
    #[error("make a filter of system calls for {}", std::env::consts::ARCH)]
    Make(#[source] BackendError),
    /// The kernel does not take it.
    #[error("hand a filter of system calls to the kernel (CONFIG_SECCOMP_FILTER=y)")]
    HandOver(#[source] seccompiler::Error),
}

/// What is forbidden: calls, each with the conditions under which it is; always where there are none.
type Forbidden = BTreeMap<i64, Vec<SeccompRule>>;

/// Forbids what these rights do not have.
pub(super) fn forbid(rights: &Rights<'_>) -> Result<(), SyscallsError> {
    let program = [&first_words()[..], &program(rights).map_err(SyscallsError::Make)?].concat();
    apply_filter(&program).map_err(SyscallsError::HandOver)
}

/// What cannot be said by [`SeccompFilter`], before all that is. `clone3` has its flags behind a pointer, so it is not there: every
/// libc takes `clone` then, whose flags can be seen.
fn first_words() -> [sock_filter; 5] {
    let one = |code: u32, k: u32, unless: u8| sock_filter {
        code: u16::try_from(code).unwrap_or(u16::MAX),
        jt: 0,
        jf: unless,
        k,
    };
    let refuse = |error: i32| {
        let error = error.cast_unsigned() & libc::SECCOMP_RET_DATA;
        one(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | error, 0)
    };
    let number = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    [
        // The number is what `seccomp_data` begins with.
        one(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        one(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number, 1),
        refuse(libc::ENOSYS),
        one(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, X32, 1),
        refuse(libc::EPERM),
    ]
}

fn program(rights: &Rights<'_>) -> Result<BpfProgram, BackendError> {
    let Rights { capabilities: _, also, files } = rights;
    let mut forbidden: Forbidden = always(NEVER).chain(always(NEVER_HERE)).collect();
    if *also != Also::Quotas {
        forbidden.extend(always(&[libc::SYS_quotactl, libc::SYS_quotactl_fd]));
    }
    let maps = if *also == Also::Maps { vec![all_but(0, READS_OF_MAPS)?] } else { Vec::new() };
    forbidden.insert(libc::SYS_bpf, maps);
    // Ctrl-Z is passed on.
    let signals =
        if *also == Also::Suspension { vec![all_but(1, &[unsigned(libc::SIGTSTP)])?] } else { Vec::new() };
    forbidden.insert(libc::SYS_kill, signals);
    // Whoever aborts sends a signal to himself.
    forbidden.insert(libc::SYS_tgkill, vec![all_but(0, &[process::id().into()])?]);
    let sockets = if *also == Also::Connections { other_families()? } else { all_but_datagrams()? };
    forbidden.insert(libc::SYS_socket, sockets);
    forbidden.insert(libc::SYS_clone, with_any(0, NEW_NAMESPACES)?);
    forbid_files(files, &mut forbidden)?;
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(forbidden, SeccompAction::Allow, refuse, target)?.try_into()
}

fn forbid_files(files: &Files<'_>, forbidden: &mut Forbidden) -> Result<(), BackendError> {
    match files {
        // Which ones is Landlock's to say.
        Files::Below(_) | Files::All => return Ok(()),
        Files::ReadAndRemove => {}
        Files::Nothing | Files::Read => forbidden.extend(always(REMOVES)),
    }
    forbidden.extend(always(CHANGES).chain(always(CHANGES_HERE)));
    for (call, flags) in OPENS {
        let rules = if *files == Files::Nothing { Vec::new() } else { to_write(*flags)? };
        forbidden.insert(*call, rules);
    }
    Ok(())
}

fn always(calls: &[libc::c_long]) -> impl Iterator<Item = (i64, Vec<SeccompRule>)> + '_ {
    calls.iter().map(|call| (*call, Vec::new()))
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

fn unsigned(flag: libc::c_int) -> u64 {
    flag.cast_unsigned().into()
}

/// Whatever has none of these values in an argument.
fn all_but(argument: u8, values: &[u64]) -> Result<SeccompRule, BackendError> {
    let others = values.iter().map(|value| condition(argument, SeccompCmpOp::Ne, *value));
    SeccompRule::new(others.collect::<Result<_, _>>()?)
}

/// Whatever has any of these flags in an argument.
fn with_any(argument: u8, flags: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    let with = |flag: &libc::c_int| {
        let flag = unsigned(*flag);
        SeccompRule::new(vec![condition(argument, SeccompCmpOp::MaskedEq(flag), flag)?])
    };
    flags.iter().map(with).collect()
}

/// Opening with any of the flags that write or make a file.
fn to_write(flags: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let access = unsigned(libc::O_ACCMODE) & !unsigned(libc::O_PATH);
    [
        (access, unsigned(libc::O_WRONLY)),
        (access, unsigned(libc::O_RDWR)),
        (unsigned(libc::O_CREAT), unsigned(libc::O_CREAT)),
        (unsigned(libc::O_TRUNC), unsigned(libc::O_TRUNC)),
    ]
    .into_iter()
    .map(|(mask, value)| SeccompRule::new(vec![condition(flags, SeccompCmpOp::MaskedEq(mask), value)?]))
    .collect()
}

/// Sockets of kinds that nobody here speaks.
fn other_families() -> Result<Vec<SeccompRule>, BackendError> {
    let families: Vec<u64> = FAMILIES.iter().map(|family| unsigned(*family)).collect();
    Ok(vec![all_but(0, &families)?])
}

/// All sockets but those of datagrams on this machine, by which systemd is told how we are.
fn all_but_datagrams() -> Result<Vec<SeccompRule>, BackendError> {
    let elsewhere = all_but(0, &[unsigned(libc::AF_UNIX)])?;
    let kinds = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET, libc::SOCK_RAW].map(|kind| {
        SeccompRule::new(vec![condition(1, SeccompCmpOp::MaskedEq(KIND_OF_SOCKET), unsigned(kind))?])
    });
    std::iter::once(Ok(elsewhere)).chain(kinds).collect()
}
