
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
            cand top 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time'
            cand snapshot 'Measure one window and print it as JSON'
            cand blame 'Say who kept containers from a CPU: which other container, the system, or their own quota'
            cand events 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
            cand record 'Write every window to a file, for replay, report and tools that read Parquet'
            cand replay 'Show what was recorded, as `stream` would have shown it'
            cand report 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
            cand doctor 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
            cand inspect 'Show what isolates one running container and what is in it'
            cand check 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code'
            cand zabbix 'Tell Zabbix'' agent what there is and what was measured'
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
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
            cand -n 'End after so many windows'
            cand --count 'End after so many windows'
            cand -f 'Form of the output [default: table on a terminal, else ndjson]'
            cand --format 'Form of the output [default: table on a terminal, else ndjson]'
            cand -c 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
            cand --container 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
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
        &'monitor;top'= {
            cand --replay 'Show a recording instead of measuring. Needs no rights but to read the file'
            cand --speed 'How fast to begin with: 1 as it was, 10 ten times as fast'
            cand --from 'Where to begin: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m'
            cand -s 'The column to sort by, such as cpu, memory, involuntary, throttled or name'
            cand --sort 'The column to sort by, such as cpu, memory, involuntary, throttled or name'
            cand -f 'Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all others'
            cand --filter 'Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all others'
            cand -g 'What to put containers together by: pod, project (of Compose) or slice (the cgroup above)'
            cand --group 'What to put containers together by: pod, project (of Compose) or slice (the cgroup above)'
            cand --history-memory 'Most memory that snapshots may take which are kept to step back to, in MiB'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
            cand --no-mouse 'Leave the mouse to the terminal, which marks text with it'
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
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
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
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
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
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
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
            cand -c 'Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
            cand --container 'Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
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
            cand -c 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
            cand --container 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
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
            cand -c 'Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
            cand --container 'Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once'
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
        &'monitor;check'= {
            cand --container 'The container, by name, id or the beginning of its id; may be given more than once [default: all that have the labels]'
            cand --label 'Containers with this label, as KEY or KEY=VALUE; may be given more than once'
            cand -w 'Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20'
            cand --warning 'Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20'
            cand -c 'It is critical where the value is outside of this range'
            cand --critical 'It is critical where the value is outside of this range'
            cand --url 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH'
            cand -t 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --timeout 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --auth-token-file 'A file with the token that it asks for'
            cand --ca-file 'Certificates (PEM) of those who may vouch for it, instead of the system''s'
            cand --client-cert-file 'A certificate to show to it (PEM)'
            cand --client-key-file 'The certificate''s key (PEM)'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
            cand --host 'The machine instead of containers; `disks`, `filesystems` and `interfaces` are groups too'
            cand --measure 'Measure one window instead of asking `monitor serve`, which needs its rights and takes longer'
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
        &'monitor;zabbix'= {
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand discovery 'Print the JSON of low-level discovery'
            cand item 'Print an item''s value'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;zabbix;discovery'= {
            cand --url 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH'
            cand -t 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --timeout 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --auth-token-file 'A file with the token that it asks for'
            cand --ca-file 'Certificates (PEM) of those who may vouch for it, instead of the system''s'
            cand --client-cert-file 'A certificate to show to it (PEM)'
            cand --client-key-file 'The certificate''s key (PEM)'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'monitor;zabbix;item'= {
            cand --container 'The container, by name, id or the beginning of its id [default: the machine]'
            cand --part 'Which disk, file system or interface of the machine'
            cand --url 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH'
            cand -t 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --timeout 'End after so long with what is known to be missing: seconds, or a duration such as 500ms'
            cand --auth-token-file 'A file with the token that it asks for'
            cand --ca-file 'Certificates (PEM) of those who may vouch for it, instead of the system''s'
            cand --client-cert-file 'A certificate to show to it (PEM)'
            cand --client-key-file 'The certificate''s key (PEM)'
            cand -v 'Say more on standard error; twice for all'
            cand --verbose 'Say more on standard error; twice for all'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'monitor;zabbix;help'= {
            cand discovery 'Print the JSON of low-level discovery'
            cand item 'Print an item''s value'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;zabbix;help;discovery'= {
        }
        &'monitor;zabbix;help;item'= {
        }
        &'monitor;zabbix;help;help'= {
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
            cand -l 'Address and port to listen on, or unix:PATH for a socket that only its owner and group can open'
            cand --listen 'Address and port to listen on, or unix:PATH for a socket that only its owner and group can open'
            cand --max-connections 'Connections at a time; one more is refused'
            cand --metrics 'Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more than once, or several with commas between them'
            cand --metrics-label 'Make a label of the runtime''s, by its key, one of `monitor_container_info`; may be given more than once, or several with commas between them'
            cand --container-labels 'Labels of containers that become labels of cAdvisor''s metrics, separated by commas, instead of all; none if empty'
            cand --auth-token-file 'A file with a token that clients must have, as `Authorization: Bearer TOKEN` or, in browsers, as the password of any user. /healthz is answered without, and so is who comes through a Unix socket. Read again when it changes'
            cand --tls-cert-file 'Speak TLS with the certificate in this file (PEM, its own first), read again when it changes and on SIGHUP'
            cand --tls-key-file 'The certificate''s key (PEM)'
            cand --tls-client-ca-file 'Answer clients alone that have a certificate of those in this file (PEM)'
            cand --allowed-host 'Another name of this machine that clients may ask for it by, or `*.DOMAIN`; may be given more than once, or several with commas between them. Its addresses, `localhost` and its host name are known'
            cand --data-dir 'The directory in which history is kept across restarts; in memory only if empty, or where it cannot be written'
            cand --history 'For how long what was measured is kept, and in which steps, from the finest to the coarsest. The finest keeps every window as it was; each other step is a multiple of the one before by a divisor of 60'
            cand --history-memory 'Most memory that history may take, in MiB, and most of the disk. Where it is not enough, each step loses the same share of its span, the oldest first'
            cand --replay 'Serve a recording instead of measuring: all of it at once, or with --replay-speed as if it were measured now, with the recording''s clock. Needs no rights but to read the file'
            cand --replay-speed 'How fast: 1 as it was, 10 ten times as fast, `max` all at once'
            cand --replay-from 'What was before comes at once: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m'
            cand --export-interval 'How often databases and collectors are written to: one snapshot each time. What is written of containers is what `--metrics` has'
            cand --export-queue 'What may wait for each of them, in MiB as it is sent; what is more is dropped, the oldest first, and counted'
            cand --export-label 'A label of everything that is written, besides the host''s name; may be given more than once'
            cand --export-ca-file 'Certificates (PEM) of those who may vouch for a server, instead of the system''s'
            cand --influxdb-url 'Write to InfluxDB, or what takes its line protocol, at this address, such as `http://127.0.0.1:8086`'
            cand --influxdb-database 'The database of an InfluxDB 1, as DATABASE or DATABASE/POLICY'
            cand --influxdb-user 'The user of an InfluxDB 1'
            cand --influxdb-password-file 'A file with the user''s password'
            cand --influxdb-org 'The organization of an InfluxDB 2'
            cand --influxdb-bucket 'The bucket of an InfluxDB 2, or the database of an InfluxDB 3'
            cand --influxdb-token-file 'A file with the token for an InfluxDB 2 or 3'
            cand --remote-write-url 'Write by Prometheus'' remote write to this address, such as `http://127.0.0.1:9090/api/v1/write`'
            cand --remote-write-user 'The user there'
            cand --remote-write-password-file 'A file with the user''s password'
            cand --remote-write-token-file 'A file with a bearer token'
            cand --otlp-url 'Write OpenTelemetry metrics by OTLP to this address: with gRPC such as `http://127.0.0.1:4317`, with HTTP the whole, such as `http://127.0.0.1:4318/v1/metrics`'
            cand --otlp-protocol 'How OTLP is spoken'
            cand --otlp-headers-file 'A file with headers to send along, one `NAME: VALUE` a line, such as those that authorize'
            cand --statsd 'Send to a StatsD daemon: `ADDRESS:PORT` for UDP, `unix:///PATH` for a socket of datagrams'
            cand --statsd-format 'What the daemon understands'
            cand --sflow 'Send to an sFlow collector, as `ADDRESS` or `ADDRESS:PORT`'
            cand -i 'Length of a window, such as 500ms, 1s or 1m'
            cand --interval 'Length of a window, such as 500ms, 1s or 1m'
            cand --docker-host 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]'
            cand --runtime 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once'
            cand --keep-ended 'How long an ended container is shown after it was shown as ended first'
            cand --map-memory 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU'
            cand --expect-cgroups 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later'
            cand --filesystem-interval 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often'
            cand --process-events 'Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do not send otherwise'
            cand --insecure 'Let whoever reaches the address read everything, where that is not this machine alone'
            cand --no-history 'Do not keep what was measured'
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
            cand top 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time'
            cand snapshot 'Measure one window and print it as JSON'
            cand blame 'Say who kept containers from a CPU: which other container, the system, or their own quota'
            cand events 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out'
            cand record 'Write every window to a file, for replay, report and tools that read Parquet'
            cand replay 'Show what was recorded, as `stream` would have shown it'
            cand report 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ'
            cand doctor 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no'
            cand inspect 'Show what isolates one running container and what is in it'
            cand check 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code'
            cand zabbix 'Tell Zabbix'' agent what there is and what was measured'
            cand config 'Settings of `monitor serve` that are written down'
            cand completions 'Print the completions of a shell'
            cand generate 'Write the generated documentation: schema, metrics, man pages, completions'
            cand serve 'Measure without end and serve what is measured over HTTP'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'monitor;help;stream'= {
        }
        &'monitor;help;top'= {
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
        &'monitor;help;check'= {
        }
        &'monitor;help;zabbix'= {
            cand discovery 'Print the JSON of low-level discovery'
            cand item 'Print an item''s value'
        }
        &'monitor;help;zabbix;discovery'= {
        }
        &'monitor;help;zabbix;item'= {
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
