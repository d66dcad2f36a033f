/** Takes what is seen home: as JSON, CSV or a picture. */

import { twoDigits } from "../model/units";
import { colour } from "./colour";

export interface Table {
  header: string[];
  rows: (string | number | null)[][];
}

export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // After the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveJson(name: string, value: unknown): void {
  save(`${name}.json`, new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: "application/json" }));
}

export function saveCsv(name: string, table: Table): void {
  save(`${name}.csv`, new Blob([toCsv(table)], { type: "text/csv" }));
}

/** As RFC 4180 has it; what was not measured is empty. Text that a spreadsheet would take for a formula gets an apostrophe, as in
 * monitor's own CSV: names and labels are chosen in containers. */
export function toCsv({ header, rows }: Table): string {
  const cell = (value: string | number | null) => {
    const isFormula = typeof value === "string" && /^[=+\-@]/.test(value) && Number.isNaN(Number(value));
    const text = value === null ? "" : `${isFormula ? "'" : ""}${value}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** `monitor-overview-20261123-1402`. */
export function fileName(what: string, now = new Date()): string {
  const day = `${now.getFullYear()}${twoDigits(now.getMonth() + 1)}${twoDigits(now.getDate())}`;
  const time = `${twoDigits(now.getHours())}${twoDigits(now.getMinutes())}`;
  return `monitor-${what.replace(/[^\w.-]+/g, "_")}-${day}-${time}`;
}

const FONT = "13px system-ui, sans-serif";
const LINE = 22;
const PAD = 12;

/** A picture of a table. */
export function tablePicture(
  title: string,
  { header, rows }: { header: string[]; rows: string[][] },
): HTMLCanvasElement {
  const measure = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  measure.font = FONT;
  const widths = header.map((name, column) =>
    Math.ceil(
      Math.max(...[name, ...rows.map((row) => row[column] ?? "")].map((text) => measure.measureText(text).width)),
    ),
  );
  const width = widths.reduce((sum, one) => sum + one + PAD, PAD);
  return picture(width, (rows.length + 2) * LINE + PAD, (context) => {
    const put = (texts: string[], line: number) => {
      let x = PAD;
      texts.forEach((text, column) => {
        context.textAlign = column === 0 ? "left" : "right";
        context.fillText(text, column === 0 ? x : x + (widths[column] ?? 0), line * LINE + LINE / 2);
        x += (widths[column] ?? 0) + PAD;
      });
    };
    context.fillText(title, PAD, LINE / 2);
    context.fillStyle = colour("dim");
    put(header, 1);
    context.fillStyle = colour("text");
    rows.forEach((row, index) => put(row, index + 2));
  });
}

/** A picture of several, one below the other, each below its title. */
export function stackedPicture(
  title: string,
  parts: { title: string; canvas: HTMLCanvasElement }[],
): HTMLCanvasElement {
  const ratio = window.devicePixelRatio || 1;
  const sizes = parts.map(({ canvas }) => ({ width: canvas.width / ratio, height: canvas.height / ratio }));
  const width = Math.max(...sizes.map((size) => size.width), 300) + 2 * PAD;
  const height = sizes.reduce((sum, size) => sum + size.height + LINE, LINE + PAD);
  return picture(width, height, (context) => {
    context.fillText(title, PAD, LINE / 2);
    let y = LINE;
    parts.forEach(({ title, canvas }, index) => {
      const size = sizes[index] ?? { width: 0, height: 0 };
      context.fillText(title, PAD, y + LINE / 2);
      if (size.width > 0) context.drawImage(canvas, PAD, y + LINE, size.width, size.height);
      y += LINE + size.height;
    });
  });
}

function picture(width: number, height: number, draw: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(ratio, ratio);
  context.fillStyle = colour("ground");
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  context.fillStyle = colour("text");
  draw(context);
  return canvas;
}

export function savePicture(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => blob && save(`${name}.png`, blob), "image/png");
}
