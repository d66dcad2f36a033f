/**
 * What the server sends. The groups of scalars come from the catalogue; what is written here is the rest of
 * docs/schema/snapshot.schema.json that the pages read. Counters may be beyond what a double holds exactly, which does
 * no harm where they are only shown: rates are the server's.
 */

import type {
  AGENT_METRICS,
  DISK_METRICS,
  DISTRIBUTIONS,
  FILESYSTEM_METRICS,
  HOST_METRICS,
  INTERFACE_METRICS,
  METRICS,
  Metric,
  TREE_METRICS,
} from "../generated/catalogue";

type Scalars<M extends Metric> = { [One in M as One["name"]]: (One["kind"] extends "text" ? string : number) | null };
type Groups<M extends Metric> = { [Group in M["group"]]: Scalars<Extract<M, { group: Group }>> };
type Spread = (typeof DISTRIBUTIONS)[number];
type Spreads = {
  [Group in Spread["group"]]: { [One in Extract<Spread, { group: Group }> as One["name"]]: Latency | null };
};

/** How often each duration was seen. */
export interface Latency {
  count: number;
  p50_ns: number | null;
  p90_ns: number | null;
  p99_ns: number | null;
  max_ns: number | null;
  /** Not in an answer to `fields`. */
  buckets?: Bucket[];
}

export interface Bucket {
  from_ns: number;
  to_ns: number | null;
  count: number;
}

export interface StallShare {
  avg10: number;
  avg60: number;
  avg300: number;
  stall_us_total: number;
}

export interface Stall {
  some: StallShare | null;
  full: StallShare | null;
}

export type Resource = "cpu" | "memory" | "io";
export type Pressure = Record<Resource, Stall | null>;

export type Source = "self" | "container" | "system" | "quota" | "wakeup" | "unknown";

export interface Interference {
  source: Source;
  id: string | null;
  name: string | null;
  wait_ns_total: number;
  wait_ns_per_second: number | null;
  waits_total: number;
  /** Of waits for a CPU. */
  preemptions_total?: number;
}

export interface NetworkInterface {
  name: string;
  rx_bytes_total: number;
  rx_packets_total: number;
  rx_errors_total: number;
  rx_dropped_total: number;
  tx_bytes_total: number;
  tx_packets_total: number;
  tx_errors_total: number;
  tx_dropped_total: number;
}

export interface BlockDevice {
  device: string;
  name: string | null;
  read_bytes_total: number | null;
  write_bytes_total: number | null;
  read_ops_total: number | null;
  write_ops_total: number | null;
}

export type Tree = { path: string; method: string | null; measured_at: string | null } & Scalars<
  (typeof TREE_METRICS)[number]
>;
export type Volume = Tree & { kind: string; name: string | null; destination: string };

export interface Drops {
  reason: string | null;
  packets_total: number;
}

/** What is measured of a container and of a cgroup. */
export type Measurements = Groups<(typeof METRICS)[number]> &
  Spreads & {
    scheduler: { on_cpu_ns_by_cpu: number[] | null };
    network: { drops: Drops[] | null; interfaces: NetworkInterface[] | null };
    block_io: { devices: BlockDevice[] | null };
    filesystems: { writable_layer: Tree | null; logs: Tree | null; volumes: Volume[] | null };
    pressure: Pressure;
    interference: Interference[] | null;
    block_interference: Interference[] | null;
  };

export interface Pod {
  name: string | null;
  namespace: string | null;
  uid: string;
}

export type State = "running" | "paused" | "exited";

/** Who a container is. */
export interface Identity {
  id: string;
  short_id: string;
  name: string | null;
  image: string | null;
  runtime: string;
  state: State;
  exit_code: number | null;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  labels: Record<string, string>;
  pod: Pod | null;
}

export interface Place {
  counting_since: string;
  cgroup: { id: number; path: string | null };
}

export type Container = Identity & Place & Measurements & { namespaces: Record<string, number | null> };

/** A container of which only some fields were asked for: what was not is not there. */
export type NarrowContainer = Identity &
  Place & { [Group in keyof Measurements]?: Partial<Measurements[Group]> | null };

export type Disk = { name: string; device: string } & Scalars<(typeof DISK_METRICS)[number]>;
export type HostInterface = { name: string } & Scalars<(typeof INTERFACE_METRICS)[number]>;
export type HostFilesystem = { mount_point: string; source: string; fs_type: string } & Scalars<
  (typeof FILESYSTEM_METRICS)[number]
>;

export type Host = Groups<(typeof HOST_METRICS)[number]> & {
  hostname: string;
  kernel_release: string;
  cpus: number;
  memory_bytes: number | null;
  cgroup_mode: string | null;
  disks: Disk[] | null;
  interfaces: HostInterface[] | null;
  filesystems: HostFilesystem[] | null;
  pressure: Pressure;
};

export interface Comparison {
  error_percent: number | null;
}

export interface Audit {
  switches: Comparison | null;
  agent: Scalars<(typeof AGENT_METRICS)[number]>;
}

export interface Coverage {
  lost: Record<string, number>;
  sources: Record<string, { state: string; reason: string | null }>;
}

export interface Snapshot<C = Container> {
  schema_version: number;
  taken_at: string;
  window_ns: number;
  host: Host;
  containers: C[];
  audit: Audit;
  coverage: Coverage;
}

export interface MonitorEvent {
  number: number;
  at: string;
  kind: string;
  container: { id: string; name: string | null } | null;
  comm?: string;
  pid?: number;
  exit_code?: number | null;
  signal?: number | null;
  path?: string | null;
  throttled_ns?: number;
  throttled_periods?: number;
}
