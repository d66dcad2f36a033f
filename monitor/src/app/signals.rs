//! What ends a command from outside.

use std::{
    convert::Infallible,
    future::pending,
    io, process,
    sync::mpsc::{Sender, channel},
    thread,
};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{collector::run::Message, tui};

/// By which signals a command is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// SIGINT and SIGTERM. What SIGHUP does is not changed: it ends a process, or is ignored, or has certificates read again.
    OnRequest,
    /// SIGHUP too: without its terminal the command is of no use, and it has to give the terminal back.
    WithTerminal,
}

/// Signals that have been asked for: they do not end the process by themselves any more.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// To be called in a runtime of tokio's, by which they are received.
    pub(super) fn listen(ends: Ends) -> io::Result<Self> {
        let hangup = (ends == Ends::WithTerminal).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// The first one ends the stream after its last window, the second one at once.
    pub(super) async fn pass_on(self, sender: &Sender<Message>) {
        let Self { mut interrupt, mut terminate, mut hangup } = self;
        for is_second in [false, true] {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hung_up => {}
            }
            if is_second {
                tui::restore();
                process::exit(130);
            }
            // In vain after the end.
            let _ = sender.send(Message::Stop);
        }
    }
}

/// Passes signals on from a thread of its own, for commands that have no other which could. When this returns, they are listened
/// for.
pub(super) fn pass_on(ends: Ends, sender: Sender<Message>) {
    let (listens, listening) = channel::<Infallible>();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let passed_on = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let signals = Signals::listen(ends)?;
                drop(listens);
                signals.pass_on(&sender).await;
                Ok(())
            })
        });
        if let Err(error) = passed_on {
            log::error!("listen for signals: {error}");
        }
    });
    // Nothing comes but the end.
    let _ = listening.recv();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[test]
    fn what_ends_a_command_on_a_terminal_ends_it_in_good_order_from_the_first_moment_on() {
        let (sender, messages) = channel();
        pass_on(Ends::WithTerminal, sender);
        // Without somebody who listens this process ends here.
        kill_process(getpid(), Signal::HUP).unwrap();
        let told = messages.recv_timeout(Duration::from_secs(10));
        assert!(matches!(told, Ok(Message::Stop)), "{told:?}");
    }
}
