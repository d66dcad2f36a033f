
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
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Measure one window and print it as JSON')
            [CompletionResult]::new('blame', 'blame', [CompletionResultType]::ParameterValue, 'Say who kept containers from a CPU: which other container, the system, or their own quota')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Write every window to a file, for replay, report and tools that read Parquet')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Show what was recorded, as `stream` would have shown it')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what isolates one running container and what is in it')
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
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after so many windows')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the output [default: table on a terminal, else ndjson]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id; may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id; may be given more than once')
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
        'monitor;snapshot' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
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
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
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
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
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
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Record this container only, by name, id or the beginning of its id; may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Record this container only, by name, id or the beginning of its id; may be given more than once')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
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
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id; may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Show this container only, by name, id or the beginning of its id; may be given more than once')
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
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Report on this container only, by name, id or the beginning of its id; may be given more than once')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Report on this container only, by name, id or the beginning of its id; may be given more than once')
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
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Address and port to listen on')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address and port to listen on')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections at a time; one more is refused')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Export more at /metrics than by default: a group of metrics as GROUP, one as GROUP.NAME, or `all`; may be given more than once, or several with commas between them')
            [CompletionResult]::new('--metrics-label', '--metrics-label', [CompletionResultType]::ParameterName, 'Make a label of the runtime''s, by its key, one of `monitor_container_info`; may be given more than once, or several with commas between them')
            [CompletionResult]::new('--container-labels', '--container-labels', [CompletionResultType]::ParameterName, 'Labels of containers that become labels of cAdvisor''s metrics, separated by commas, instead of all; none if empty')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Length of a window, such as 500ms, 1s or 1m')
            [CompletionResult]::new('--docker-host', '--docker-host', [CompletionResultType]::ParameterName, 'Where Docker answers, as `unix:///path` or `tcp://host:port` [default: `unix:///var/run/docker.sock`]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Where another runtime answers, as NAME=SOCKET with the name podman, containerd or cri; may be given more than once')
            [CompletionResult]::new('--keep-ended', '--keep-ended', [CompletionResultType]::ParameterName, 'How long an ended container is shown after it was shown as ended first')
            [CompletionResult]::new('--map-memory', '--map-memory', [CompletionResultType]::ParameterName, 'Most memory that the cgroups'' counters may take in the kernel, in MiB, but for 512 slots a CPU')
            [CompletionResult]::new('--expect-cgroups', '--expect-cgroups', [CompletionResultType]::ParameterName, 'Cgroups to make room for where many are still to come: by default four for each that there is at the start, and thousands at least. Room is not made later')
            [CompletionResult]::new('--filesystem-interval', '--filesystem-interval', [CompletionResultType]::ParameterName, 'Least time between two walks of one tree of files; large ones are walked less often')
            [CompletionResult]::new('--process-events', '--process-events', [CompletionResultType]::ParameterName, 'Tell of every program executed and every process ended too, at /api/v1/events: a record each, which the programs do not send otherwise')
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
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Measure one window and print it as JSON')
            [CompletionResult]::new('blame', 'blame', [CompletionResultType]::ParameterValue, 'Say who kept containers from a CPU: which other container, the system, or their own quota')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Tell what happens, as it happens: containers'' lives, programs executed and ended, kills for lack of memory, CPU quotas that run out')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Write every window to a file, for replay, report and tools that read Parquet')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Show what was recorded, as `stream` would have shown it')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Say what a recording shows: rates, trends, outliers, changes of level, who goes together, and how two of them differ')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what this kernel, cgroup set-up and runtime allow, and what to do about each no')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what isolates one running container and what is in it')
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
