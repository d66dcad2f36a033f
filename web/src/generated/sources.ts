// Generated from monitor/src/output/blame.rs by `cargo xtask codegen`; do not edit.

/** What is said of each source of waiting, and what would shorten a wait for a CPU for its sake. */
export const SOURCES = {
  self: { words: "its own other tasks", advice: "it has more to run than CPUs to run on: fewer threads, or more CPUs (--cpuset-cpus)" },
  container: { words: "containers that have ended", advice: "keep the two apart (--cpuset-cpus), give {victim} more weight (--cpu-shares), or bound the other (--cpus)" },
  system: { words: "the system: tasks in no container", advice: "give {victim} more weight (--cpu-shares), or CPUs that the system leaves alone" },
  quota: { words: "its CPU quota", advice: "raise its quota (--cpus), or lengthen its period (--cpu-period)" },
  wakeup: { words: "idle CPUs that woke up", advice: null },
  unknown: { words: "not known: other CPUs before a migration", advice: null },
} as const;
