
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'monitor' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'monitor'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'monitor' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('stream', 'stream', [CompletionResultType]::ParameterValue, 'Show every container''s rates, window by window')
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time')
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Measure one window and print it as JSON')
            [CompletionResult]::new('blame', 'blame', [CompletionResultType]::ParameterValue, 'Say who kept containers from a CPU: which other container, the system, or their own quota')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Write every window to a file, for replay, report and tools that read Parquet')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Show what was recorded, as `stream` would have shown it')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what isolates one running container and what is in it')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code')
            [CompletionResult]::new('zabbix', 'zabbix', [CompletionResultType]::ParameterValue, 'Tell Zabbix'' agent what there is and what was measured')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Settings of `monitor serve` that are written down')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write the generated documentation: schema, metrics, man pages, completions')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Measure without end and serve what is measured over HTTP')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;stream' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;top' {
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Show a recording instead of measuring. Needs no rights but to read the file')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'How fast to begin with: 1 as it was, 10 ten times as fast')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'The column to sort by, such as cpu, memory, involuntary, throttled or name')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'The column to sort by, such as cpu, memory, involuntary, throttled or name')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all others')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all others')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'What to put containers together by: pod, project (of Compose) or slice (the cgroup above)')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'What to put containers together by: pod, project (of Compose) or slice (the cgroup above)')
            [CompletionResult]::new('--history-memory', '--history-memory', [CompletionResultType]::ParameterName, 'Most memory that snapshots may take which are kept to step back to, in MiB')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--no-mouse', '--no-mouse', [CompletionResultType]::ParameterName, 'Leave the mouse to the terminal, which marks text with it')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;snapshot' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;blame' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output: lines for reading, or the whole snapshot')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output: lines for reading, or the whole snapshot')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;events' {
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Tell events of this kind only; may be given more than once, or several with commas between them. That events were lost is always told')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Tell events of this kind only; may be given more than once, or several with commas between them. That events were lost is always told')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End after so many events')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after so many events')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output [default: text on a terminal, else ndjson]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output [default: text on a terminal, else ndjson]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;record' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Format of the file [default: by the ending of its name, .parquet or .ndjson.zst]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the file [default: by the ending of its name, .parquet or .ndjson.zst]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'End after so long [default: on Ctrl-C]')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'End after so long [default: on Ctrl-C]')
            [CompletionResult]::new('--flush', '--flush', [CompletionResultType]::ParameterName, 'Write what is held in memory at least this often: what a crash costs at most')
            [CompletionResult]::new('--rotate', '--rotate', [CompletionResultType]::ParameterName, 'Begin another file after so long, with a number in its name: day.parquet, day-0002.parquet')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--cgroups', '--cgroups', [CompletionResultType]::ParameterName, 'Record cgroups that are no container''s too')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;replay' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max]')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max]')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Leave out what was after')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Write another recording, of the format that the ending of its name says: to take a part out, to change the format, or to make a file whole that was cut short')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;report' {
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Compare two recordings, container by container of one name, by a rank test and its effect size')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Leave out what was after')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones]')
            [CompletionResult]::new('--metric', '--metric', [CompletionResultType]::ParameterName, 'Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the report')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the report')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a file instead of standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;doctor' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;inspect' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;check' {
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'The container, by name, id or the beginning of its id; may be given more than once [default: all that have the labels]')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Containers with this label, as KEY or KEY=VALUE; may be given more than once')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20')
            [CompletionResult]::new('--warning', '--warning', [CompletionResultType]::ParameterName, 'Warn where the value is outside of this range, in seconds and bytes: 10, 10:, ~:10, 10:20; or inside, as in @10:20')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'It is critical where the value is outside of this range')
            [CompletionResult]::new('--critical', '--critical', [CompletionResultType]::ParameterName, 'It is critical where the value is outside of this range')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'A file with the token that it asks for')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Certificates (PEM) of those who may vouch for it, instead of the system''s')
            [CompletionResult]::new('--client-cert-file', '--client-cert-file', [CompletionResultType]::ParameterName, 'A certificate to show to it (PEM)')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'The certificate''s key (PEM)')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The machine instead of containers; `disks`, `filesystems` and `interfaces` are groups too')
            [CompletionResult]::new('--measure', '--measure', [CompletionResultType]::ParameterName, 'Measure one window instead of asking `monitor serve`, which needs its rights and takes longer')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;zabbix' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('discovery', 'discovery', [CompletionResultType]::ParameterValue, 'Print the JSON of low-level discovery')
            [CompletionResult]::new('item', 'item', [CompletionResultType]::ParameterValue, 'Print an item''s value')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;zabbix;discovery' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'A file with the token that it asks for')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Certificates (PEM) of those who may vouch for it, instead of the system''s')
            [CompletionResult]::new('--client-cert-file', '--client-cert-file', [CompletionResultType]::ParameterName, 'A certificate to show to it (PEM)')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'The certificate''s key (PEM)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;zabbix;item' {
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'The container, by name, id or the beginning of its id [default: the machine]')
            [CompletionResult]::new('--part', '--part', [CompletionResultType]::ParameterName, 'Which disk, file system or interface of the machine')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Where `monitor serve` answers: http://HOST:PORT, https://HOST:PORT or unix:PATH')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after so long with what is known to be missing: seconds, or a duration such as 500ms')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'A file with the token that it asks for')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Certificates (PEM) of those who may vouch for it, instead of the system''s')
            [CompletionResult]::new('--client-cert-file', '--client-cert-file', [CompletionResultType]::ParameterName, 'A certificate to show to it (PEM)')
            [CompletionResult]::new('--client-key-file', '--client-key-file', [CompletionResultType]::ParameterName, 'The certificate''s key (PEM)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'monitor;zabbix;help' {
            [CompletionResult]::new('discovery', 'discovery', [CompletionResultType]::ParameterValue, 'Print the JSON of low-level discovery')
            [CompletionResult]::new('item', 'item', [CompletionResultType]::ParameterValue, 'Print an item''s value')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;zabbix;help;discovery' {
            break
        }
        'monitor;zabbix;help;item' {
            break
        }
        'monitor;zabbix;help;help' {
            break
        }
        'monitor;config' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether `monitor serve` would take the file, with the environment as it is')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;config;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The file [default: /etc/monitor/config.toml, if it is there]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'monitor;config;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether `monitor serve` would take the file, with the environment as it is')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;config;help;check' {
            break
        }
        'monitor;config;help;help' {
            break
        }
        'monitor;completions' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'monitor;generate' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'monitor;serve' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'A file of settings, in TOML: each key is the name of a flag here, without the dashes before it. What is typed goes before the environment, that before the file [default: /etc/monitor/config.toml, if it is there]')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Address and port to listen on, or unix:PATH for a socket that only its owner and group can open')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address and port to listen on, or unix:PATH for a socket that only its owner and group can open')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections at a time; one more is refused')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more than once, or several with commas between them')
            [CompletionResult]::new('--metrics-label', '--metrics-label', [CompletionResultType]::ParameterName, 'Make a label of the runtime''s, by its key, one of `monitor_container_info`; may be given more than once, or several with commas between them')
            [CompletionResult]::new('--container-labels', '--container-labels', [CompletionResultType]::ParameterName, 'Labels of containers that become labels of cAdvisor''s metrics, separated by commas, instead of all; none if empty')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'A file with a token that clients must have, as `Authorization: Bearer TOKEN` or, in browsers, as the password of any user. /healthz is answered without, and so is who comes through a Unix socket. Read again when it changes')
            [CompletionResult]::new('--tls-cert-file', '--tls-cert-file', [CompletionResultType]::ParameterName, 'Speak TLS with the certificate in this file (PEM, its own first), read again when it changes and on SIGHUP')
            [CompletionResult]::new('--tls-key-file', '--tls-key-file', [CompletionResultType]::ParameterName, 'The certificate''s key (PEM)')
            [CompletionResult]::new('--tls-client-ca-file', '--tls-client-ca-file', [CompletionResultType]::ParameterName, 'Answer clients alone that have a certificate of those in this file (PEM)')
            [CompletionResult]::new('--allowed-host', '--allowed-host', [CompletionResultType]::ParameterName, 'Another name of this machine that clients may ask for it by, or `*.DOMAIN`; may be given more than once, or several with commas between them. Its addresses, `localhost` and its host name are known')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The directory in which history is kept across restarts; in memory only if empty, or where it cannot be written')
            [CompletionResult]::new('--history', '--history', [CompletionResultType]::ParameterName, 'For how long what was measured is kept, and in which steps, from the finest to the coarsest. The finest keeps every window as it was; each other step is a multiple of the one before by a divisor of 60')
            [CompletionResult]::new('--history-memory', '--history-memory', [CompletionResultType]::ParameterName, 'Most memory that history may take, in MiB, and most of the disk. Where it is not enough, each step loses the same share of its span, the oldest first')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Serve a recording instead of measuring: all of it at once, or with --replay-speed as if it were measured now, with the recording''s clock. Needs no rights but to read the file')
            [CompletionResult]::new('--replay-speed', '--replay-speed', [CompletionResultType]::ParameterName, 'How fast: 1 as it was, 10 ten times as fast, `max` all at once')
            [CompletionResult]::new('--replay-from', '--replay-from', [CompletionResultType]::ParameterName, 'What was before comes at once: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m')
            [CompletionResult]::new('--export-interval', '--export-interval', [CompletionResultType]::ParameterName, 'How often databases and collectors are written to: one snapshot each time. What is written of containers is what `--metrics` has')
            [CompletionResult]::new('--export-queue', '--export-queue', [CompletionResultType]::ParameterName, 'What may wait for each of them, in MiB as it is sent; what is more is dropped, the oldest first, and counted')
            [CompletionResult]::new('--export-label', '--export-label', [CompletionResultType]::ParameterName, 'A label of everything that is written, besides the host''s name; may be given more than once')
            [CompletionResult]::new('--export-ca-file', '--export-ca-file', [CompletionResultType]::ParameterName, 'Certificates (PEM) of those who may vouch for a server, instead of the system''s')
            [CompletionResult]::new('--influxdb-url', '--influxdb-url', [CompletionResultType]::ParameterName, 'Write to InfluxDB, or what takes its line protocol, at this address, such as `http://127.0.0.1:8086`')
            [CompletionResult]::new('--influxdb-database', '--influxdb-database', [CompletionResultType]::ParameterName, 'The database of an InfluxDB 1, as DATABASE or DATABASE/POLICY')
            [CompletionResult]::new('--influxdb-user', '--influxdb-user', [CompletionResultType]::ParameterName, 'The user of an InfluxDB 1')
            [CompletionResult]::new('--influxdb-password-file', '--influxdb-password-file', [CompletionResultType]::ParameterName, 'A file with the user''s password')
            [CompletionResult]::new('--influxdb-org', '--influxdb-org', [CompletionResultType]::ParameterName, 'The organization of an InfluxDB 2')
            [CompletionResult]::new('--influxdb-bucket', '--influxdb-bucket', [CompletionResultType]::ParameterName, 'The bucket of an InfluxDB 2, or the database of an InfluxDB 3')
            [CompletionResult]::new('--influxdb-token-file', '--influxdb-token-file', [CompletionResultType]::ParameterName, 'A file with the token for an InfluxDB 2 or 3')
            [CompletionResult]::new('--remote-write-url', '--remote-write-url', [CompletionResultType]::ParameterName, 'Write by Prometheus'' remote write to this address, such as `http://127.0.0.1:9090/api/v1/write`')
            [CompletionResult]::new('--remote-write-user', '--remote-write-user', [CompletionResultType]::ParameterName, 'The user there')
            [CompletionResult]::new('--remote-write-password-file', '--remote-write-password-file', [CompletionResultType]::ParameterName, 'A file with the user''s password')
            [CompletionResult]::new('--remote-write-token-file', '--remote-write-token-file', [CompletionResultType]::ParameterName, 'A file with a bearer token')
            [CompletionResult]::new('--otlp-url', '--otlp-url', [CompletionResultType]::ParameterName, 'Write OpenTelemetry metrics by OTLP to this address: with gRPC such as `http://127.0.0.1:4317`, with HTTP the whole, such as `http://127.0.0.1:4318/v1/metrics`')
            [CompletionResult]::new('--otlp-protocol', '--otlp-protocol', [CompletionResultType]::ParameterName, 'How OTLP is spoken')
            [CompletionResult]::new('--otlp-headers-file', '--otlp-headers-file', [CompletionResultType]::ParameterName, 'A file with headers to send along, one `NAME: VALUE` a line, such as those that authorize')
            [CompletionResult]::new('--statsd', '--statsd', [CompletionResultType]::ParameterName, 'Send to a StatsD daemon: `ADDRESS:PORT` for UDP, `unix:///PATH` for a socket of datagrams')
            [CompletionResult]::new('--statsd-format', '--statsd-format', [CompletionResultType]::ParameterName, 'What the daemon understands')
            [CompletionResult]::new('--sflow', '--sflow', [CompletionResultType]::ParameterName, 'Send to an sFlow collector, as `ADDRESS` or `ADDRESS:PORT`')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones, and those of containers that do not run, are walked less often')
            [CompletionResult]::new('--process-events', '--process-events', [CompletionResultType]::ParameterName, 'Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do not send otherwise')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Let whoever reaches the address read everything, where that is not this machine alone')
            [CompletionResult]::new('--no-history', '--no-history', [CompletionResultType]::ParameterName, 'Do not keep what was measured')
            [CompletionResult]::new('--no-docker', '--no-docker', [CompletionResultType]::ParameterName, 'Do not ask Docker: its containers are known by id only')
            [CompletionResult]::new('--no-runtimes', '--no-runtimes', [CompletionResultType]::ParameterName, 'Do not ask any runtime: containers are known by id only')
            [CompletionResult]::new('--no-fault-exceptions', '--no-fault-exceptions', [CompletionResultType]::ParameterName, 'Do not count page-fault exceptions, which costs a program run at each fault')
            [CompletionResult]::new('--major-fault-latency', '--major-fault-latency', [CompletionResultType]::ParameterName, 'Measure how long major faults take, which costs a look at the clock at each fault of either kind')
            [CompletionResult]::new('--no-filesystem-usage', '--no-filesystem-usage', [CompletionResultType]::ParameterName, 'Do not measure what containers take on file systems, for which trees of files are walked')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; twice for all')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'monitor;help' {
            [CompletionResult]::new('stream', 'stream', [CompletionResultType]::ParameterValue, 'Show every container''s rates, window by window')
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show all containers on a full screen, live: sorted, filtered, in groups, with details, and back in time')
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Measure one window and print it as JSON')
            [CompletionResult]::new('blame', 'blame', [CompletionResultType]::ParameterValue, 'Say who kept containers from a CPU: which other container, the system, or their own quota')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Write every window to a file, for replay, report and tools that read Parquet')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Show what was recorded, as `stream` would have shown it')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what isolates one running container and what is in it')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge a metric, as a plugin of Nagios, Icinga and their kin: one line, performance data, an exit code')
            [CompletionResult]::new('zabbix', 'zabbix', [CompletionResultType]::ParameterValue, 'Tell Zabbix'' agent what there is and what was measured')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Settings of `monitor serve` that are written down')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write the generated documentation: schema, metrics, man pages, completions')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Measure without end and serve what is measured over HTTP')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'monitor;help;stream' {
            break
        }
        'monitor;help;top' {
            break
        }
        'monitor;help;snapshot' {
            break
        }
        'monitor;help;blame' {
            break
        }
        'monitor;help;events' {
            break
        }
        'monitor;help;record' {
            break
        }
        'monitor;help;replay' {
            break
        }
        'monitor;help;report' {
            break
        }
        'monitor;help;doctor' {
            break
        }
        'monitor;help;inspect' {
            break
        }
        'monitor;help;check' {
            break
        }
        'monitor;help;zabbix' {
            [CompletionResult]::new('discovery', 'discovery', [CompletionResultType]::ParameterValue, 'Print the JSON of low-level discovery')
            [CompletionResult]::new('item', 'item', [CompletionResultType]::ParameterValue, 'Print an item''s value')
            break
        }
        'monitor;help;zabbix;discovery' {
            break
        }
        'monitor;help;zabbix;item' {
            break
        }
        'monitor;help;config' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether `monitor serve` would take the file, with the environment as it is')
            break
        }
        'monitor;help;config;check' {
            break
        }
        'monitor;help;completions' {
            break
        }
        'monitor;help;generate' {
            break
        }
        'monitor;help;serve' {
            break
        }
        'monitor;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
