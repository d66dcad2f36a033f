/** The table of containers: as many rows as there are, of which only those are drawn that can be seen. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { SPARK_KEY, type Column } from "../model/columns";
import type { Item, Row, View } from "../model/rows";
import { together } from "../model/rows";
import { sparkPath, type Sparks } from "../model/spark";
import { NONE } from "../model/units";
import { containerHref } from "../router";
import { memo } from "./memo";

/** Pixels of a row; the style sheet has the same. */
const ROW_HEIGHT = 27;
/** Less than this would be a dot. */
const LEAST_BAR = 0.02;
/** Rows above and below what is seen that are drawn as well. */
const SPARE = 5;

export interface TableProps {
  items: readonly Item[];
  columns: readonly Column[];
  view: View;
  sparks: Sparks;
  /** The moment of the last snapshot, in seconds since 1970. */
  at: number;
  sortBy: (column: Column) => void;
  fold: (group: string) => void;
}

export function ContainerTable({ items, columns, view, sparks, at, sortBy, fold }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const [first, last] = useSeen(box, items.length);
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  return (
    <div class="table-box" ref={box} tabIndex={0} role="region" aria-label="Containers">
      <table class="containers" style={{ minWidth: `${width}px` }} aria-rowcount={items.length + 1} data-at={at}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={{ width: `${column.width}px` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.key} column={column} view={view} sortBy={sortBy} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={first} columns={columns.length} />
          {items
            .slice(first, last)
            .map((item, index) =>
              item.is === "group" ? (
                <GroupLine key={`group ${item.name}`} item={item} columns={columns} index={first + index} fold={fold} />
              ) : (
                <RowLine
                  key={item.row.id}
                  row={item.row}
                  columns={columns}
                  index={first + index}
                  sparks={sparks}
                  at={at}
                />
              ),
            )}
          <Gap rows={items.length - last} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

/** The rows that are drawn: the first, and the one behind the last. */
function useSeen(box: { current: HTMLDivElement | null }, count: number): [number, number] {
  const [seen, see] = useState({ first: 0, shown: 40 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      // In steps, so that not every pixel is drawn anew.
      const first = Math.max(Math.floor(element.scrollTop / ROW_HEIGHT / 4) * 4 - SPARE, 0);
      const shown = Math.ceil(element.clientHeight / ROW_HEIGHT) + 2 * SPARE + 4;
      see((before) => (before.first === first && before.shown === shown ? before : { first, shown }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [box]);
  const first = Math.min(seen.first, Math.max(count - seen.shown, 0));
  return [first, Math.min(first + seen.shown, count)];
}

/** The place of rows that are not drawn. */
function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="gap" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );
}

function Head({ column, view, sortBy }: { column: Column; view: View; sortBy: (column: Column) => void }) {
  const isSorted = view.sort.key === column.key;
  const order = isSorted ? (view.descending ? "descending" : "ascending") : "none";
  return (
    <th scope="col" class={column.isText ? "is-text" : "is-number"} aria-sort={order} title={column.help}>
      <button type="button" onClick={() => sortBy(column)}>
        <span>
          {column.label}
          <span class="arrow" aria-hidden="true">
            {isSorted ? (view.descending ? "↓" : "↑") : ""}
          </span>
        </span>
        <span class="unit">{column.unit || "\u00a0"}</span>
      </button>
    </th>
  );
}

interface RowProps {
  row: Row;
  columns: readonly Column[];
  index: number;
  sparks: Sparks;
  at: number;
}

/** Drawn anew only with a new snapshot, other columns or in another place. */
const RowLine = memo(function RowLine({ row, columns, index, sparks, at }: RowProps) {
  return (
    <tr aria-rowindex={index + 2} class={`state-${row.container.state}`}>
      {columns.map((column) => (
        <Data key={column.key} column={column} row={row} sparks={sparks} at={at} />
      ))}
    </tr>
  );
});

function Data({ column, row, sparks, at }: { column: Column; row: Row; sparks: Sparks; at: number }) {
  if (column.key === "name") {
    const { text } = column.cell(row);
    return (
      <th scope="row" class="is-text">
        <a href={containerHref(row.id)} title={text}>
          {text}
        </a>
      </th>
    );
  }
  if (column.key === "state") {
    return (
      <td class="is-text">
        <StateBadge row={row} />
      </td>
    );
  }
  if (column.key === SPARK_KEY) {
    return (
      <td class="spark-cell">
        <svg class="spark" width="80" height="20" viewBox="0 0 80 20" aria-hidden="true">
          <path d={sparkPath(sparks.values(row.id, at), 80, 20)} />
        </svg>
      </td>
    );
  }
  const { text, note, bar } = column.cell(row);
  if (text === NONE && note === undefined) {
    return (
      <td class={column.isText ? "is-text dim" : "is-number dim"}>
        <span aria-label="not measured">{NONE}</span>
      </td>
    );
  }
  return (
    <td class={column.isText ? "is-text" : "is-number"} title={column.isText ? text : undefined}>
      {text}
      {note && <span class="note"> {note}</span>}
      {bar !== undefined && bar >= LEAST_BAR && (
        <span class="bar" aria-hidden="true">
          <span class={bar > 0.9 ? "is-full" : ""} style={{ width: `${Math.min(bar, 1) * 100}%` }} />
        </span>
      )}
    </td>
  );
}

export function StateBadge({ row }: { row: Pick<Row, "container"> }) {
  const { state, exit_code } = row.container;
  if (state !== "exited") return <span class={`badge is-${state}`}>{state}</span>;
  const isBad = exit_code !== null && exit_code !== 0;
  return (
    <span class={`badge is-exited${isBad ? " is-bad" : ""}`}>{exit_code === null ? "ended" : `exit ${exit_code}`}</span>
  );
}

function GroupLine(props: {
  item: Item & { is: "group" };
  columns: readonly Column[];
  index: number;
  fold: (group: string) => void;
}) {
  const { item, columns, index, fold } = props;
  return (
    <tr class="group" aria-rowindex={index + 2}>
      {columns.map((column, place) => {
        if (place === 0) {
          return (
            <th key={column.key} scope="row" class="is-text">
              <button type="button" aria-expanded={!item.isFolded} onClick={() => fold(item.name)} title={item.name}>
                <span aria-hidden="true">{item.isFolded ? "▸" : "▾"}</span> {item.name}{" "}
                <span class="dim">{item.rows.length}</span>
              </button>
            </th>
          );
        }
        return (
          <td key={column.key} class="is-number">
            {groupText(column, item.rows)}
          </td>
        );
      })}
    </tr>
  );
}

/** What a group has together, as a row of it would show it. */
function groupText(column: Column, rows: readonly Row[]): string {
  const value = together(column, rows);
  return value === null || column.key === SPARK_KEY ? "" : column.show(value);
}
