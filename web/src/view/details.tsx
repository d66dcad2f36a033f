/** What a container is made of, besides what is drawn: isolation, cores, interfaces, devices, file systems, processes. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { getJson } from "../api/client";
import { poll } from "../api/poll";
import type { Container, Interference, Tree } from "../api/types";
import { SOURCES } from "../generated/sources";
import { quotaOf } from "../model/columns";
import { Sparks, sparkPath } from "../model/spark";
import { bytes, cores, count, duration, format, percent, span, NONE } from "../model/units";
import { containerHref } from "../router";

/** A container, itself a snapshot earlier, and the seconds between. */
export interface Pair {
  now: Container;
  /** When that was measured, in seconds since 1970. */
  at: number;
  before: Container | null;
  seconds: number;
}

export function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Small({
  head,
  rows,
  label,
}: {
  label: string;
  head: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
}) {
  return (
    <div class="small-box" tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table class="small">
        <thead>
          <tr>
            {head.map((name, place) => (
              <th key={name} scope="col" class={place === 0 ? "is-text" : "is-number"}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, place) =>
                place === 0 ? (
                  <th key={place} scope="row" class="is-text">
                    {cell}
                  </th>
                ) : (
                  <td key={place} class="is-number">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const limit = (value: number | null, show: (value: number) => string) =>
  value === null ? NONE : value < 0 ? "none" : show(value);

export function Isolation({ container }: { container: Container }) {
  const { cpu, memory, pids, cgroup, namespaces } = container;
  const quota = quotaOf({ container });
  return (
    <Panel title="Isolation">
      <Facts
        facts={[
          [
            "CPU quota",
            quota === null
              ? limit(cpu.quota_us, count)
              : `${cores(quota)} CPUs (${cpu.quota_us} of ${cpu.period_us} µs)`,
          ],
          ["CPU weight", cpu.shares_or_weight ?? NONE],
          ["CPUs", cpu.cpuset || NONE],
          ["memory limit", limit(memory.limit_bytes, bytes)],
          ["swap limit", limit(memory.swap_limit_bytes, bytes)],
          ["tasks at most", limit(pids.limit, count)],
          ["cgroup", <code class="wraps">{cgroup.path ?? NONE}</code>],
          ["cgroup id", cgroup.id],
          ...Object.entries(namespaces).map(([name, inode]) => [`namespace ${name}`, inode ?? NONE] as const),
        ]}
      />
      <p class="dim">
        Rights, mounts and open files: <code>monitor inspect {container.name ?? container.short_id}</code>
      </p>
    </Panel>
  );
}

/** The part of each CPU that it had between two snapshots. */
function sharesOf({ now, before, seconds }: Pair): (number | null)[] {
  const earlier = before?.scheduler.on_cpu_ns_by_cpu ?? null;
  return (now.scheduler.on_cpu_ns_by_cpu ?? []).map((ns, cpu) =>
    earlier && seconds > 0 ? Math.max(ns - (earlier[cpu] ?? 0), 0) / seconds / 1e9 : null,
  );
}

export function Cores({ pair }: { pair: Pair }) {
  // History has no CPUs by themselves: these begin when the page is opened.
  const sparks = useRef(new Sparks()).current;
  const shares = sharesOf(pair);
  useEffect(() => shares.forEach((share, cpu) => sparks.push(String(cpu), pair.at, share)), [pair.at]);
  return (
    <Panel title="Per core">
      {shares.length === 0 ? (
        <p class="dim">Not measured.</p>
      ) : (
        <ul class="cores">
          {shares.map((share, cpu) => (
            <li key={cpu}>
              <span class="dim">CPU {cpu}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${Math.min(share ?? 0, 1) * 100}%` }} />
              </span>
              <svg class="spark" width="80" height="18" viewBox="0 0 80 18" aria-hidden="true">
                <path d={sparkPath(sparks.values(String(cpu), pair.at), 80, 18, 1)} />
              </svg>
              <b>{share === null ? NONE : percent(share * 100)}</b>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** What a counter grows by in a second; `null` where it was not measured twice, or began again. */
function rate(now: number | null, before: number | null | undefined, seconds: number): number | null {
  if (now === null || before === null || before === undefined || now < before || seconds <= 0) return null;
  return (now - before) / seconds;
}

export function Interfaces({ pair: { now, before, seconds } }: { pair: Pair }) {
  const { interfaces, drops } = now.network;
  const earlier = new Map(before?.network.interfaces?.map((one) => [one.name, one]));
  return (
    <Panel title="Network interfaces">
      {interfaces && interfaces.length > 0 ? (
        <Small
          label="Network interfaces"
          head={["interface", "rx", "tx", "rx packets", "tx packets", "errors", "dropped"]}
          rows={interfaces.map((one) => [
            one.name,
            format(rate(one.rx_bytes_total, earlier.get(one.name)?.rx_bytes_total, seconds), "bytes/s"),
            format(rate(one.tx_bytes_total, earlier.get(one.name)?.tx_bytes_total, seconds), "bytes/s"),
            count(one.rx_packets_total),
            count(one.tx_packets_total),
            count(one.rx_errors_total + one.tx_errors_total),
            count(one.rx_dropped_total + one.tx_dropped_total),
          ])}
        />
      ) : (
        <p class="dim">{interfaces ? "It has none." : "Not measured."}</p>
      )}
      {drops && drops.length > 0 && (
        <Small
          label="Packets thrown away"
          head={["thrown away for", "packets"]}
          rows={drops.map((one) => [
            one.reason?.toLowerCase().replaceAll("_", " ") ?? "not told",
            count(one.packets_total),
          ])}
        />
      )}
    </Panel>
  );
}

export function Devices({ pair: { now, before, seconds } }: { pair: Pair }) {
  const { devices } = now.block_io;
  const earlier = new Map(before?.block_io.devices?.map((one) => [one.device, one]));
  return (
    <Panel title="Block devices">
      {devices && devices.length > 0 ? (
        <Small
          label="Block devices"
          head={["device", "read a second", "written a second", "read", "written", "reads", "writes"]}
          rows={devices.map((one) => [
            one.name ?? one.device,
            format(rate(one.read_bytes_total, earlier.get(one.device)?.read_bytes_total, seconds), "bytes/s"),
            format(rate(one.write_bytes_total, earlier.get(one.device)?.write_bytes_total, seconds), "bytes/s"),
            format(one.read_bytes_total, "bytes"),
            format(one.write_bytes_total, "bytes"),
            format(one.read_ops_total, "count"),
            format(one.write_ops_total, "count"),
          ])}
        />
      ) : (
        <p class="dim">{devices ? "It has used none." : "Not measured."}</p>
      )}
    </Panel>
  );
}

export function FileSystems({ container }: { container: Container }) {
  const { writable_layer, logs, volumes, capacity_bytes, available_bytes } = container.filesystems;
  const trees: [string, Tree | null][] = [
    ["writable layer", writable_layer],
    ["logs", logs],
    ...(volumes ?? []).map((volume): [string, Tree] => [`${volume.kind} ${volume.destination}`, volume]),
  ];
  return (
    <Panel title="File systems">
      <Small
        label="File systems"
        head={["tree", "used", "inodes", "age"]}
        rows={trees.map(([name, tree]) => [
          <span title={tree?.path ?? ""}>{name}</span>,
          format(tree?.used_bytes, "bytes"),
          format(tree?.used_inodes, "count"),
          tree?.age_ns === null || tree?.age_ns === undefined ? NONE : span(tree.age_ns / 1e9),
        ])}
      />
      {capacity_bytes !== null && (
        <p class="dim">
          {format(available_bytes, "bytes")} free of {bytes(capacity_bytes)} where the writable layer is.
        </p>
      )}
    </Panel>
  );
}

export function Waits({ container }: { container: Container }) {
  return (
    <Panel title="What it waited for">
      <Parts title="for a CPU" parts={container.interference} />
      <Parts title="for a block device" parts={container.block_interference} />
      <p>
        <a href="/interference">Who waits for whom</a>
      </p>
    </Panel>
  );
}

function Parts({ title, parts }: { title: string; parts: readonly Interference[] | null }) {
  const waited = (parts ?? []).filter((part) => (part.wait_ns_per_second ?? 0) > 0);
  waited.sort((one, other) => (other.wait_ns_per_second ?? 0) - (one.wait_ns_per_second ?? 0));
  if (waited.length === 0)
    return <p class="dim">{parts ? `It waited for nothing ${title}.` : `Waits ${title} were not measured.`}</p>;
  return (
    <Small
      label={`Waits ${title}`}
      head={[title, "a second"]}
      rows={waited
        .slice(0, 8)
        .map((part) => [
          part.id ? (
            <a href={containerHref(part.id)}>{part.name ?? part.id.slice(0, 12)}</a>
          ) : (
            SOURCES[part.source].words
          ),
          duration(part.wait_ns_per_second ?? 0),
        ])}
    />
  );
}

interface Process {
  user: string;
  pid: number;
  parent_pid: number;
  start_time: string;
  percent_cpu: number;
  rss: number;
  status: string;
  running_time: string;
  cmd: string;
}

const PROCESSES_EVERY_MS = 5000;

/** Its processes, as cAdvisor's own interface has them. */
export function Processes({ path }: { path: string | null }) {
  const [processes, tell] = useState<readonly Process[] | null>(null);
  useEffect(() => {
    if (!path) return;
    const address = `/api/v2.0/ps${path.split("/").map(encodeURIComponent).join("/")}`;
    return poll(PROCESSES_EVERY_MS, async (stopped) => tell(await getJson<Process[]>(address, stopped)));
  }, [path]);
  const sorted = [...(processes ?? [])].sort((one, other) => other.percent_cpu - one.percent_cpu);
  return (
    <Panel title="Processes">
      {processes === null ? (
        <p class="dim">Looking.</p>
      ) : (
        <Small
          label="Processes"
          head={["command", "pid", "parent", "user", "state", "CPU", "CPU time", "resident", "started"]}
          rows={sorted
            .slice(0, 100)
            .map((one) => [
              one.cmd,
              one.pid,
              one.parent_pid,
              one.user,
              one.status,
              percent(one.percent_cpu),
              one.running_time,
              bytes(one.rss),
              one.start_time,
            ])}
        />
      )}
      {sorted.length > 100 && <p class="dim">and {sorted.length - 100} more</p>}
    </Panel>
  );
}
