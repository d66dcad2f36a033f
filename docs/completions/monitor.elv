
use builtin;
use str;

set edit:completion:arg-completer[monitor] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'monitor'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'monitor'= {
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand stream 'Show every container''s rates, window by window'
            cand snapshot 'Measure one window and print it as JSON'
            cand blame 'Say who kept containers from a CPU: which other container, the system, or their own quota'
            cand events 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
            cand record 'Write every window to a file, for replay, report and tools that read Parquet'
            cand replay 'Show what was recorded, as `stream` would have shown it'
            cand report 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
            cand doctor 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
            cand inspect 'Show what isolates one running container and what is in it'
            cand config 'Settings of `monitor serve` that are written down'
            cand completions 'Print the completions of a shell'
            cand generate 'Write the generated documentation: schema, metrics, man pages, completions'
            cand serve 'Measure without end and serve what is measured over HTTP'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;stream'= {
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand -n 'End after so many windows'
            cand --count 'End after so many windows'
            cand -f 'Form of the output [default: table on a terminal, else ndjson]'
            cand --format 'Form of the output [default: table on a terminal, else ndjson]'
            cand -c 'Show this container only, by name, id or the beginning of its id; may be given more than once'
            cand --container 'Show this container only, by name, id or the beginning of its id; may be given more than once'
            cand -o 'Write to a file instead of standard output'
            cand --output 'Write to a file instead of standard output'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;snapshot'= {
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand -o 'Write to a file instead of standard output'
            cand --output 'Write to a file instead of standard output'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;blame'= {
            cand -f 'Form of the output: lines for reading, or the whole snapshot'
            cand --format 'Form of the output: lines for reading, or the whole snapshot'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;events'= {
            cand -k 'Tell events of this kind only; may be given more than once, or several with commas between them. That events were lost is always told'
            cand --kind 'Tell events of this kind only; may be given more than once, or several with commas between them. That events were lost is always told'
            cand -n 'End after so many events'
            cand --count 'End after so many events'
            cand -f 'Form of the output [default: text on a terminal, else ndjson]'
            cand --format 'Form of the output [default: text on a terminal, else ndjson]'
            cand -o 'Write to a file instead of standard output'
            cand --output 'Write to a file instead of standard output'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;record'= {
            cand -f 'Format of the file [default: by the ending of its name, .parquet or .ndjson.zst]'
            cand --format 'Format of the file [default: by the ending of its name, .parquet or .ndjson.zst]'
            cand -d 'End after so long [default: on Ctrl-C]'
            cand --duration 'End after so long [default: on Ctrl-C]'
            cand --flush 'Write what is held in memory at least this often: what a crash costs at most'
            cand --rotate 'Begin another file after so long, with a number in its name: day.parquet, day-0002.parquet'
            cand -c 'Record this container only, by name, id or the beginning of its id; may be given more than once'
            cand --container 'Record this container only, by name, id or the beginning of its id; may be given more than once'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand --cgroups 'Record cgroups that are no container''s too'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;replay'= {
            cand -s 'How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max]'
            cand --speed 'How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max]'
            cand --from 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m'
            cand --to 'Leave out what was after'
            cand -n 'End after so many windows'
            cand --count 'End after so many windows'
            cand -f 'Form of the output [default: table on a terminal, else ndjson]'
            cand --format 'Form of the output [default: table on a terminal, else ndjson]'
            cand -c 'Show this container only, by name, id or the beginning of its id; may be given more than once'
            cand --container 'Show this container only, by name, id or the beginning of its id; may be given more than once'
            cand -o 'Write to a file instead of standard output'
            cand --output 'Write to a file instead of standard output'
            cand --record 'Write another recording, of the format that the ending of its name says: to take a part out, to change the format, or to make a file whole that was cut short'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;report'= {
            cand --diff 'Compare two recordings, container by container of one name, by a rank test and its effect size'
            cand --from 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m'
            cand --to 'Leave out what was after'
            cand -c 'Report on this container only, by name, id or the beginning of its id; may be given more than once'
            cand --container 'Report on this container only, by name, id or the beginning of its id; may be given more than once'
            cand -m 'Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones]'
            cand --metric 'Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones]'
            cand -f 'Form of the report'
            cand --format 'Form of the report'
            cand -o 'Write to a file instead of standard output'
            cand --output 'Write to a file instead of standard output'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;doctor'= {
            cand -f 'Form of the output'
            cand --format 'Form of the output'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;inspect'= {
            cand -f 'Form of the output'
            cand --format 'Form of the output'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;config'= {
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help'
            cand --help 'Print help'
            cand check 'Say whether `monitor serve` would take the file, with the environment as it is'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;config;check'= {
            cand --config 'The file [default: /etc/monitor/config.toml, if it is there]'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'monitor;config;help'= {
            cand check 'Say whether `monitor serve` would take the file, with the environment as it is'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;config;help;check'= {
        }
        &'monitor;config;help;help'= {
        }
        &'monitor;completions'= {
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'monitor;generate'= {
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'monitor;serve'= {
            cand --config 'A file of settings, in TOML: each key is the name of a flag here, without the dashes before it. What is typed goes before the environment, that before the file [default: /etc/monitor/config.toml, if it is there]'
            cand -l 'Address and port to listen on'
            cand --listen 'Address and port to listen on'
            cand --max-connections 'Connections at a time; one more is refused'
            cand --metrics 'Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more than once, or several with commas between them'
            cand --metrics-label 'Make a label of the runtime''s, by its key, one of `monitor_container_info`; may be given more than once, or several with commas between them'
            cand --container-labels 'Labels of containers that become labels of cAdvisor''s metrics, separated by commas, instead of all; none if empty'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones are walked less often'
            cand --process-events 'Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do not send otherwise'
            cand --no-docker 'Do not ask Docker: its containers are known by id only'
            cand --no-runtimes 'Do not ask any runtime: containers are known by id only'
            cand --no-fault-exceptions 'Do not count page-fault exceptions, which costs a program run at each fault'
            cand --major-fault-latency 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
            cand --no-filesystem-usage 'Do not measure what containers take on file systems, for which trees of files are walked'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;help'= {
            cand stream 'Show every container''s rates, window by window'
            cand snapshot 'Measure one window and print it as JSON'
            cand blame 'Say who kept containers from a CPU: which other container, the system, or their own quota'
            cand events 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
            cand record 'Write every window to a file, for replay, report and tools that read Parquet'
            cand replay 'Show what was recorded, as `stream` would have shown it'
            cand report 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
            cand doctor 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
            cand inspect 'Show what isolates one running container and what is in it'
            cand config 'Settings of `monitor serve` that are written down'
            cand completions 'Print the completions of a shell'
            cand generate 'Write the generated documentation: schema, metrics, man pages, completions'
            cand serve 'Measure without end and serve what is measured over HTTP'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;help;stream'= {
        }
        &'monitor;help;snapshot'= {
        }
        &'monitor;help;blame'= {
        }
        &'monitor;help;events'= {
        }
        &'monitor;help;record'= {
        }
        &'monitor;help;replay'= {
        }
        &'monitor;help;report'= {
        }
        &'monitor;help;doctor'= {
        }
        &'monitor;help;inspect'= {
        }
        &'monitor;help;config'= {
            cand check 'Say whether `monitor serve` would take the file, with the environment as it is'
        }
        &'monitor;help;config;check'= {
        }
        &'monitor;help;completions'= {
        }
        &'monitor;help;generate'= {
        }
        &'monitor;help;serve'= {
        }
        &'monitor;help;help'= {
        }
    ]
    $completions[$command]
}
