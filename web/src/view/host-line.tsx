/** The machine in one line. */

import type { ComponentChildren } from "preact";

import type { Audit, Coverage, Disk, Host, HostInterface } from "../api/types";
import { INNER_INTERFACES, NO_DISKS } from "../generated/catalogue";
import { findHostMetric, plain, type HostMetricName } from "../model/metrics";
import { bytes, cores, count, percent, NONE } from "../model/units";

export function HostLine({ host, audit, coverage }: { host: Host; audit: Audit; coverage: Coverage }) {
  const { cpu, memory, scheduler, faults } = host;
  const used =
    memory.total_bytes !== null && memory.available_bytes !== null ? memory.total_bytes - memory.available_bytes : null;
  const interfaces = (host.interfaces ?? []).filter(isPhysical);
  const disks = (host.disks ?? []).filter(isDisk);
  return (
    <section class="host-line" aria-label="The machine" tabIndex={0}>
      <Figure
        name="CPU"
        help={help("cpu.busy_cores")}
        value={text(cpu.busy_cores, cores)}
        note={`of ${host.cpus}`}
        bar={share(cpu.busy_cores, host.cpus)}
      />
      <Figure
        name="memory"
        help="All but what new programs could have without swapping."
        value={text(used, bytes)}
        note={`of ${text(memory.total_bytes, bytes)}`}
        bar={share(used, memory.total_bytes)}
      />
      <Figure
        name="load"
        help={help("scheduler.load_1")}
        value={text(scheduler.load_1, (load) => load.toFixed(2))}
        note={`${text(scheduler.load_5, (load) => load.toFixed(2))}  ${text(scheduler.load_15, (load) => load.toFixed(2))}`}
      />
      <Figure
        name="switches/s"
        help={help("scheduler.switches_per_second")}
        value={text(scheduler.switches_per_second, count)}
      />
      <Figure
        name="faults/s"
        help={help("faults.minor_per_second")}
        value={text(faults.minor_per_second, count)}
        note={`major ${text(faults.major_per_second, count)}`}
      />
      <Figure
        name="network /s"
        help={`Of ${named(interfaces)}.`}
        value={`↓ ${text(sum(interfaces, "rx_bytes_per_second"), bytes)}`}
        note={`↑ ${text(sum(interfaces, "tx_bytes_per_second"), bytes)}`}
      />
      <Figure
        name="disks /s"
        help={`Of ${named(disks)}.`}
        value={`read ${text(sum(disks, "read_bytes_per_second"), bytes)}`}
        note={`write ${text(sum(disks, "write_bytes_per_second"), bytes)}`}
      />
      <Own audit={audit} coverage={coverage} />
    </section>
  );
}

/** What monitor takes for itself, and how exact it was. */
function Own({ audit, coverage }: { audit: Audit; coverage: Coverage }) {
  const { agent, switches } = audit;
  const lost = Object.entries(coverage.lost).filter(([name, count]) => count > 0 && name.startsWith("overflowed"));
  const error = switches?.error_percent;
  const exact =
    error === null || error === undefined
      ? ""
      : ` The sum over all cgroups is ${error.toFixed(3)} % from the machine's own switches.`;
  return (
    <Figure
      name="monitor itself"
      help={`CPU time and memory of this agent.${exact}${lost.length > 0 ? ` Not counted where it belongs: ${lost.map(([name, count]) => `${count} ${name}`).join(", ")}.` : ""}`}
      value={text(agent.cpu_cores, (used) => percent(used * 100))}
      note={`${text(agent.resident_bytes, bytes)}${lost.length > 0 ? " · losses" : ""}`}
    />
  );
}

function Figure(props: { name: string; help: string; value: ComponentChildren; note?: string; bar?: number }) {
  return (
    <div class="figure" title={props.help}>
      <span class="figure-name">{props.name}</span>
      <span class="figure-value">
        {props.value} {props.note && <span class="dim">{props.note}</span>}
      </span>
      {props.bar !== undefined && (
        <span class="bar" aria-hidden="true">
          <span style={{ width: `${Math.min(props.bar, 1) * 100}%` }} />
        </span>
      )}
    </div>
  );
}

function help(name: HostMetricName): string {
  return plain(findHostMetric(name)?.help ?? "");
}

function text(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}

function share(part: number | null, whole: number | null): number {
  return part !== null && whole ? part / whole : 0;
}

/** Interfaces that lead out of the machine: what passes a container's is seen again there, if it leaves. */
function isPhysical({ name }: HostInterface): boolean {
  return !INNER_INTERFACES.some((beginning) => name.startsWith(beginning));
}

/** Disks that do not stand on others. */
function isDisk({ name }: Disk): boolean {
  return !NO_DISKS.some((beginning) => name.startsWith(beginning));
}

function named(things: readonly { name: string }[]): string {
  return things.map((thing) => thing.name).join(", ") || "none";
}

function sum<K extends string>(things: readonly { [key in K]: number | null }[], key: K): number | null {
  const values = things.map((thing) => thing[key]).filter((value): value is number => value !== null);
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null;
}
