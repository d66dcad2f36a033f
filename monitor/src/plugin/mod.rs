//! What other monitoring systems start: `monitor check` for Nagios, Icinga and their kin, `monitor zabbix` for Zabbix' agent.
//!
//! Each call is a process that asks a running `monitor serve` for what it needs, and ends. [`figure`] finds a metric of the
//! catalogue by its name, [`target`] says of what and who is asked through the [`client`], [`check`] judges it by [`range`]s.

pub mod check;
pub mod client;
pub mod figure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod range;
pub mod target;
pub mod zabbix;

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use self::target::{Asked, Found, Target, TargetError, ask, pick};
use crate::model::Snapshot;

/// Why measuring failed.
pub type MeasureError = Box<dyn std::error::Error + Send + Sync>;

/// Looks at the target within a time, whatever hangs: a server, a name that is looked up, a runtime's socket.
pub fn look(
    asked: Asked,
    target: Target,
    within: Duration,
    measure: impl FnOnce() -> Result<Snapshot, MeasureError> + Send + 'static,
) -> Result<Found, TargetError> {
    let (sender, found) = channel();
    let work = move || {
        let found = match &asked {
            Asked::Server(server) => ask(server, &target, within),
            Asked::Own => {
                measure().map_err(TargetError::Measure).and_then(|snapshot| pick(snapshot, &target))
            }
        };
        // In vain where it took too long.
        let _ = sender.send(found);
    };
    let begun = thread::Builder::new().name("look".to_owned()).spawn(work);
    begun.map_err(|error| TargetError::Measure(error.into()))?;
    found.recv_timeout(within).unwrap_or_else(|ended| match ended {
        RecvTimeoutError::Timeout => Err(TargetError::Late(within)),
        RecvTimeoutError::Disconnected => Err(TargetError::Measure("it has panicked".into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{container, snapshot};

    fn own(target: Target, within: Duration) -> Result<Found, TargetError> {
        look(Asked::Own, target, within, || {
            thread::sleep(Duration::from_millis(50));
            Ok(snapshot(1, vec![container("ab"), container("ac")]))
        })
    }

    fn names(found: Result<Found, TargetError>) -> Vec<String> {
        let Ok(Found::Containers(containers)) = found else { panic!("{found:?}") };
        containers.iter().map(|container| container.id.clone()).collect()
    }

    #[test]
    fn containers_are_found_by_name_id_and_label() {
        let patience = Duration::from_secs(10);
        let named = |name: &str| own(Target::Named(vec![name.to_owned()]), patience);
        assert_eq!(names(named("c-ab")), ["ab"]);
        assert_eq!(names(named("ac")), ["ac"]);
        assert!(matches!(named("a"), Err(TargetError::Container(_))));
        assert!(matches!(named("x"), Err(TargetError::Container(_))));
        assert_eq!(names(own(Target::Labelled(vec![]), patience)), ["ab", "ac"]);
        assert!(names(own(Target::Labelled(vec!["tier=web".to_owned()]), patience)).is_empty());
        assert!(matches!(own(Target::Host, patience), Ok(Found::Host(_))));
    }

    #[test]
    fn what_takes_too_long_is_left() {
        assert!(matches!(own(Target::Host, Duration::from_millis(5)), Err(TargetError::Late(_))));
    }

    #[test]
    fn what_fails_says_so() {
        let failed = look(Asked::Own, Target::Host, Duration::from_secs(10), || Err("no rights".into()));
        assert_eq!(crate::error::chain(&failed.unwrap_err()), "measure: no rights");
    }
}
