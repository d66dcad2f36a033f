//! Capabilities of the calling thread.

use rustix::{
    io::Errno,
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    },
};

/// Why capabilities could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum CapabilitiesError {
    /// They cannot be asked for.
    #[error("ask for capabilities")]
    Ask(#[source] Errno),
    /// They cannot be changed.
    #[error("give up capabilities")]
    GiveUp(#[source] Errno),
    /// Programs that are executed could get new ones.
    #[error("set no_new_privs")]
    NoNew(#[source] Errno),
}

/// Gives up all but these, of which none is gained, in every set, and for every program that is executed.
pub(super) fn keep(wanted: CapabilitySet) -> Result<(), CapabilitiesError> {
    let kept = capabilities(None).map_err(CapabilitiesError::Ask)?.permitted & wanted;
    bound(kept);
    // It fails on kernels without such a set alone.
    let _ = clear_ambient_capability_set();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(CapabilitiesError::GiveUp)?;
    set_no_new_privs(true).map_err(CapabilitiesError::NoNew)
}

/// Takes what is not kept out of the bounding set. That takes `CAP_SETPCAP`, without which it stays as it is: after
/// `no_new_privs`, and where nothing may be executed, nothing is gained by it.
fn bound(kept: CapabilitySet) {
    for number in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if !kept.contains(capability) && remove_capability_from_bounding_set(capability).is_err() {
            // Not allowed, or past the last capability that this kernel knows.
            return;
        }
    }
}

/// The first of these sets, from the least to the most, with which something that was tried with all rights goes as it did then;
/// the last one where none does. The thread has all its rights again afterwards.
pub fn least<T: PartialEq>(sets: &[CapabilitySet], mut attempt: impl FnMut() -> T) -> CapabilitySet {
    let most = sets.last().copied().unwrap_or(CapabilitySet::empty());
    let Ok(all) = capabilities(None) else { return most };
    let expected = attempt();
    let goes_with = |set: &&CapabilitySet| {
        // Of what is tried for, only what the thread has.
        let without = all.effective & !(most & !**set);
        let lowered = CapabilitySets { effective: without, ..all };
        set_capabilities(None, lowered).is_ok() && attempt() == expected
    };
    let found = sets.iter().find(goes_with).copied().unwrap_or(most);
    // Effective ones are raised again out of the permitted ones, which never fails.
    let _ = set_capabilities(None, all);
    found
}
