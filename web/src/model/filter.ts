/** Which containers are shown: words, and `key:value` of what a container has. */

import type { Identity } from "../api/types";

/** The keys that can stand before a colon. */
export const FILTER_KEYS = ["name", "image", "label", "runtime", "pod", "project", "state"] as const;
type Key = (typeof FILTER_KEYS)[number];

interface Term {
  /** `null`: anything that names the container. */
  key: Key | null;
  value: string;
  /** Written with a minus before it. */
  not: boolean;
}

export type Filter = readonly Term[];

/** Reads terms divided by blanks; one in quotes may have blanks in it. All must hold. */
export function parseFilter(text: string): Filter {
  const terms: Term[] = [];
  for (const match of text.matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/g)) {
    const [, minus, key, quoted, bare] = match;
    const value = (quoted ?? bare ?? "").toLowerCase();
    const known = FILTER_KEYS.find((one) => one === key) ?? null;
    // What looks like a key and is none is a word with a colon, such as an image with its tag.
    const word = key !== undefined && known === null ? `${key}:${value}` : value;
    if (word !== "" || known !== null) terms.push({ key: known, value: word, not: minus === "-" });
  }
  return terms;
}

export function matches(filter: Filter, container: Identity): boolean {
  return filter.every((term) => holds(term, container) !== term.not);
}

function holds({ key, value }: Term, container: Identity): boolean {
  const has = (text: string | null | undefined) => text?.toLowerCase().includes(value) ?? false;
  switch (key) {
    case "name":
      return has(container.name ?? container.short_id);
    case "image":
      return has(container.image);
    case "runtime":
      return has(container.runtime);
    case "pod":
      return has(podOf(container));
    case "project":
      return has(projectOf(container));
    case "state":
      return container.state.startsWith(value);
    case "label":
      return hasLabel(container.labels, value);
    case null:
      return has(container.name) || has(container.image) || container.id.startsWith(value) || has(podOf(container));
  }
}

/** `KEY` or `KEY=VALUE`; as long as it is typed, a part of the value will do. */
function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const [key, value] = [
    wanted.split("=", 1)[0] ?? "",
    wanted.includes("=") ? wanted.slice(wanted.indexOf("=") + 1) : null,
  ];
  return Object.entries(labels).some(
    ([name, told]) => name.toLowerCase() === key && (value === null || told.toLowerCase().startsWith(value)),
  );
}

/** The pod as it is written: its namespace and its name, or its uid where the runtime tells neither. */
export function podOf({ pod }: Identity): string | null {
  if (!pod) return null;
  return pod.name ? [pod.namespace, pod.name].filter(Boolean).join("/") : pod.uid;
}

/** What Docker's and Podman's Compose call the project. */
export const PROJECT_LABELS = ["com.docker.compose.project", "io.podman.compose.project"] as const;

/** The Compose project that it is part of. */
export function projectOf({ labels }: Identity): string | null {
  return labels[PROJECT_LABELS[0]] ?? labels[PROJECT_LABELS[1]] ?? null;
}
