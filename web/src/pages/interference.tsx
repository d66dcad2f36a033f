/** Who keeps whom waiting: for a CPU, over any range that history holds, and for block devices. */

import { useEffect, useRef, useState } from "preact/hooks";

import { Failure } from "../api/client";
import { getInterference, type PastInterference, type Range } from "../api/history";
import { poll } from "../api/poll";
import type { Interference, NarrowContainer, Snapshot } from "../api/types";
import { matrixOf, worst, type Matrix, type Wait } from "../model/interference";
import { duration, moment, seconds, span } from "../model/units";
import { containerHref, location, setParams } from "../router";
import { fileName, saveCsv, saveJson, savePicture, tablePicture } from "../view/download";
import { DownloadMenu } from "../view/download-menu";
import { Choice, Notice } from "../view/parts";
import { RangeChoice, useKept, useRange } from "../view/range";
import { useLive } from "../view/status";

type Resource = "cpu" | "block";

/** Rows and columns of the matrix at most. */
const MOST = 24;
const PAIRS = 12;
const EVERY_MS = 2000;

interface Waits {
  waits: readonly Wait[];
  /** Seconds that were looked at. */
  seconds: number;
  problem: string | null;
}

export function InterferencePage() {
  const resource: Resource = location.value.params.get("for") === "block" ? "block" : "cpu";
  const kept = useKept();
  const range = useRange(kept, { last: 60 });
  const past = usePastWaits(range, resource);
  // Without a history it is what was seen since the page was opened.
  const hasNoPast = past !== null && past.problem !== null;
  const live = useLive(hasNoPast ? "?fields=interference,block_interference" : "?fields=cpu.usage_cores");
  const since = useSinceOpened(hasNoPast ? live.latest.value : null, resource);
  const shown = hasNoPast ? since : past;
  if (!shown) return <Notice title={hasNoPast ? "Waiting for two snapshots" : "Adding up who waited for whom"} />;
  const matrix = matrixOf(shown.waits, MOST);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Interference</h1>
        <span class="dim">
          {resource === "cpu" ? "who kept whom from a CPU" : "whose requests stood before whose at a block device"}
        </span>
      </div>
      <div class="toolbar is-sticky">
        <Choice
          label="Resource"
          options={[
            { value: "cpu", text: "CPU" },
            { value: "block", text: "Block devices" },
          ]}
          value={resource}
          choose={(value) => setParams({ for: value === "cpu" ? null : value })}
        />
        <RangeChoice range={range} kept={kept} />
        <DownloadMenu {...downloads(shown, matrix, resource)} />
        {hasNoPast && (
          <span class="dim">
            over the {span(shown.seconds)} since this page was opened: {past.problem}
          </span>
        )}
      </div>
      {matrix.victims.length === 0 ? (
        <Notice title="Nobody waited">No container was kept waiting in this range.</Notice>
      ) : (
        <div class="interference">
          <MatrixTable matrix={matrix} />
          <Pairs waits={shown.waits} resource={resource} />
        </div>
      )}
    </div>
  );
}

/** The waits of a range, asked for again as long as it ends now; `null` before the first answer. */
function usePastWaits(range: Range, resource: Resource): Waits | null {
  const [waits, tell] = useState<Waits | null>(null);
  useEffect(
    () =>
      poll(EVERY_MS, async (stopped) => {
        try {
          const answer = await getInterference(range, stopped);
          tell({ waits: waitsOf(answer, resource), seconds: seconds(answer.to) - seconds(answer.from), problem: null });
        } catch (error) {
          // What is shown stays where there is no answer at all, which the head of the page tells.
          if (!(error instanceof Failure) || error.status === 0) throw error;
          tell({ waits: [], seconds: 0, problem: error.message });
          // Switched off: there is none to be asked for again.
          return error.status === 404 ? "enough" : undefined;
        }
        return "last" in range ? undefined : "enough";
      }),
    [range, resource],
  );
  return waits;
}

function waitsOf(past: PastInterference, resource: Resource): Wait[] {
  const named = (id: string, name: string | null) => ({ id, name: name ?? id.slice(0, 12) });
  return past.containers.flatMap((victim) =>
    (resource === "cpu" ? victim.interference : (victim.block_interference ?? [])).map((part) => ({
      victim: named(victim.id, victim.name),
      source: part.source,
      aggressor: part.id ? named(part.id, part.name) : null,
      ns: part.wait_ns,
    })),
  );
}

/** What was waited since the page was opened, from the totals of two snapshots. */
function useSinceOpened(latest: Snapshot<NarrowContainer> | null, resource: Resource): Waits | null {
  const first = useRef<Snapshot<NarrowContainer> | null>(null);
  first.current ??= latest;
  if (!latest || !first.current || latest === first.current) return null;
  const partsOf = (container: NarrowContainer | undefined): readonly Interference[] =>
    ((resource === "cpu" ? container?.interference : container?.block_interference) as
      readonly Interference[] | null | undefined) ?? [];
  const earlier = new Map(first.current.containers.map((container) => [container.id, container]));
  const waits = latest.containers.flatMap((container) => {
    const before = new Map(
      partsOf(earlier.get(container.id)).map((part) => [`${part.source} ${part.id}`, part.wait_ns_total]),
    );
    return partsOf(container).map((part): Wait => ({
      victim: { id: container.id, name: container.name ?? container.short_id },
      source: part.source,
      aggressor: part.id ? { id: part.id, name: part.name ?? part.id.slice(0, 12) } : null,
      ns: Math.max(part.wait_ns_total - (before.get(`${part.source} ${part.id}`) ?? 0), 0),
    }));
  });
  return { waits, seconds: seconds(latest.taken_at) - seconds(first.current.taken_at), problem: null };
}

function MatrixTable({ matrix }: { matrix: Matrix }) {
  const { victims, aggressors, cells, most, left } = matrix;
  return (
    <div class="matrix-box" tabIndex={0} role="region" aria-label="Who waited for whom">
      <table class="matrix">
        <caption class="hidden">Each row waited for the columns; in cells how long, over the range.</caption>
        <thead>
          <tr>
            <th scope="col" class="corner">
              waited <span class="dim">for →</span>
            </th>
            <th scope="col" class="column-name">
              <span>in all</span>
            </th>
            {aggressors.map(({ key, id, name }) => (
              <th key={key} scope="col" class="column-name">
                <span>{id ? <a href={containerHref(id)}>{name}</a> : <i>{name}</i>}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {victims.map((victim, row) => (
            <tr key={victim.id}>
              <th scope="row">
                <a href={containerHref(victim.id)}>{victim.name}</a>
              </th>
              <td class="sum">{duration(victim.ns)}</td>
              {aggressors.map(({ key, name }, column) => {
                const ns = cells[row]?.[column] ?? 0;
                const share = most > 0 ? Math.sqrt(ns / most) : 0;
                return (
                  <td
                    key={key}
                    class="cell"
                    // Not darker than what the text can be read on.
                    style={{ backgroundColor: ns > 0 ? `rgba(var(--heat), ${(0.05 + 0.45 * share).toFixed(3)})` : "" }}
                    title={ns > 0 ? `${victim.name} waited ${duration(ns)} for ${name}` : ""}
                  >
                    {ns > 0 ? duration(ns) : <span class="dim">·</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p class="dim">{left} others with less are not shown; they are in the downloads.</p>}
    </div>
  );
}

function Pairs({ waits, resource }: { waits: readonly Wait[]; resource: Resource }) {
  return (
    <section class="pairs" aria-label="The worst in words">
      <h2>The worst, and what would help</h2>
      <ol>
        {worst(waits, PAIRS, resource).map(({ victim, words, advice }, index) => (
          <li key={index}>
            <a href={containerHref(victim.id)}>{victim.name}</a> {words}.{advice && <div class="dim">→ {advice}</div>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function downloads(shown: Waits, matrix: Matrix, resource: Resource) {
  const name = fileName(`interference-${resource}`);
  return {
    json: () => saveJson(name, { seconds: shown.seconds, waits: shown.waits }),
    csv: () =>
      saveCsv(name, {
        header: ["victim_id", "victim", "source", "aggressor_id", "aggressor", "wait_ns"],
        rows: shown.waits.map(({ victim, source, aggressor, ns }) => [
          victim.id,
          victim.name,
          source,
          aggressor?.id ?? null,
          aggressor?.name ?? null,
          ns,
        ]),
      }),
    png: () => {
      const header = ["waited for", ...matrix.aggressors.map((one) => one.name)];
      const rows = matrix.victims.map((victim, row) => [
        victim.name,
        ...matrix.aggressors.map((_, column) => {
          const ns = matrix.cells[row]?.[column] ?? 0;
          return ns > 0 ? duration(ns) : "";
        }),
      ]);
      savePicture(
        name,
        tablePicture(`waits over ${span(shown.seconds)} · ${moment(Date.now() / 1000)}`, { header, rows }),
      );
    },
  };
}
