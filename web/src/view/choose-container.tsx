/** Containers to choose from: those that run, then those that history knows. */

import { useEffect, useState } from "preact/hooks";

import { getSubjects, type Subject } from "../api/history";
import type { NarrowContainer, Snapshot } from "../api/types";

export interface Choosable {
  id: string;
  name: string;
  isEnded: boolean;
}

export function useChoosable(latest: Snapshot<NarrowContainer> | null): readonly Choosable[] {
  const [subjects, know] = useState<readonly Subject[]>([]);
  useEffect(() => {
    const stopped = new AbortController();
    getSubjects({ kind: "container" }, stopped.signal)
      .then((answer) => know(answer.subjects))
      .catch(() => undefined);
    return () => stopped.abort();
  }, []);
  const live = (latest?.containers ?? []).map(({ id, name, short_id, state }) => ({
    id,
    name: name ?? short_id,
    isEnded: state === "exited",
  }));
  const known = new Set(live.map(({ id }) => id));
  const ended = subjects
    .filter(({ id }) => !known.has(id))
    .map(({ id, name }) => ({ id, name: name ?? id.slice(0, 12), isEnded: true }));
  const byName = (one: Choosable, other: Choosable) =>
    Number(one.isEnded) - Number(other.isEnded) || one.name.localeCompare(other.name);
  return [...live, ...ended].sort(byName);
}

/** Options of a select, with what to do first in it. */
export function containerOptions(choosable: readonly Choosable[], first: string) {
  return [
    { value: "", text: first },
    ...choosable.map(({ id, name, isEnded }) => ({ value: id, text: name, group: isEnded ? "ended" : "running" })),
  ];
}
