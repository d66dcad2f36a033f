//! What is checked, and what Zabbix asks for.

use std::time::Duration;

use super::SettingsError;
use crate::{
    cli::{AskArgs, CheckArgs, Discovered, ZabbixCommand},
    plugin::{
        check::{Question, Thresholds},
        figure::{ContainerFigure, HostFigure},
        range::Range,
        target::{Asked, Target},
        zabbix::{Item, Kind},
    },
};

/// What is checked.
pub struct Check {
    /// Of what.
    pub target: Target,
    /// What of it.
    pub question: Question,
    /// When it is worth an alert.
    pub thresholds: Thresholds,
    /// Who is asked.
    pub asked: Asked,
    /// How long it may take.
    pub timeout: Duration,
}

/// What Zabbix asks for.
pub struct Zabbix {
    /// What is printed.
    pub wanted: Wanted,
    /// Of what.
    pub target: Target,
    /// Who is asked.
    pub asked: Asked,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is printed for Zabbix.
pub enum Wanted {
    /// Low-level discovery.
    Discovery(Kind),
    /// An item.
    Item(Item),
}

impl TryFrom<&CheckArgs> for Check {
    type Error = SettingsError;

    fn try_from(args: &CheckArgs) -> Result<Self, SettingsError> {
        let CheckArgs { metric, container, label, host, warning, critical, ask, measure, source: _ } = args;
        let question = match metric {
            None => Question::State,
            Some(name) if *host => Question::OfHost(name.clone(), HostFigure::named(name)?),
            Some(name) => Question::OfContainers(name.clone(), ContainerFigure::named(name)?),
        };
        let target = match (host, container.is_empty()) {
            (true, _) => Target::Host,
            (false, false) => Target::Named(container.clone()),
            (false, true) => Target::Labelled(label.clone()),
        };
        Ok(Self {
            target,
            question,
            thresholds: Thresholds {
                warning: range("--warning", warning.as_deref())?,
                critical: range("--critical", critical.as_deref())?,
            },
            asked: if *measure { Asked::Own } else { asked(ask)? },
            timeout: ask.timeout,
        })
    }
}

impl TryFrom<&ZabbixCommand> for Zabbix {
    type Error = SettingsError;

    fn try_from(command: &ZabbixCommand) -> Result<Self, SettingsError> {
        let (wanted, target, ask) = match command {
            ZabbixCommand::Discovery { kind, ask } => {
                let (kind, target) = match kind {
                    Discovered::Containers => (Kind::Containers, Target::Labelled(Vec::new())),
                    Discovered::Disks => (Kind::Disks, Target::Host),
                    Discovered::Filesystems => (Kind::Filesystems, Target::Host),
                    Discovered::Interfaces => (Kind::Interfaces, Target::Host),
                };
                (Wanted::Discovery(kind), target, ask)
            }
            ZabbixCommand::Item { metric, container: Some(container), part: _, ask } => {
                let item = match metric {
                    None => Item::Container,
                    Some(name) => Item::OfContainer(ContainerFigure::named(name)?),
                };
                (Wanted::Item(item), Target::Named(vec![container.clone()]), ask)
            }
            ZabbixCommand::Item { metric, container: None, part, ask } => {
                let item = match metric {
                    None => Item::Host,
                    Some(name) => Item::OfHost(HostFigure::named(name)?, part.clone()),
                };
                (Wanted::Item(item), Target::Host, ask)
            }
        };
        Ok(Self { wanted, target, asked: asked(ask)?, timeout: ask.timeout })
    }
}

fn range(flag: &'static str, text: Option<&str>) -> Result<Option<Range>, SettingsError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|source| SettingsError::Range { flag, source })
}

fn asked(args: &AskArgs) -> Result<Asked, SettingsError> {
    Ok(Asked::Server(super::access::asked(args)?))
}
