# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_monitor_global_optspecs
    string join \n v/verbose h/help V/version
end

function __fish_monitor_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_monitor_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_monitor_using_subcommand
    set -l cmd (__fish_monitor_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c monitor -n "__fish_monitor_needs_command" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_needs_command" -s V -l version -d 'Print version'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "stream" -d 'Show every container\'s rates, window by window'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "top" -d 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "snapshot" -d 'Measure one window and print it as JSON'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "blame" -d 'Say who kept containers from a CPU: which other container, the system, or their own quota'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "events" -d 'Tell what happens, as it happens: containers\' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "record" -d 'Write every window to a file, for replay, report and tools that read Parquet'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "replay" -d 'Show what was recorded, as `stream` would have shown it'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "report" -d 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "doctor" -d 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "inspect" -d 'Show what isolates one running container and what is in it'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "check" -d 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "zabbix" -d 'Tell Zabbix\' agent what there is and what was measured'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "config" -d 'Settings of `monitor serve` that are written down'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "generate" -d 'Write the generated documentation: schema, metrics, man pages, completions'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "serve" -d 'Measure without end and serve what is measured over HTTP'
complete -c monitor -n "__fish_monitor_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s n -l count -d 'End after so many windows' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s f -l format -d 'Form of the output [default: table on a terminal, else ndjson]' -r -f -a "table\t'Columns for reading'
ndjson\t'One snapshot a line'
csv\t'One line a container and window'"
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s c -l container -d 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s o -l output -d 'Write to a file instead of standard output' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand stream" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l replay -d 'Show a recording instead of measuring. Needs no rights but to read the file' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand top" -l speed -d 'How fast to begin with: 1 as it was, 10 ten times as fast' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l from -d 'Where to begin: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -s s -l sort -d 'The column to sort by, such as cpu, memory, involuntary, throttled or name' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -s f -l filter -d 'Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all others' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -s g -l group -d 'What to put containers together by: pod, project (of Compose) or slice (the cgroup above)' -r -f -a "pod\t''
project\t''
slice\t''"
complete -c monitor -n "__fish_monitor_using_subcommand top" -l history-memory -d 'Most memory that snapshots may take which are kept to step back to, in MiB' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand top" -l no-mouse -d 'Leave the mouse to the terminal, which marks text with it'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand top" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand top" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -s o -l output -d 'Write to a file instead of standard output' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -s f -l format -d 'Form of the output: lines for reading, or the whole snapshot' -r -f -a "text\t'Lines for reading'
json\t'One object'"
complete -c monitor -n "__fish_monitor_using_subcommand blame" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand blame" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand events" -s k -l kind -d 'Tell events of this kind only; may be given more than once, or several with commas between them. That events were lost is always told' -r -f -a "container_created\t'A runtime has made a container'
container_started\t'A runtime has started a container'
container_died\t'A container\'s first process has ended'
container_removed\t'A runtime has deleted a container'
cgroup_made\t'A cgroup was made'
cgroup_removed\t'A cgroup was removed'
task_moved\t'A task was moved into a cgroup'
exec\t'A process executed a program'
exit\t'A process ended'
oom_kill\t'A process was killed for lack of memory'
throttle_begin\t'A CPU quota began to run out'
throttle_end\t'A CPU quota runs out no more'"
complete -c monitor -n "__fish_monitor_using_subcommand events" -s n -l count -d 'End after so many events' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -s f -l format -d 'Form of the output [default: text on a terminal, else ndjson]' -r -f -a "text\t'A line each for reading'
ndjson\t'A line of JSON each'"
complete -c monitor -n "__fish_monitor_using_subcommand events" -s o -l output -d 'Write to a file instead of standard output' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand events" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand events" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand events" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand events" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand events" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand events" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand events" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand record" -s f -l format -d 'Format of the file [default: by the ending of its name, .parquet or .ndjson.zst]' -r -f -a "parquet\t'Columns, as DuckDB, pandas and Polars read them'
ndjson\t'One snapshot a line, compressed with zstd'"
complete -c monitor -n "__fish_monitor_using_subcommand record" -s d -l duration -d 'End after so long [default: on Ctrl-C]' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l flush -d 'Write what is held in memory at least this often: what a crash costs at most' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l rotate -d 'Begin another file after so long, with a number in its name: day.parquet, day-0002.parquet' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -s c -l container -d 'Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand record" -l cgroups -d 'Record cgroups that are no container\'s too'
complete -c monitor -n "__fish_monitor_using_subcommand record" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand record" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand record" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand record" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand record" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand record" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s s -l speed -d 'How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max]' -r
complete -c monitor -n "__fish_monitor_using_subcommand replay" -l from -d 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m' -r
complete -c monitor -n "__fish_monitor_using_subcommand replay" -l to -d 'Leave out what was after' -r
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s n -l count -d 'End after so many windows' -r
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s f -l format -d 'Form of the output [default: table on a terminal, else ndjson]' -r -f -a "table\t'Columns for reading'
ndjson\t'One snapshot a line'
csv\t'One line a container and window'"
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s c -l container -d 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s o -l output -d 'Write to a file instead of standard output' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand replay" -l record -d 'Write another recording, of the format that the ending of its name says: to take a part out, to change the format, or to make a file whole that was cut short' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand report" -l diff -d 'Compare two recordings, container by container of one name, by a rank test and its effect size' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand report" -l from -d 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m' -r
complete -c monitor -n "__fish_monitor_using_subcommand report" -l to -d 'Leave out what was after' -r
complete -c monitor -n "__fish_monitor_using_subcommand report" -s c -l container -d 'Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand report" -s m -l metric -d 'Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones]' -r
complete -c monitor -n "__fish_monitor_using_subcommand report" -s f -l format -d 'Form of the report' -r -f -a "text\t'Lines for reading'
json\t'One object, with everything that was found'
markdown\t'Markdown with tables'
html\t'One page with plots that needs nothing else'"
complete -c monitor -n "__fish_monitor_using_subcommand report" -s o -l output -d 'Write to a file instead of standard output' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand report" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -s f -l format -d 'Form of the output' -r -f -a "text\t'Lines for reading'
json\t'One object'"
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -s f -l format -d 'Form of the output' -r -f -a "text\t'Lines for reading'
json\t'One object'"
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l container -d 'The container, by name, id or the beginning of its id; may be given more than once [default: all that have the labels]' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l label -d 'Containers with this label, as KEY or KEY=VALUE; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -s w -l warning -d 'Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -s c -l critical -d 'It is critical where the value is outside of this range' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l url -d 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -s t -l timeout -d 'End after so long with what is known to be missing: seconds, or a duration such as 500ms' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l auth-token-file -d 'A file with the token that it asks for' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand check" -l ca-file -d 'Certificates (PEM) of those who may vouch for it, instead of the system\'s' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand check" -l client-cert-file -d 'A certificate to show to it (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand check" -l client-key-file -d 'The certificate\'s key (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand check" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand check" -l host -d 'The machine instead of containers; `disks`, `filesystems` and `interfaces` are groups too'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l measure -d 'Measure one window instead of asking `monitor serve`, which needs its rights and takes longer'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand check" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand check" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and not __fish_seen_subcommand_from discovery item help" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and not __fish_seen_subcommand_from discovery item help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and not __fish_seen_subcommand_from discovery item help" -f -a "discovery" -d 'Print the JSON of low-level discovery'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and not __fish_seen_subcommand_from discovery item help" -f -a "item" -d 'Print an item\'s value'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and not __fish_seen_subcommand_from discovery item help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -l url -d 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -s t -l timeout -d 'End after so long with what is known to be missing: seconds, or a duration such as 500ms' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -l auth-token-file -d 'A file with the token that it asks for' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -l ca-file -d 'Certificates (PEM) of those who may vouch for it, instead of the system\'s' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -l client-cert-file -d 'A certificate to show to it (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -l client-key-file -d 'The certificate\'s key (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from discovery" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l container -d 'The container, by name, id or the beginning of its id [default: the machine]' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l part -d 'Which disk, file system or interface of the machine' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l url -d 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -s t -l timeout -d 'End after so long with what is known to be missing: seconds, or a duration such as 500ms' -r
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l auth-token-file -d 'A file with the token that it asks for' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l ca-file -d 'Certificates (PEM) of those who may vouch for it, instead of the system\'s' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l client-cert-file -d 'A certificate to show to it (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -l client-key-file -d 'The certificate\'s key (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from item" -s h -l help -d 'Print help'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from help" -f -a "discovery" -d 'Print the JSON of low-level discovery'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from help" -f -a "item" -d 'Print an item\'s value'
complete -c monitor -n "__fish_monitor_using_subcommand zabbix; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand config; and not __fish_seen_subcommand_from check help" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand config; and not __fish_seen_subcommand_from check help" -s h -l help -d 'Print help'
complete -c monitor -n "__fish_monitor_using_subcommand config; and not __fish_seen_subcommand_from check help" -f -a "check" -d 'Say whether `monitor serve` would take the file, with the environment as it is'
complete -c monitor -n "__fish_monitor_using_subcommand config; and not __fish_seen_subcommand_from check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The file [default: /etc/monitor/config.toml, if it is there]' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c monitor -n "__fish_monitor_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say whether `monitor serve` would take the file, with the environment as it is'
complete -c monitor -n "__fish_monitor_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand completions" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand completions" -s h -l help -d 'Print help'
complete -c monitor -n "__fish_monitor_using_subcommand generate" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand generate" -s h -l help -d 'Print help'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l config -d 'A file of settings, in TOML: each key is the name of a flag here, without the dashes before it. What is typed goes before the environment, that before the file [default: /etc/monitor/config.toml, if it is there]' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -s l -l listen -d 'Address and port to listen on, or unix:PATH for a socket that only its owner and group can open' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l max-connections -d 'Connections at a time; one more is refused' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l metrics -d 'Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more than once, or several with commas between them' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l metrics-label -d 'Make a label of the runtime\'s, by its key, one of `monitor_container_info`; may be given more than once, or several with commas between them' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l container-labels -d 'Labels of containers that become labels of cAdvisor\'s metrics, separated by commas, instead of all; none if empty' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l auth-token-file -d 'A file with a token that clients must have, as `Authorization: Bearer TOKEN` or, in browsers, as the password of any user. /healthz is answered without, and so is who comes through a Unix socket. Read again when it changes' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l tls-cert-file -d 'Speak TLS with the certificate in this file (PEM, its own first), read again when it changes and on SIGHUP' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l tls-key-file -d 'The certificate\'s key (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l tls-client-ca-file -d 'Answer clients alone that have a certificate of those in this file (PEM)' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l allowed-host -d 'Another name of this machine that clients may ask for it by, or `*.DOMAIN`; may be given more than once, or several with commas between them. Its addresses, `localhost` and its host name are known' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l data-dir -d 'The directory in which history is kept across restarts; in memory only if empty, or where it cannot be written' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l history -d 'For how long what was measured is kept, and in which steps, from the finest to the coarsest. The finest keeps every window as it was; each other step is a multiple of the one before by a divisor of 60' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l history-memory -d 'Most memory that history may take, in MiB, and most of the disk. Where it is not enough, each step loses the same share of its span, the oldest first' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l replay -d 'Serve a recording instead of measuring: all of it at once, or with --replay-speed as if it were measured now, with the recording\'s clock. Needs no rights but to read the file' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l replay-speed -d 'How fast: 1 as it was, 10 ten times as fast, `max` all at once' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l replay-from -d 'What was before comes at once: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l export-interval -d 'How often databases and collectors are written to: one snapshot each time. What is written of containers is what `--metrics` has' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l export-queue -d 'What may wait for each of them, in MiB as it is sent; what is more is dropped, the oldest first, and counted' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l export-label -d 'A label of everything that is written, besides the host\'s name; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l export-ca-file -d 'Certificates (PEM) of those who may vouch for a server, instead of the system\'s' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-url -d 'Write to InfluxDB, or what takes its line protocol, at this address, such as `http://127.0.0.1:8086`' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-database -d 'The database of an InfluxDB 1, as DATABASE or DATABASE/POLICY' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-user -d 'The user of an InfluxDB 1' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-password-file -d 'A file with the user\'s password' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-org -d 'The organization of an InfluxDB 2' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-bucket -d 'The bucket of an InfluxDB 2, or the database of an InfluxDB 3' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l influxdb-token-file -d 'A file with the token for an InfluxDB 2 or 3' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l remote-write-url -d 'Write by Prometheus\' remote write to this address, such as `http://127.0.0.1:9090/api/v1/write`' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l remote-write-user -d 'The user there' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l remote-write-password-file -d 'A file with the user\'s password' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l remote-write-token-file -d 'A file with a bearer token' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l otlp-url -d 'Write OpenTelemetry metrics by OTLP to this address: with gRPC such as `http://127.0.0.1:4317`, with HTTP the whole, such as `http://127.0.0.1:4318/v1/metrics`' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l otlp-protocol -d 'How OTLP is spoken' -r -f -a "grpc\t'gRPC'
http\t'Protobuf in HTTP requests'"
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l otlp-headers-file -d 'A file with headers to send along, one `NAME: VALUE` a line, such as those that authorize' -r -F
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l statsd -d 'Send to a StatsD daemon: `ADDRESS:PORT` for UDP, `unix:///PATH` for a socket of datagrams' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l statsd-format -d 'What the daemon understands' -r -f -a "statsd\t'`StatsD`\'s own: what it is about is part of the name'
dogstatsd\t'Datadog\'s: what it is about is in tags'"
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l sflow -d 'Send to an sFlow collector, as `ADDRESS` or `ADDRESS:PORT`' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -s i -l interval -d 'Length of a window, such as 500ms, 1s or 1m' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l docker-host -d 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l runtime -d 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l keep-ended -d 'How long an ended container is shown after it was shown as ended first' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l map-memory -d 'Most memory that the cgroups\' counters may take in the kernel, in MiB, but for 512 slots a CPU' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l expect-cgroups -d 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l filesystem-interval -d 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often' -r
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l process-events -d 'Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do not send otherwise'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l insecure -d 'Let whoever reaches the address read everything, where that is not this machine alone'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l no-history -d 'Do not keep what was measured'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l no-docker -d 'Do not ask Docker: its containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l no-runtimes -d 'Do not ask any runtime: containers are known by id only'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l no-fault-exceptions -d 'Do not count page-fault exceptions, which costs a program run at each fault'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l major-fault-latency -d 'Measure how long major faults take, which costs a look at the clock at each fault of either kind'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -l no-filesystem-usage -d 'Do not measure what containers take on file systems, for which trees of files are walked'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -s v -l verbose -d 'Say more on standard error; twice for all'
complete -c monitor -n "__fish_monitor_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "stream" -d 'Show every container\'s rates, window by window'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "top" -d 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "snapshot" -d 'Measure one window and print it as JSON'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "blame" -d 'Say who kept containers from a CPU: which other container, the system, or their own quota'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "events" -d 'Tell what happens, as it happens: containers\' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "record" -d 'Write every window to a file, for replay, report and tools that read Parquet'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "replay" -d 'Show what was recorded, as `stream` would have shown it'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "report" -d 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "doctor" -d 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "inspect" -d 'Show what isolates one running container and what is in it'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "check" -d 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "zabbix" -d 'Tell Zabbix\' agent what there is and what was measured'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "config" -d 'Settings of `monitor serve` that are written down'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "completions" -d 'Print the completions of a shell'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "generate" -d 'Write the generated documentation: schema, metrics, man pages, completions'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "serve" -d 'Measure without end and serve what is measured over HTTP'
complete -c monitor -n "__fish_monitor_using_subcommand help; and not __fish_seen_subcommand_from stream top snapshot blame events record replay report doctor inspect check zabbix config completions generate serve help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c monitor -n "__fish_monitor_using_subcommand help; and __fish_seen_subcommand_from zabbix" -f -a "discovery" -d 'Print the JSON of low-level discovery'
complete -c monitor -n "__fish_monitor_using_subcommand help; and __fish_seen_subcommand_from zabbix" -f -a "item" -d 'Print an item\'s value'
complete -c monitor -n "__fish_monitor_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Say whether `monitor serve` would take the file, with the environment as it is'
