/** What the tests in a browser stand on: a server, containers, a browser. Each is undone when its test file ends. */

import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { afterAll, expect } from "vitest";

import type { Container, Snapshot } from "../src/api/types";

const run = promisify(execFile);

/** A variable that `cargo xtask test` sets. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: \`cargo xtask test dashboard\` sets it`);
  return value;
}

const undo: (() => Promise<unknown> | unknown)[] = [];
afterAll(async () => {
  for (const one of undo.reverse()) await one();
  undo.length = 0;
});

/** Asks until there is an answer; fails with `what` after a time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  limitMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await pause(50);
  }
}

/** The least that several rounds take, until one takes as little as is asked for. */
export async function best(rounds: number, enough: number, take: (round: number) => Promise<number>): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds && least > enough; round++) least = Math.min(least, await take(round));
  return least;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A running `monitor serve`. */
export class Server {
  private child: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly args: readonly string[],
  ) {}

  static async start(...args: string[]): Promise<Server> {
    const server = new Server(await freePort(), args);
    undo.push(() => server.stop());
    await server.go();
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Starts it, again after a stop, and waits until it is asked in vain no more. */
  async go(): Promise<void> {
    const child = spawn(
      required("MONITOR_BIN"),
      ["serve", "--listen", `127.0.0.1:${this.port}`, "--data-dir=", ...this.args],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const said: string[] = [];
    child.stderr?.on("data", (text: Buffer) => said.push(text.toString()));
    this.child = child;
    await until(`monitor to serve: ${said.join("")}`, async () => {
      if (child.exitCode !== null) throw new Error(`monitor ended with ${child.exitCode}: ${said.join("")}`);
      return (await fetch(`${this.origin}/healthz`).catch(() => null))?.ok;
    });
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  async json<T>(path: string): Promise<T> {
    const response = await fetch(this.origin + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  snapshot(): Promise<Snapshot<Container>> {
    return this.json("/api/v1/snapshot");
  }

  /** Nanoseconds on a CPU of all its threads. */
  cpuNs(): number {
    const tasks = `/proc/${this.pid}/task`;
    const times = readdirSync(tasks).map((tid) =>
      Number(readFileSync(`${tasks}/${tid}/schedstat`, "utf8").split(" ")[0]),
    );
    return times.reduce((sum, time) => sum + time, 0);
  }
}

/** A way to a server that can be cut, as a cable can. */
export class Detour {
  private readonly sockets = new Set<Socket>();
  private listener: NetServer | null = null;

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  static async start(server: Server): Promise<Detour> {
    const detour = new Detour(server, await freePort());
    undo.push(() => detour.cut());
    await detour.restore();
    return detour;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async cut(): Promise<void> {
    const listener = this.listener;
    this.listener = null;
    const closed = new Promise((resolve) => (listener ? listener.close(resolve) : resolve(null)));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async restore(): Promise<void> {
    const listener = createServer((near) => {
      const far = connect(this.server.port, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    this.listener = listener;
    await new Promise<void>((resolve) => listener.listen(this.port, "127.0.0.1", resolve));
  }
}

function docker(...args: string[]): Promise<{ stdout: string }> {
  return run("docker", args, { env: { ...process.env, DOCKER_HOST: required("DOCKER_HOST") } });
}

let image: Promise<string> | null = null;

/** An image with a static busybox in it, which is all there is without a registry. */
function imageOf(): Promise<string> {
  image ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "monitor-dashboard-"));
    try {
      mkdirSync(join(folder, "bin"));
      mkdirSync(join(folder, "tmp"));
      copyFileSync("/bin/busybox", join(folder, "bin/busybox"));
      const tag = `busybox-${process.pid}:1`;
      const env = { ...process.env, DOCKER_HOST: required("DOCKER_HOST") };
      execFileSync("sh", ["-c", `ln -s busybox bin/sh && tar -c . | docker import - ${tag}`], { cwd: folder, env });
      undo.unshift(() => docker("image", "rm", "--force", tag));
      return tag;
    } finally {
      rmSync(folder, { recursive: true });
    }
  })();
  return image;
}

/** A container that does what a shell is told. Removed at the end. */
export class Box {
  private constructor(
    readonly id: string,
    readonly name: string,
  ) {}

  static async start(name: string, script: string, ...create: string[]): Promise<Box> {
    const network = create.includes("--network") ? [] : ["--network", "none"];
    const args = ["run", "--detach", "--name", name, ...network, ...create, await imageOf()];
    const { stdout } = await docker(...args, "/bin/busybox", "sh", "-c", script);
    const box = new Box(stdout.trim(), name);
    undo.push(() => docker("rm", "--force", box.id).catch(() => undefined));
    return box;
  }

  /** When it was started, by the daemon, in milliseconds since 1970. */
  async startedAt(): Promise<number> {
    const { stdout } = await docker("inspect", "--format", "{{.State.StartedAt}}", this.id);
    return Date.parse(stdout.trim());
  }

  async remove(): Promise<void> {
    await docker("rm", "--force", this.id);
  }
}

/** Takes all the time of one CPU. */
export const HOG = "while :; do :; done";
export const IDLE = "busybox sleep 100000";

/** Whether the first line of a chart has a value now. */
export async function hasValues(chart: Locator): Promise<boolean> {
  return /^[^:]*: [^;]* now /.test((await chart.getAttribute("aria-label")) ?? "");
}

/** What a button of the download menu gives. */
export async function download(page: Page, form: "JSON" | "CSV" | "PNG"): Promise<Buffer> {
  await page.getByRole("button", { name: "Download" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: form, exact: true }).click(),
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  await page.keyboard.press("Escape");
  return Buffer.concat(chunks);
}

/** Names that no other run has. */
export function unique(name: string): string {
  return `${name}-${process.pid}`;
}

/** As many cgroups as asked for that are containers by their path, as a runtime would make them, with nothing in them. */
export function emptyContainers(count: number): void {
  const root = countedRoot();
  const parent = join(root, "docker");
  const isNew = !readdirSync(root).includes("docker");
  if (isNew) mkdirSync(parent);
  const made: string[] = [];
  undo.push(() => {
    for (const path of made) rmdirSync(path);
    if (isNew) rmdirSync(parent);
  });
  for (let number = 0; number < count; number++) {
    const path = join(parent, `dada${number.toString(16).padStart(60, "0")}`);
    mkdirSync(path);
    made.push(path);
  }
}

/** Where the cgroup2 tree is mounted, else a v1 hierarchy that every container is in. */
function countedRoot(): string {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mount =
    mounts.find((line) => line.includes(" - cgroup2 ")) ?? mounts.find((line) => / - cgroup .*\bcpu\b/.test(line));
  const point = mount?.split(" ")[4];
  if (!point) throw new Error("no cgroup hierarchy is mounted");
  return point;
}

let browser: Promise<Browser> | null = null;

function browserOf(): Promise<Browser> {
  if (!browser) {
    browser = chromium.launch({
      executablePath: required("CHROMIUM"),
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    });
    undo.push(async () => {
      await (await browser)?.close();
      browser = null;
    });
  }
  return browser;
}

/** What a page did that it must not. */
export interface Faults {
  /** Errors on the console and in scripts. */
  errors: string[];
  /** Requests to anywhere but its server. */
  foreign: string[];
}

export interface Tab {
  page: Page;
  faults: Faults;
}

/** A tab at a path of a server. What it must not do is looked at when it is closed. */
export async function open(
  server: { origin: string },
  path: string,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const context = await (await browserOf()).newContext({ viewport: { width: 1440, height: 900 }, ...options });
  undo.push(() => context.close());
  const page = await context.newPage();
  const faults: Faults = { errors: [], foreign: [] };
  page.on("console", (message) => {
    if (message.type() === "error") faults.errors.push(message.text());
  });
  page.on("pageerror", (error) => faults.errors.push(String(error)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server.origin && protocol !== "blob:" && protocol !== "data:") faults.foreign.push(request.url());
  });
  await page.goto(server.origin + path);
  return { page, faults };
}

/** That the server was not there is no fault of the page's. */
export function forgive({ faults }: Tab): void {
  const cut = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|CONNECTION_CLOSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/;
  faults.errors = faults.errors.filter((error) => !cut.test(error));
}

/** Closes a tab that has done nothing that it must not. */
export async function close({ page, faults }: Tab): Promise<void> {
  await page.context().close();
  expect(faults).toEqual({ errors: [], foreign: [] });
}

/** A row of the table: the text of its cells by the keys of the columns. */
export interface ShownRow {
  name: string;
  cells: string[];
}

/** The table at one moment. */
export async function shownTable(page: Page): Promise<{ at: number; header: string[]; rows: ShownRow[] }> {
  return page.evaluate(() => {
    const table = document.querySelector("table.containers");
    const text = (cell: Element) => (cell as HTMLElement).innerText.replace(/\s+/g, " ").trim();
    const rows = [...(table?.querySelectorAll("tbody tr:not(.gap):not(.group)") ?? [])];
    return {
      at: Number((table as HTMLElement | null)?.dataset["at"]),
      header: [...(table?.querySelectorAll("thead th") ?? [])].map(text),
      rows: rows.map((row) => ({ name: text(row.querySelector("th") as Element), cells: [...row.children].map(text) })),
    };
  });
}

export async function names(page: Page): Promise<string[]> {
  return (await shownTable(page)).rows.map((row) => row.name);
}
