/** All containers in one table, below the machine in one line. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { Failure } from "../api/client";
import { getHistory, getSubjects, type Subject } from "../api/history";
import { poll } from "../api/poll";
import type { NarrowContainer, Snapshot } from "../api/types";
import { COLUMNS, NAME, USUAL, columnOf, others, type Column } from "../model/columns";
import { FILTER_KEYS } from "../model/filter";
import { words, type MetricName } from "../model/metrics";
import { GROUPINGS, arrange, endedRows, liveRows, type Grouping, type Row, type View } from "../model/rows";
import { STEPS, STEP_S, Sparks } from "../model/spark";
import { seconds } from "../model/units";
import { location, setParams } from "../router";
import { ContainerTable } from "../view/container-table";
import { fileName, saveCsv, saveJson, savePicture, tablePicture } from "../view/download";
import { DownloadMenu } from "../view/download-menu";
import { HostLine } from "../view/host-line";
import { Choice, Menu, Notice, Select } from "../view/parts";
import { status, useLive } from "../view/status";

const TREND: MetricName = "cpu.usage_cores";
/** Ended containers are asked for again this often. */
const ENDED_EVERY_MS = 10_000;

export function OverviewPage() {
  const { params } = location.value;
  const keys = params.get("columns")?.split(",") ?? USUAL;
  const columns = useMemo(() => columnsOf(keys), [keys.join()]);
  const view = useView(columns, params);
  const live = useLive(queryOf(columns, view.sort));
  const { snapshot, rows, sparks } = useRows(live);
  const ended = useEnded(rows, snapshot ? seconds(snapshot.taken_at) : 0);
  const showsEnded = params.get("ended") !== "no";
  const all = showsEnded ? [...rows, ...ended] : rows;
  const { items, count } = arrange(all, view);
  if (!snapshot) return <Waiting />;
  const table = { items, columns, view, sparks, at: seconds(snapshot.taken_at) };
  return (
    <div class="overview">
      <h1 class="hidden">Overview</h1>
      <HostLine host={snapshot.host} audit={snapshot.audit} coverage={snapshot.coverage} />
      <Toolbar
        count={count}
        total={all.length}
        ended={ended.length}
        showsEnded={showsEnded}
        columns={columns}
        group={view.group}
      >
        <DownloadMenu
          {...downloads(
            items.flatMap((item) => (item.is === "row" ? [item.row] : [])),
            columns,
            snapshot,
          )}
        />
      </Toolbar>
      {count > 0 ? (
        <ContainerTable
          {...table}
          sortBy={(column) => setParams({ sort: nextSort(view, column) })}
          fold={(name) => setParams({ folded: toggled(view.folded, name) })}
        />
      ) : (
        <Nothing isFiltered={all.length > 0} />
      )}
    </div>
  );
}

function columnsOf(keys: readonly string[]): Column[] {
  const columns = keys
    .map(columnOf)
    .filter((column): column is Column => column !== undefined && column.key !== NAME.key);
  return [NAME, ...columns];
}

/** What the stream is asked for: what is shown, and nothing else. */
function queryOf(columns: readonly Column[], sort: Column): string {
  const fields = new Set([TREND, ...[...columns, sort].flatMap((column) => column.fields)]);
  return `?fields=${[...fields].sort().join(",")}`;
}

function useView(columns: readonly Column[], params: URLSearchParams): View {
  const sort = params.get("sort") ?? "-cpu";
  const column = columnOf(sort.replace(/^-/, "")) ?? columns[0] ?? NAME;
  const group = GROUPINGS.find((one) => one === params.get("group")) ?? null;
  return {
    filter: params.get("filter") ?? "",
    sort: column,
    descending: sort.startsWith("-"),
    group,
    folded: new Set(params.getAll("folded")),
  };
}

/** Numbers begin with the most, words with the first. */
function nextSort(view: View, column: Column): string {
  const isSame = view.sort.key === column.key;
  const descending = isSame ? !view.descending : !column.isText;
  return (descending ? "-" : "") + column.key;
}

function toggled(set: ReadonlySet<string>, name: string): string[] {
  return set.has(name) ? [...set].filter((one) => one !== name) : [...set, name];
}

/** The rows of the last snapshot, and the trend of each. */
function useRows(live: ReturnType<typeof useLive<NarrowContainer>>) {
  const sparks = useRef(new Sparks()).current;
  const last = useRef<{ snapshot: Snapshot<NarrowContainer>; rows: Row[] } | null>(null);
  const before = useRef<Snapshot<NarrowContainer> | null>(null);
  const snapshot = live.latest.value;
  useEffect(() => fillSparks(sparks), [sparks]);
  useEffect(
    () =>
      live.listen((snapshot) => {
        const at = seconds(snapshot.taken_at);
        for (const { id, cpu } of snapshot.containers) sparks.push(id, at, cpu?.usage_cores ?? null);
      }),
    [live, sparks],
  );
  if (snapshot && snapshot !== last.current?.snapshot) {
    // A stream with other fields begins anew, and with it what there is to subtract.
    before.current = last.current?.snapshot ?? null;
    last.current = { snapshot, rows: liveRows(snapshot, before.current) };
    sparks.keep(new Set(last.current.rows.map((row) => row.id)));
  }
  return { snapshot: last.current?.snapshot ?? null, rows: last.current?.rows ?? [], sparks };
}

/** What was before the page was opened, where there is a history. */
function fillSparks(sparks: Sparks): () => void {
  const stopped = new AbortController();
  getHistory(
    { range: { last: STEPS * STEP_S }, step: STEP_S, metrics: [TREND], figures: ["mean"], containers: ["*"] },
    stopped.signal,
  )
    .then(({ times, subjects }) => {
      for (const { id, metrics } of subjects) {
        metrics[TREND]?.mean?.forEach((value, index) => sparks.push(id, times[index] ?? 0, value));
      }
    })
    // Without a history the lines begin now.
    .catch(() => undefined);
  return () => stopped.abort();
}

/** Containers that have ended and that history still knows. */
function useEnded(rows: readonly Row[], at: number): Row[] {
  const [subjects, know] = useState<readonly Subject[]>([]);
  useEffect(
    () =>
      poll(ENDED_EVERY_MS, async (stopped) => {
        try {
          know((await getSubjects({ kind: "container", state: "exited" }, stopped)).subjects);
        } catch (error) {
          // Switched off: there is none to be asked for again.
          if (error instanceof Failure && error.status === 404) return "enough";
          throw error;
        }
      }),
    [],
  );
  return useMemo(() => endedRows(subjects, rows, at), [subjects, rows, at]);
}

function Toolbar(props: {
  count: number;
  total: number;
  ended: number;
  showsEnded: boolean;
  columns: readonly Column[];
  group: Grouping | null;
  children: preact.ComponentChildren;
}) {
  const { params } = location.value;
  const filter = params.get("filter") ?? "";
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || (event.target as Element).closest("input, select, textarea")) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", slash);
    return () => document.removeEventListener("keydown", slash);
  }, []);
  return (
    <div class="toolbar">
      <input
        ref={input}
        type="search"
        class="filter"
        aria-label="Filter"
        placeholder="Filter: words, label:key=value, runtime:, pod:, state:   ( / )"
        title={`Words of name, image, id or pod; or KEY:VALUE with one of ${FILTER_KEYS.join(", ")}. A minus before a word leaves out what has it.`}
        value={filter}
        onInput={(event) => setParams({ filter: event.currentTarget.value || null })}
      />
      <Select
        label="State"
        options={[
          { value: "", text: "all" },
          ...["running", "paused", "exited"].map((value) => ({ value, text: value })),
        ]}
        value={stateIn(filter)}
        choose={(state) => setParams({ filter: withState(filter, state) || null })}
      />
      <Select
        label="Group"
        options={[{ value: "", text: "none" }, ...GROUPINGS.map((value) => ({ value, text: value }))]}
        value={props.group ?? ""}
        choose={(group) => setParams({ group: group || null, folded: null })}
      />
      <ColumnsMenu columns={props.columns} />
      {props.ended > 0 && (
        <Choice
          label="Ended containers"
          options={[{ value: "ended", text: `ended (${props.ended})` }]}
          value={props.showsEnded ? "ended" : null}
          choose={() => setParams({ ended: props.showsEnded ? "no" : null })}
        />
      )}
      {props.children}
      <span class="count dim">
        {props.count === props.total ? `${props.total} containers` : `${props.count} of ${props.total} containers`}
      </span>
    </div>
  );
}

const STATE = /(?:^|\s)state:(\S+)/;

function stateIn(filter: string): string {
  return STATE.exec(filter)?.[1] ?? "";
}

function withState(filter: string, state: string): string {
  const rest = filter.replace(STATE, "").trim();
  return [rest, state && `state:${state}`].filter(Boolean).join(" ");
}

function ColumnsMenu({ columns }: { columns: readonly Column[] }) {
  const [wanted, want] = useState("");
  const shown = new Set(columns.map((column) => column.key));
  const choose = (key: string, isShown: boolean) => {
    const keys = columns.map((column) => column.key).filter((one) => one !== key && one !== NAME.key);
    const now = isShown ? [...keys, key] : keys;
    // In their usual order, those of the catalogue behind.
    const order = (one: string) => COLUMNS.findIndex((column) => column.key === one) + 1 || COLUMNS.length + 1;
    now.sort((one, other) => order(one) - order(other));
    setParams({ columns: now.join() === USUAL.slice(1).join() ? null : now.join() });
  };
  const has = (text: string) => text.toLowerCase().includes(wanted.toLowerCase());
  const box = (key: string, text: string, help: string) => (
    <label key={key} title={help}>
      <input type="checkbox" checked={shown.has(key)} onChange={(event) => choose(key, event.currentTarget.checked)} />{" "}
      {text}
    </label>
  );
  return (
    <Menu label="Columns">
      <input
        type="search"
        aria-label="Find a column"
        placeholder="Find a column"
        value={wanted}
        onInput={(event) => want(event.currentTarget.value)}
      />
      <div class="menu-list">
        {COLUMNS.slice(1)
          .filter((column) => has(column.label + column.unit))
          .map((column) => box(column.key, [column.label, column.unit].filter(Boolean).join(", "), column.help))}
        {others().map(({ group, names }) => {
          const found = names.filter((name) => has(name) || has(words(name)));
          if (found.length === 0) return null;
          return (
            <fieldset key={group}>
              <legend>{group.replace("_", " ")}</legend>
              {found.map((name) => box(name, words(name.slice(group.length + 1)), columnOf(name)?.help ?? ""))}
            </fieldset>
          );
        })}
      </div>
      <button type="button" onClick={() => setParams({ columns: null })}>
        As usual
      </button>
    </Menu>
  );
}

function downloads(rows: readonly Row[], columns: readonly Column[], snapshot: Snapshot<NarrowContainer>) {
  const name = fileName("overview");
  const header = columns.map((column) => column.key);
  return {
    json: () => saveJson(name, { taken_at: snapshot.taken_at, containers: rows.map(({ container }) => container) }),
    csv: () => saveCsv(name, { header, rows: rows.map((row) => columns.map((column) => column.value(row))) }),
    png: () => {
      const text = rows
        .slice(0, 200)
        .map((row) =>
          columns.map((column) => [column.cell(row).text, column.cell(row).note].filter(Boolean).join(" ")),
        );
      const labels = columns.map((column) => [column.label, column.unit].filter(Boolean).join(", "));
      savePicture(
        name,
        tablePicture(`${snapshot.host.hostname} · ${snapshot.taken_at}`, { header: labels, rows: text }),
      );
    },
  };
}

function Waiting() {
  const { is, why } = status.value;
  if (is === "lost") return <Notice title="No data">{why}. It is tried again as long as this page is open.</Notice>;
  return <Notice title="Waiting for the first snapshot">It comes with the next tick, a second or so from now.</Notice>;
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Notice title="No container is like that">
        <button type="button" onClick={() => setParams({ filter: null })}>
          Clear the filter
        </button>
      </Notice>
    );
  }
  return (
    <Notice title="No container runs here">
      Start one, such as <code>docker run --rm -it debian</code>: it appears within a second. If one runs already,{" "}
      <code>monitor doctor</code> says which runtimes are asked and what is missing.{" "}
      <a href="/api/v1/cgroups">Cgroups</a> that are no containers are measured as well.
    </Notice>
  );
}
